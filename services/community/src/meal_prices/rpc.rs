//! The contract's `MealPriceService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    clients::DepartmentChannel,
    error::{Error, Violations},
    register::{Declared as _, Facts, Head, Held, Register, Table as _, day, declared::reference_id},
    store::AnyConnection,
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
        identifiers::ResidentId,
        money::Fen,
    },
};
use minsheng_proto::community::v1 as pb;

use super::{
    evidence::category_of,
    rules::{PriceShares, check_against_point, is_elder},
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

    /// Gives the channel to social security.
    pub(super) fn social_security(&self) -> Option<DepartmentChannel> {
        self.social_security.clone()
    }
}

/// Computes the price of a record by the category that it holds and the figures of the day of the application.
pub(super) fn price_of(record: &MealPriceRecord, facts: Facts<'_>) -> Result<i64, Violations> {
    let mut violations = Violations::new();
    let area = AreaCode::parse(&record.area);
    let (Ok(area), Some(applied_on)) = (area, day_of_epoch(record.applied_on)) else {
        violations.add("area", "DIVISION_CODE_UNKNOWN", "is not a division", "行政区划代码不存在");
        return Err(violations);
    };
    let shares = PriceShares::on(area, applied_on, facts.parameters).map_err(|error| {
        let mut violations = Violations::new();
        violations.add("applied_on", error.reason(), error.to_string(), error.message_zh());
        violations
    })?;
    shares.price(Fen::new(record.base_price_fen), category_of(record)).map(Fen::get).map_err(|error| {
        violations.add("base_price_fen", error.reason(), error.to_string(), error.message_zh());
        violations
    })
}

/// Checks the person's age on the day of the application.
fn check_age(price: &pb::MealPrice, record: &MealPriceRecord, facts: Facts<'_>, violations: &mut Violations) {
    let (area, day) = (AreaCode::parse(&record.area), day_of_epoch(record.applied_on));
    // What is no person, area or day was noted where it was read.
    let (Ok(resident), Ok(area), Some(day)) = (ResidentId::parse(&price.resident_id, facts.today), area, day) else {
        return;
    };
    match is_elder(&resident, area, day, facts.parameters) {
        Ok(elder) => violations.require(
            elder,
            "resident_id",
            "NOT_AN_ELDER",
            "is a person who is not an elder on the day of the application",
            "申请当日未达老年人年龄",
        ),
        Err(error) => violations.add("applied_on", error.reason(), error.to_string(), error.message_zh()),
    }
}

impl Register for MealPrices {
    type Record = MealPriceRecord;
    type Row = pb::MealPriceRow;

    /// A change of the person or of the day asks social security again; a change of the full price keeps the category.
    fn decode(
        &self,
        price: &pb::MealPrice,
        head: Head,
        previous: Option<&MealPriceRecord>,
        facts: Facts<'_>,
    ) -> Result<MealPriceRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = MealPriceRecord::read(price, head, facts, &mut violations);
        violations.require(
            record.applied_on <= epoch_day(facts.today),
            "applied_on",
            "IN_FUTURE",
            "lies in the future",
            "日期在未来",
        );
        check_age(price, &record, facts, &mut violations);
        record.outcome = pb::PriceOutcome::WaitingForEvidence as i64;
        let decided = previous.filter(|previous| {
            previous.resident_index == record.resident_index && previous.applied_on == record.applied_on
        });
        if let Some(decided) = decided {
            record.outcome = decided.outcome;
            record.assistance_category = decided.assistance_category;
            record.decided_on = decided.decided_on;
        }
        match price_of(&record, facts) {
            Ok(price_fen) => record.price_fen = price_fen,
            Err(found) => violations.extend_under("", found),
        }
        violations.into_result(record)
    }

    /// The price to pay is not told: what it is of the full price tells the category.
    fn row(&self, record: &MealPriceRecord, _: Facts<'_>) -> pb::MealPriceRow {
        let reduced = record.price_fen < record.base_price_fen;
        pb::MealPriceRow { price_fen: 0, reduced, ..record.row() }
    }

    /// True from the day of the application.
    fn effective_on(&self, price: &pb::MealPrice, today: NaiveDate) -> NaiveDate {
        price.applied_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A person, a point and a day make one application. The id is a digest under the department's key, because it is
    /// told to social security as the case number.
    fn natural_id(&self, price: &pb::MealPrice, facts: Facts<'_>) -> Option<String> {
        let resident = ResidentId::parse(&price.resident_id, facts.today).ok()?;
        let point = reference_id("service_point", "service_points", &price.service_point, &mut Violations::new());
        let applied_on = price.applied_on.as_ref().and_then(day)?;
        let key = [&facts.keys.blind(&resident), format!("/{point}/{applied_on}").as_bytes()].concat();
        Some(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &key).simple().to_string())
    }

    /// The point is a meal point in service on the day of the application, and the person has no other price there on the same
    /// days.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[MealPriceRecord],
        _: Facts<'_>,
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
