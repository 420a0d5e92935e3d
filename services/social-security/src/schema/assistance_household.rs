// Written by `just gen` from `proto/minsheng/socialsecurity/v1/assistance_household_service.proto`: change the contract instead.

//! 社会救助家庭: the table `assistance_households` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::social_security::v1 as pb;

minsheng_kit::register_table! {
    /// One household and the category of assistance it is recognised in.
    assistance_households => AssistanceHouseholdRecord {
        /// Which standard applies.
        residence_kind: BigInt = i64,
        /// Net income of the household a month, in fen: that of the last twelve months divided by twelve.
        net_monthly_income_fen: BigInt = i64,
        /// Category recognised.
        category: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Day of the decision.
        decided_on: BigInt = i64,
        /// First day of the category, or of the fade-out; required unless NONE.
        valid_from: Nullable<BigInt> = Option<i64>,
        /// Last day; of rigid expenditure and of a fade-out at most the last of twelve months.
        valid_to: Nullable<BigInt> = Option<i64>,
        /// Monthly dibao amount in fen, of the household or of the members who get it as persons. Computed by the
        /// server from the standard in force; output only.
        monthly_amount_fen: BigInt = i64,
        /// The standard in fen a month for each member; of a rural one, which is set by the year, the twelfth part,
        /// rounded for showing. The amount is computed from the yearly one. Output only.
        monthly_standard_fen: BigInt = i64,
        /// What the category rests on.
        ground: BigInt = i64,
        /// Necessary spending on illness, education and the like that is deducted, in fen a month: that of the last
        /// twelve months divided by twelve. Only for the ground SPENDING_DEDUCTED.
        deducted_spending_monthly_fen: BigInt = i64,
        /// Grade of dibao; required for dibao where the county pays by grade, and only there.
        grade: BigInt = i64,
        /// The standard that the amount was computed with, in fen a year for each member. Output only.
        yearly_standard_fen: BigInt = i64,
        /// The members as the contract has them, sealed.
        members: Binary = Vec<u8>,
        /// Keyed blind indexes of the members in their order, 32 bytes each.
        member_indexes: Binary = Vec<u8>,
        /// Number of members.
        member_count: BigInt = i64,
        /// Of them, severely disabled.
        severely_disabled_members: BigInt = i64,
        /// Members who get dibao as persons.
        single_person_members: BigInt = i64,
    }
}

impl Declared for AssistanceHouseholdRecord {
    type Resource = pb::AssistanceHousehold;
    type Row = pb::AssistanceHouseholdRow;

    const FIELDS: &'static [&'static str] = &[
        "residence_kind",
        "members",
        "net_monthly_income_fen",
        "category",
        "applied_on",
        "decided_on",
        "valid_from",
        "valid_to",
        "monthly_amount_fen",
        "monthly_standard_fen",
        "ground",
        "deducted_spending_monthly_fen",
        "grade",
        "yearly_standard_fen",
    ];

    fn read(resource: &pb::AssistanceHousehold, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            residence_kind: declared::enum_field::<pb::ResidenceKind>(
                "residence_kind",
                resource.residence_kind,
                violations,
            ) as i64,
            net_monthly_income_fen: resource.net_monthly_income_fen,
            category: declared::enum_field::<pb::AssistanceCategory>("category", resource.category, violations) as i64,
            applied_on: declared::required_day("applied_on", resource.applied_on.as_ref(), violations),
            decided_on: declared::required_day("decided_on", resource.decided_on.as_ref(), violations),
            valid_from: declared::optional_day("valid_from", resource.valid_from.as_ref(), violations),
            valid_to: declared::optional_day("valid_to", resource.valid_to.as_ref(), violations),
            ground: i64::from(resource.ground),
            deducted_spending_monthly_fen: resource.deducted_spending_monthly_fen,
            grade: i64::from(resource.grade),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::AssistanceHousehold, Error> {
        Ok(pb::AssistanceHousehold {
            residence_kind: declared::enum_number(self.residence_kind),
            net_monthly_income_fen: self.net_monthly_income_fen,
            category: declared::enum_number(self.category),
            applied_on: declared::date(self.applied_on),
            decided_on: declared::date(self.decided_on),
            valid_from: self.valid_from.and_then(declared::date),
            valid_to: self.valid_to.and_then(declared::date),
            monthly_amount_fen: self.monthly_amount_fen,
            monthly_standard_fen: self.monthly_standard_fen,
            ground: declared::enum_number(self.ground),
            deducted_spending_monthly_fen: self.deducted_spending_monthly_fen,
            grade: declared::enum_number(self.grade),
            yearly_standard_fen: self.yearly_standard_fen,
            ..pb::AssistanceHousehold::default()
        })
    }

    fn row(&self) -> pb::AssistanceHouseholdRow {
        pb::AssistanceHouseholdRow {
            category: declared::enum_number(self.category),
            residence_kind: declared::enum_number(self.residence_kind),
            severely_disabled_members: self.severely_disabled_members,
            monthly_standard_fen: self.monthly_standard_fen,
            applied_on: declared::date(self.applied_on),
            decided_on: declared::date(self.decided_on),
            valid_from: self.valid_from.and_then(declared::date),
            valid_to: self.valid_to.and_then(declared::date),
            ..pb::AssistanceHouseholdRow::default()
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::AssistanceHousehold, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::AssistanceHousehold, to: &mut pb::AssistanceHousehold) -> bool {
        match field {
            "residence_kind" => to.residence_kind = from.residence_kind,
            "members" => to.members.clone_from(&from.members),
            "net_monthly_income_fen" => to.net_monthly_income_fen = from.net_monthly_income_fen,
            "category" => to.category = from.category,
            "applied_on" => to.applied_on = from.applied_on,
            "decided_on" => to.decided_on = from.decided_on,
            "valid_from" => to.valid_from = from.valid_from,
            "valid_to" => to.valid_to = from.valid_to,
            "monthly_amount_fen" => to.monthly_amount_fen = from.monthly_amount_fen,
            "monthly_standard_fen" => to.monthly_standard_fen = from.monthly_standard_fen,
            "ground" => to.ground = from.ground,
            "deducted_spending_monthly_fen" => to.deducted_spending_monthly_fen = from.deducted_spending_monthly_fen,
            "grade" => to.grade = from.grade,
            "yearly_standard_fen" => to.yearly_standard_fen = from.yearly_standard_fen,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::AssistanceHousehold) {
        resource.monthly_amount_fen = 0;
        resource.monthly_standard_fen = 0;
        resource.yearly_standard_fen = 0;
    }

    fn restore_decided(&mut self, resource: &pb::AssistanceHousehold) {
        self.monthly_amount_fen = resource.monthly_amount_fen;
        self.monthly_standard_fen = resource.monthly_standard_fen;
        self.yearly_standard_fen = resource.yearly_standard_fen;
    }
}
