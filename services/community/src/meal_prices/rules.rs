//! Who eats at the price of elders, and at what price. Pure.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{RuleContext, Table as _, enum_number},
    values::{
        calendar::day_of_epoch,
        divisions::AreaCode,
        identifiers::ResidentId,
        money::{Fen, MoneyError, PerMille, Rounding},
        parameters::{ParameterError, Parameters},
    },
};
use minsheng_proto::{
    community::v1::{MealPrice, ServicePointKind},
    social_security::v1::AssistanceCategory as Category,
};

use crate::schema::{MealPriceRecord, ServicePointRecord};

/// What each category of assistance pays of the full price, in one area on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceShares {
    tekun: PerMille,
    dibao: PerMille,
    margin: PerMille,
    rigid_expenditure: PerMille,
    none: PerMille,
}

impl PriceShares {
    /// Reads the shares from the parameters `meal_price.share_*_permille`.
    pub fn on(area: AreaCode, day: NaiveDate, parameters: &Parameters) -> Result<Self, ParameterError> {
        let share = |key| parameters.value_on(key, area, day)?.as_per_mille();
        Ok(Self {
            tekun: share("meal_price.share_tekun_permille")?,
            dibao: share("meal_price.share_dibao_permille")?,
            margin: share("meal_price.share_margin_permille")?,
            rigid_expenditure: share("meal_price.share_rigid_expenditure_permille")?,
            none: share("meal_price.share_none_permille")?,
        })
    }

    /// Returns the price that a category pays, never above the full price.
    ///
    /// A fraction of a fen is dropped, in the elder's favour. Without a category the full price holds.
    pub fn price(self, full: Fen, category: Category) -> Result<Fen, MoneyError> {
        let share = match category {
            Category::Tekun => self.tekun,
            Category::Dibao => self.dibao,
            Category::Margin => self.margin,
            Category::RigidExpenditure => self.rigid_expenditure,
            Category::None => self.none,
            Category::Unspecified => PerMille::WHOLE,
        };
        Ok(share.of(full, Rounding::Down)?.min(full))
    }
}

/// Reports whether a person is an elder (老年人) on a day, by the parameter `meal_point.elder_age_years`.
pub fn is_elder(
    resident: &ResidentId,
    area: AreaCode,
    day: NaiveDate,
    parameters: &Parameters,
) -> Result<bool, ParameterError> {
    let age = parameters.value_on("meal_point.elder_age_years", area, day)?.as_years()?;
    Ok(resident.age_on(day) >= age)
}

/// Returns the category that a record holds.
pub(super) fn category_of(record: &MealPriceRecord) -> Category {
    Category::try_from(enum_number(record.assistance_category)).unwrap_or_default()
}

/// Checks the person's age on the day of the application.
pub(super) fn check_age(
    price: &MealPrice,
    record: &MealPriceRecord,
    context: RuleContext<'_>,
    violations: &mut Violations,
) {
    let (area, day) = (AreaCode::parse(&record.area), day_of_epoch(record.applied_on));
    // What is no person, area or day was noted where it was read.
    let (Ok(resident), Ok(area), Some(day)) = (ResidentId::parse(&price.resident_id, context.today), area, day) else {
        return;
    };
    match is_elder(&resident, area, day, context.parameters) {
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

/// Computes the price of a record by the category that it holds and the figures of the day of the application.
pub(super) fn price_of(record: &MealPriceRecord, context: RuleContext<'_>) -> Result<i64, Violations> {
    let mut violations = Violations::new();
    let area = AreaCode::parse(&record.area);
    let (Ok(area), Some(applied_on)) = (area, day_of_epoch(record.applied_on)) else {
        violations.add("area", "DIVISION_CODE_UNKNOWN", "is not a division", "行政区划代码不存在");
        return Err(violations);
    };
    let shares = PriceShares::on(area, applied_on, context.parameters).map_err(|error| {
        let mut violations = Violations::new();
        violations.add("applied_on", error.reason(), error.to_string(), error.message_zh());
        violations
    })?;
    shares.price(Fen::new(record.base_price_fen), category_of(record)).map(Fen::get).map_err(|error| {
        violations.add("base_price_fen", error.reason(), error.to_string(), error.message_zh());
        violations
    })
}

/// Checks a price against the state that its point has on the day of the application; no states are given when none
/// stands under the id.
pub(super) fn check_against_point(price: &MealPriceRecord, point: &[ServicePointRecord], violations: &mut Violations) {
    let on_the_day = |state: &&ServicePointRecord| state.is_in_force() && state.period().contains(price.applied_on);
    let state = point.iter().find(on_the_day);
    violations.require(
        state.is_none_or(|state| state.kind == ServicePointKind::ElderMealPoint as i64),
        "service_point",
        "NOT_A_MEAL_POINT",
        "is not an elder meal point",
        "不是老年助餐点",
    );
    violations.require(
        state.and_then(ServicePointRecord::in_service).is_some_and(|days| days.contains(price.applied_on)),
        "applied_on",
        "NOT_IN_SERVICE",
        "is a day on which the point was not in service",
        "申请当日服务点未在营",
    );
}

#[cfg(test)]
mod tests {
    use minsheng_kit::register::FOREVER;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn county() -> AreaCode {
        AreaCode::parse("540102").expect("a county")
    }

    #[test]
    fn each_category_pays_its_share_and_a_fraction_of_a_fen_is_dropped() {
        let shares = PriceShares::on(county(), day("2025-09-01"), Parameters::get()).expect("in force");
        for (full, category, expected) in [
            (1500, Category::Tekun, 0),
            (1500, Category::Dibao, 750),
            (1501, Category::Dibao, 750),
            (1500, Category::Margin, 1050),
            (1501, Category::Margin, 1050),
            (1500, Category::RigidExpenditure, 1050),
            (1501, Category::None, 1501),
            (1501, Category::Unspecified, 1501),
            (0, Category::Dibao, 0),
            (i64::MAX, Category::None, i64::MAX),
        ] {
            let price = shares.price(Fen::new(full), category).expect("in range");
            assert_eq!(price.get(), expected, "{full} for {category:?}");
        }
    }

    #[test]
    fn nobody_pays_more_than_the_full_price() {
        let shares = PriceShares::on(county(), day("2025-09-01"), Parameters::get()).expect("in force");
        let shares = PriceShares { none: PerMille::new(1200), ..shares };
        assert_eq!(shares.price(Fen::new(1000), Category::None), Ok(Fen::new(1000)));
    }

    #[test]
    fn a_person_is_an_elder_from_the_sixtieth_birthday_on() {
        let born = ResidentId::synthetic(day("1965-09-02"), 1).expect("a person");
        for (on, expected) in [("2025-09-01", false), ("2025-09-02", true)] {
            assert_eq!(is_elder(&born, county(), day(on), Parameters::get()), Ok(expected), "{on}");
        }
    }

    #[test]
    fn a_price_needs_a_meal_point_of_the_county_in_service_on_the_day() {
        let point = ServicePointRecord {
            area: "540102".to_owned(),
            kind: ServicePointKind::ElderMealPoint as i64,
            effective_until: FOREVER,
            state: 1,
            opened_on: Some(100),
            ..ServicePointRecord::default()
        };
        let closed = [ServicePointRecord { closed_on: Some(150), ..point.clone() }];
        let nursery = ServicePointRecord { kind: ServicePointKind::Nursery as i64, ..point.clone() };
        let until = |day, state: &ServicePointRecord| ServicePointRecord { effective_until: day, ..state.clone() };
        let from = |day, state: &ServicePointRecord| ServicePointRecord { effective_on: day, ..state.clone() };
        let was_nursery = [until(150, &nursery), from(150, &point)];
        let is_nursery = [until(150, &point), from(150, &nursery)];
        let ended = [until(150, &point), ServicePointRecord { state: 2, ..from(150, &point) }];
        let point = [point];
        let price =
            |area: &str| MealPriceRecord { area: area.to_owned(), applied_on: 150, ..MealPriceRecord::default() };
        for (price, point, expected) in [
            (price("540102"), &point[..], None),
            (price("540102"), &closed, Some("NOT_IN_SERVICE")),
            (price("540102"), &[nursery], Some("NOT_A_MEAL_POINT")),
            (price("540102"), &was_nursery, None),
            (price("540102"), &is_nursery, Some("NOT_A_MEAL_POINT")),
            (price("540102"), &ended, Some("NOT_IN_SERVICE")),
        ] {
            let mut violations = Violations::new();
            check_against_point(&price, point, &mut violations);
            let found: Vec<_> = violations.iter().map(|violation| violation.reason).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
