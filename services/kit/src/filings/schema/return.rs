// Written by `just gen` from `proto/minsheng/returns/v1/return_service.proto`: change the contract instead.

//! 统计报表: the table `returns` and its record.

use crate::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::returns::v1 as pb;

crate::register_table! {
    /// One figure that a department reports for a commitment, an area and a month.
    returns => ReturnRecord {
        /// The commitment, by its id in the catalogue.
        commitment: Text = String,
        /// The measure of the commitment; empty for the primary one.
        measure: Text = String,
        /// The month that the figure is true for, at its last day.
        month_from: BigInt = i64,
        /// The count, or the numerator of a rate, in the unit of the measure.
        numerator: Nullable<Double> = Option<f64>,
        /// Denominator of a rate. 0 only with the numerator 0: nobody was eligible, so there is no rate to tell. Where
        /// the division table or a register knows it, it may be left out, and what is filed of it does not count.
        denominator: Nullable<Double> = Option<f64>,
        /// The figure itself where only it was published; a count so given adds up, a rate does not.
        value: Nullable<Double> = Option<f64>,
        /// Unit of the figure; must be the catalogue's.
        unit: Text = String,
        /// Where the figure comes from.
        source: Text = String,
        /// How sure the reporter is.
        confidence: BigInt = i64,
        /// Where it stands. Output only.
        return_state: BigInt = i64,
        /// Why the figure was corrected, when it was; those of earlier corrections stand in its history. Output only.
        correction_reason: Text = String,
        /// The officer who files or corrects it, by the department's own number, never by name. Required: a figure
        /// without one is refused.
        filed_by: Text = String,
        /// The officer who approved it as it stands, another one than filed it. Output only.
        approved_by: Text = String,
    }
}

impl Declared for ReturnRecord {
    type Resource = pb::Return;
    type Row = pb::ReturnRow;

    const FIELDS: &'static [&'static str] = &[
        "commitment",
        "measure",
        "month",
        "numerator",
        "denominator",
        "value",
        "unit",
        "source",
        "confidence",
        "return_state",
        "correction_reason",
        "filed_by",
        "approved_by",
    ];

    fn read(resource: &pb::Return, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            commitment: resource.commitment.clone(),
            measure: resource.measure.clone(),
            month_from: declared::required_month("month", resource.month.as_ref(), violations),
            numerator: resource.numerator,
            denominator: resource.denominator,
            value: resource.value,
            unit: resource.unit.clone(),
            source: resource.source.clone(),
            confidence: i64::from(resource.confidence),
            filed_by: resource.filed_by.clone(),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::Return, Error> {
        Ok(pb::Return {
            commitment: self.commitment.clone(),
            measure: self.measure.clone(),
            month: declared::month(self.month_from),
            numerator: self.numerator,
            denominator: self.denominator,
            value: self.value,
            unit: self.unit.clone(),
            source: self.source.clone(),
            confidence: declared::enum_number(self.confidence),
            return_state: declared::enum_number(self.return_state),
            correction_reason: self.correction_reason.clone(),
            filed_by: self.filed_by.clone(),
            approved_by: self.approved_by.clone(),
            ..pb::Return::default()
        })
    }

    fn row(&self) -> pb::ReturnRow {
        pb::ReturnRow {
            commitment: self.commitment.clone(),
            measure: self.measure.clone(),
            month_from: declared::date(self.month_from),
            numerator: self.numerator,
            denominator: self.denominator,
            value: self.value,
            return_state: declared::enum_number(self.return_state),
            confidence: declared::enum_number(self.confidence),
            source: self.source.clone(),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(resource: &pb::Return, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[
            &resource.commitment,
            &resource.measure,
            &resource.area,
            &declared::month_part(resource.month.as_ref()?),
        ]))
    }

    fn take_field(field: &str, from: &pb::Return, to: &mut pb::Return) -> bool {
        match field {
            "commitment" => to.commitment.clone_from(&from.commitment),
            "measure" => to.measure.clone_from(&from.measure),
            "month" => to.month = from.month,
            "numerator" => to.numerator = from.numerator,
            "denominator" => to.denominator = from.denominator,
            "value" => to.value = from.value,
            "unit" => to.unit.clone_from(&from.unit),
            "source" => to.source.clone_from(&from.source),
            "confidence" => to.confidence = from.confidence,
            "return_state" => to.return_state = from.return_state,
            "correction_reason" => to.correction_reason.clone_from(&from.correction_reason),
            "filed_by" => to.filed_by.clone_from(&from.filed_by),
            "approved_by" => to.approved_by.clone_from(&from.approved_by),
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::Return) {
        resource.return_state = 0;
        resource.correction_reason = String::new();
        resource.approved_by = String::new();
    }

    fn restore_decided(&mut self, resource: &pb::Return) {
        self.return_state = i64::from(resource.return_state);
        self.correction_reason.clone_from(&resource.correction_reason);
        self.approved_by.clone_from(&resource.approved_by);
    }
}
