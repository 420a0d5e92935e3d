//! The contract's `MealPriceService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    clients::DepartmentChannel,
    error::{Error, Violations},
    register::{Declared as _, Head, Held, Register, RuleContext, Table as _, day},
    store::{AnyConnection, lock_keys},
};
use minsheng_proto::community::v1 as pb;

use super::{
    rules::{check_against_point, check_age, price_of},
    store,
};
use crate::{schema::MealPriceRecord, service_points::store::service_points_by_id};

/// Said where a person has a price at the point already.
const PRICE_IN_FORCE: Held = Held {
    field: "resident_id",
    reason: "PRICE_IN_FORCE",
    description: "has a price at this point already; end that one first",
    description_zh: "该人员在此服务点已有有效价格，请先终止",
};

/// The register of meal prices.
#[derive(Clone, Debug)]
pub struct MealPrices {
    social_security: Option<DepartmentChannel>,
}

impl MealPrices {
    /// Makes the register with the channel to social security; without one every price waits.
    pub fn asking(social_security: Option<DepartmentChannel>) -> Self {
        Self { social_security }
    }

    /// Returns the channel to social security.
    pub(super) fn social_security(&self) -> Option<DepartmentChannel> {
        self.social_security.clone()
    }
}

impl Register for MealPrices {
    type Record = MealPriceRecord;
    type Row = pb::MealPriceRow;

    /// A change of the person or of the day asks social security again; a change of the full price keeps the category.
    fn validate(
        &self,
        price: &pb::MealPrice,
        head: Head,
        previous: Option<&MealPriceRecord>,
        context: RuleContext<'_>,
    ) -> Result<MealPriceRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = MealPriceRecord::read(price, head, context, &mut violations);
        check_age(price, &record, context, &mut violations);
        record.outcome = pb::PriceOutcome::WaitingForEvidence as i64;
        let decided = previous.filter(|previous| {
            previous.resident_index == record.resident_index && previous.applied_on == record.applied_on
        });
        if let Some(decided) = decided {
            record.outcome = decided.outcome;
            record.assistance_category = decided.assistance_category;
            record.decided_on = decided.decided_on;
        }
        match price_of(&record, context) {
            Ok(price_fen) => record.price_fen = price_fen,
            Err(found) => violations.extend_under("", found),
        }
        violations.into_result(record)
    }

    /// The price to pay is not told: what it is of the full price tells the category.
    fn row(&self, record: &MealPriceRecord, _: RuleContext<'_>) -> pb::MealPriceRow {
        let reduced = record.price_fen < record.base_price_fen;
        pb::MealPriceRow { price_fen: 0, reduced, ..record.row() }
    }

    /// True from the day of the application.
    fn effective_on(&self, price: &pb::MealPrice, today: NaiveDate) -> NaiveDate {
        price.applied_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A person has one price at a point.
    fn lock(&self, connection: &mut AnyConnection, records: &[MealPriceRecord]) -> Result<(), Error> {
        lock_keys(connection, "meal_prices.resident", records.iter().map(|record| record.resident_index.as_slice()))
    }

    /// The point is a meal point in service on the day of the application, and the person has no other price there on the same
    /// days.
    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[MealPriceRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let points = service_points_by_id(connection, records.iter().map(|record| record.service_point.as_str()))?;
        let persons: Vec<&[u8]> = records.iter().map(|record| record.resident_index.as_slice()).collect();
        let mut there = store::meal_prices_by_person(connection, &persons)?;
        let mut verdicts = Vec::with_capacity(records.len());
        for record in records {
            let mut violations = Violations::new();
            check_against_point(record, points.states(&record.service_point), &mut violations);
            let key = (record.resident_index.clone(), record.service_point.clone());
            there.claim(key, &record.id, record.period(), PRICE_IN_FORCE, &mut violations);
            verdicts.push(violations);
        }
        Ok(verdicts)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::community::v1,
    register: MealPrices,
    resource: MealPrice as meal_price,
    plural: MealPrices as meal_prices,
    create: create_with_evidence,
}
