// Written by `just gen` from `proto/minsheng/community/v1/meal_price_service.proto`: change the contract instead.

//! 助餐价格: the table `meal_prices` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::community::v1 as pb;

minsheng_kit::register_table! {
    /// The price that one elder pays at a meal point.
    meal_prices => MealPriceRecord {
        /// Identity number, sealed.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the person.
        resident_index: Binary = Vec<u8>,
        /// Pseudonym of the person in the dataset.
        person: Text = String,
        /// The meal point, `service_points/{id}`.
        service_point: Text = String,
        /// Full price of a meal, in fen.
        base_price_fen: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Where the decision stands. Output only.
        outcome: BigInt = i64,
        /// What social security answered. Output only.
        assistance_category: BigInt = i64,
        /// Price to pay, in fen. Computed; output only.
        price_fen: BigInt = i64,
        /// Day of the decision. Output only.
        decided_on: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for MealPriceRecord {
    type Resource = pb::MealPrice;
    type Row = pb::MealPriceRow;

    const FIELDS: &'static [&'static str] = &[
        "resident_id",
        "service_point",
        "base_price_fen",
        "applied_on",
        "outcome",
        "assistance_category",
        "price_fen",
        "decided_on",
    ];

    fn read(resource: &pb::MealPrice, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        let resident =
            declared::person("meal_prices.resident", "resident_id", &resource.resident_id, context, violations);
        Self {
            resident: resident.sealed,
            resident_index: resident.index,
            person: resident.pseudonym,
            service_point: declared::reference_id(
                "service_point",
                "service_points",
                &resource.service_point,
                violations,
            ),
            base_price_fen: resource.base_price_fen,
            applied_on: declared::not_after_today(
                "applied_on",
                declared::required_day("applied_on", resource.applied_on.as_ref(), violations),
                context,
                violations,
            ),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, context: RuleContext<'_>, reveal: bool) -> Result<pb::MealPrice, Error> {
        Ok(pb::MealPrice {
            resident_id: declared::shown_person("meal_prices.resident", &self.resident, context, reveal)?,
            service_point: declared::reference("service_points", &self.service_point),
            base_price_fen: self.base_price_fen,
            applied_on: declared::date(self.applied_on),
            outcome: declared::enum_number(self.outcome),
            assistance_category: declared::enum_number(self.assistance_category),
            price_fen: self.price_fen,
            decided_on: self.decided_on.and_then(declared::date),
            ..pb::MealPrice::default()
        })
    }

    fn row(&self) -> pb::MealPriceRow {
        pb::MealPriceRow {
            person: self.person.clone(),
            service_point: self.service_point.clone(),
            base_price_fen: self.base_price_fen,
            outcome: declared::enum_number(self.outcome),
            decided_on: self.decided_on.and_then(declared::date),
            ..pb::MealPriceRow::default()
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![declared::Named {
            field: "service_point",
            collection: "service_points",
            same_county: true,
            id: &self.service_point,
        }]
    }

    fn natural_id(resource: &pb::MealPrice, context: RuleContext<'_>) -> Option<String> {
        declared::key_of_person(
            &resource.resident_id,
            &[
                declared::id_within("service_points", &resource.service_point),
                &declared::day_part(resource.applied_on.as_ref()?)?,
            ],
            context,
        )
    }

    fn take_field(field: &str, from: &pb::MealPrice, to: &mut pb::MealPrice) -> bool {
        match field {
            "resident_id" => to.resident_id.clone_from(&from.resident_id),
            "service_point" => to.service_point.clone_from(&from.service_point),
            "base_price_fen" => to.base_price_fen = from.base_price_fen,
            "applied_on" => to.applied_on = from.applied_on,
            "outcome" => to.outcome = from.outcome,
            "assistance_category" => to.assistance_category = from.assistance_category,
            "price_fen" => to.price_fen = from.price_fen,
            "decided_on" => to.decided_on = from.decided_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::MealPrice) {
        resource.outcome = 0;
        resource.assistance_category = 0;
        resource.price_fen = 0;
        resource.decided_on = None;
    }

    fn restore_decided(&mut self, resource: &pb::MealPrice) {
        self.outcome = i64::from(resource.outcome);
        self.assistance_category = i64::from(resource.assistance_category);
        self.price_fen = resource.price_fen;
        self.decided_on = declared::stored_day(resource.decided_on.as_ref());
    }
}
