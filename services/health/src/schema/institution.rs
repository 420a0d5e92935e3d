// Written by `just gen` from `proto/minsheng/health/v1/institution_service.proto`: change the contract instead.

//! 医疗机构: the table `institutions` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// One medical institution.
    institutions => InstitutionRecord {
        /// Name of the institution.
        title: Text = String,
        /// Class.
        institution_class: BigInt = i64,
        /// True when public.
        public: Bool = bool,
        /// Grade 1 to 3; 0 when ungraded.
        level: BigInt = i64,
        /// First day in operation.
        operating_from: BigInt = i64,
        /// Last day in operation.
        operating_to: Nullable<BigInt> = Option<i64>,
        /// First day of the age-friendly certificate.
        age_friendly_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the age-friendly certificate.
        age_friendly_to: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for InstitutionRecord {
    type Resource = pb::Institution;
    type Row = pb::InstitutionRow;

    const FIELDS: &'static [&'static str] =
        &["title", "institution_class", "public", "level", "operating_from", "operating_to"];

    fn read(resource: &pb::Institution, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            title: resource.title.clone(),
            institution_class: declared::enum_field::<pb::InstitutionClass>(
                "institution_class",
                resource.institution_class,
                violations,
            ) as i64,
            public: resource.public,
            level: i64::from(resource.level),
            operating_from: declared::required_day("operating_from", resource.operating_from.as_ref(), violations),
            operating_to: declared::optional_day("operating_to", resource.operating_to.as_ref(), violations),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::Institution, Error> {
        Ok(pb::Institution {
            title: self.title.clone(),
            institution_class: declared::enum_number(self.institution_class),
            public: self.public,
            level: declared::enum_number(self.level),
            operating_from: declared::date(self.operating_from),
            operating_to: self.operating_to.and_then(declared::date),
            ..pb::Institution::default()
        })
    }

    fn row(&self) -> pb::InstitutionRow {
        pb::InstitutionRow {
            institution_class: declared::enum_number(self.institution_class),
            public: self.public,
            level: self.level,
            operating_from: declared::date(self.operating_from),
            operating_to: self.operating_to.and_then(declared::date),
            age_friendly_from: self.age_friendly_from.and_then(declared::date),
            age_friendly_to: self.age_friendly_to.and_then(declared::date),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::Institution, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::Institution, to: &mut pb::Institution) -> bool {
        match field {
            "title" => to.title.clone_from(&from.title),
            "institution_class" => to.institution_class = from.institution_class,
            "public" => to.public = from.public,
            "level" => to.level = from.level,
            "operating_from" => to.operating_from = from.operating_from,
            "operating_to" => to.operating_to = from.operating_to,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::Institution) {}

    fn restore_decided(&mut self, _: &pb::Institution) {}
}
