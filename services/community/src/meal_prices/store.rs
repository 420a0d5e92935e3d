//! Queries over meal prices.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{error::Error, load_among, register::Holders, store::AnyConnection};
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

/// Tells which prices of persons are in force, by person and point.
pub(super) fn meal_prices_by_person(
    connection: &mut AnyConnection,
    persons: &[&[u8]],
) -> Result<Holders<(Vec<u8>, String)>, Error> {
    let in_force = meal_prices::table.filter(meal_prices::state.eq(RecordState::Active as i64)).select((
        meal_prices::resident_key,
        meal_prices::service_point,
        meal_prices::id,
    ));
    let found: Vec<(Vec<u8>, String, String)> = load_among!(connection, in_force, meal_prices::resident_key, persons)?;
    Ok(found.into_iter().map(|(person, point, id)| ((person, point), id)).collect())
}
