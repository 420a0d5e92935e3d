//! Queries over meal prices.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{error::Error, register::ROWS_PER_INSERT, store::AnyConnection};
use minsheng_proto::{common::v1::RecordState, community::v1::PriceOutcome};

use crate::schema::{MealPriceRecord, meal_prices};

/// Lists the prices in force that still wait for social security, behind an id, in the order of ids.
pub(super) fn meal_prices_waiting(
    connection: &mut AnyConnection,
    after: &str,
    limit: i64,
) -> Result<Vec<MealPriceRecord>, Error> {
    Ok(meal_prices::table
        .filter(meal_prices::outcome.eq(PriceOutcome::WaitingForEvidence as i64))
        .filter(meal_prices::state.eq(RecordState::Active as i64))
        .filter(meal_prices::id.gt(after))
        .order(meal_prices::id)
        .limit(limit)
        .load(connection)?)
}

/// A price in force as another record sees it: person, point, id.
pub(super) type PriceKey = (Vec<u8>, String, String);

/// Finds the prices in force of persons, at whatever point.
pub(super) fn meal_prices_by_person(connection: &mut AnyConnection, persons: &[&[u8]]) -> Result<Vec<PriceKey>, Error> {
    let mut found = Vec::new();
    for part in persons.chunks(ROWS_PER_INSERT) {
        let prices: Vec<PriceKey> = meal_prices::table
            .filter(meal_prices::resident_key.eq_any(part.iter().copied()))
            .filter(meal_prices::state.eq(RecordState::Active as i64))
            .select((meal_prices::resident_key, meal_prices::service_point, meal_prices::id))
            .load(connection)?;
        found.extend(prices);
    }
    Ok(found)
}
