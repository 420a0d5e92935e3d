// Written by `just gen` from `proto/minsheng/education/v1/school_service.proto`: change the contract instead.

//! 学校: the table `schools` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::education::v1 as pb;

minsheng_kit::register_table! {
    /// One school, kindergarten or special school.
    schools => SchoolRecord {
        /// Name of the school.
        title: Text = String,
        /// Stage or kind.
        stage: BigInt = i64,
        /// True when in a township or village.
        rural: Bool = bool,
        /// Altitude class.
        altitude_class: BigInt = i64,
        /// True when in a border county.
        border: Bool = bool,
        /// Places.
        places: BigInt = i64,
        /// Pupils enrolled.
        pupils: BigInt = i64,
        /// Classes above the size limit.
        large_classes: BigInt = i64,
        /// True when it meets the basic conditions.
        meets_basic_conditions: Bool = bool,
        /// Classes for children of two to three years; kindergartens only.
        nursery_classes: BigInt = i64,
        /// Places in them.
        nursery_places: BigInt = i64,
        /// Children in them.
        nursery_children: BigInt = i64,
        /// First day of teaching; absent while it is being built.
        opened_on: Nullable<BigInt> = Option<i64>,
        /// Day on which it closed.
        closed_on: Nullable<BigInt> = Option<i64>,
        /// Who runs it; not said is taken as public.
        ownership: BigInt = i64,
    }
}

impl Declared for SchoolRecord {
    type Resource = pb::School;
    type Row = pb::SchoolRow;

    const FIELDS: &'static [&'static str] = &[
        "title",
        "stage",
        "rural",
        "altitude_class",
        "border",
        "places",
        "pupils",
        "large_classes",
        "meets_basic_conditions",
        "nursery_classes",
        "nursery_places",
        "nursery_children",
        "opened_on",
        "closed_on",
        "ownership",
    ];

    fn read(resource: &pb::School, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            title: resource.title.clone(),
            stage: declared::enum_field::<pb::SchoolStage>("stage", resource.stage, violations) as i64,
            rural: resource.rural,
            altitude_class: declared::enum_field::<pb::AltitudeClass>(
                "altitude_class",
                resource.altitude_class,
                violations,
            ) as i64,
            border: resource.border,
            places: resource.places,
            pupils: resource.pupils,
            large_classes: resource.large_classes,
            meets_basic_conditions: resource.meets_basic_conditions,
            nursery_classes: resource.nursery_classes,
            nursery_places: resource.nursery_places,
            nursery_children: resource.nursery_children,
            opened_on: declared::optional_day("opened_on", resource.opened_on.as_ref(), violations),
            closed_on: declared::optional_day("closed_on", resource.closed_on.as_ref(), violations),
            ownership: i64::from(resource.ownership),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::School, Error> {
        Ok(pb::School {
            title: self.title.clone(),
            stage: declared::enum_number(self.stage),
            rural: self.rural,
            altitude_class: declared::enum_number(self.altitude_class),
            border: self.border,
            places: self.places,
            pupils: self.pupils,
            large_classes: self.large_classes,
            meets_basic_conditions: self.meets_basic_conditions,
            nursery_classes: self.nursery_classes,
            nursery_places: self.nursery_places,
            nursery_children: self.nursery_children,
            opened_on: self.opened_on.and_then(declared::date),
            closed_on: self.closed_on.and_then(declared::date),
            ownership: declared::enum_number(self.ownership),
            ..pb::School::default()
        })
    }

    fn row(&self) -> pb::SchoolRow {
        pb::SchoolRow {
            stage: declared::enum_number(self.stage),
            rural: self.rural,
            altitude_class: declared::enum_number(self.altitude_class),
            border: self.border,
            places: self.places,
            pupils: self.pupils,
            large_classes: self.large_classes,
            meets_basic_conditions: self.meets_basic_conditions,
            nursery_classes: self.nursery_classes,
            nursery_places: self.nursery_places,
            nursery_children: self.nursery_children,
            opened_on: self.opened_on.and_then(declared::date),
            closed_on: self.closed_on.and_then(declared::date),
            ownership: declared::enum_number(self.ownership),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::School, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::School, to: &mut pb::School) -> bool {
        match field {
            "title" => to.title.clone_from(&from.title),
            "stage" => to.stage = from.stage,
            "rural" => to.rural = from.rural,
            "altitude_class" => to.altitude_class = from.altitude_class,
            "border" => to.border = from.border,
            "places" => to.places = from.places,
            "pupils" => to.pupils = from.pupils,
            "large_classes" => to.large_classes = from.large_classes,
            "meets_basic_conditions" => to.meets_basic_conditions = from.meets_basic_conditions,
            "nursery_classes" => to.nursery_classes = from.nursery_classes,
            "nursery_places" => to.nursery_places = from.nursery_places,
            "nursery_children" => to.nursery_children = from.nursery_children,
            "opened_on" => to.opened_on = from.opened_on,
            "closed_on" => to.closed_on = from.closed_on,
            "ownership" => to.ownership = from.ownership,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::School) {}

    fn restore_decided(&mut self, _: &pb::School) {}
}
