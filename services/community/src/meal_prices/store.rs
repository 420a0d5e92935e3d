//! Queries over meal prices.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, Holders, Period},
    store::AnyConnection,
};
use minsheng_proto::community::v1::PriceOutcome;

use crate::schema::{MealPriceRecord, meal_prices};

/// Lists the states of prices that still wait for social security, those of prices that ended since included, behind an id,
/// in the order of ids.
pub(super) fn meal_prices_waiting(
    connection: &mut AnyConnection,
    after: &str,
    limit: i64,
) -> Result<Vec<MealPriceRecord>, Error> {
    Ok(meal_prices::table
        .filter(meal_prices::outcome.eq(PriceOutcome::WaitingForEvidence as i64))
        .filter(meal_prices::state.eq(ACTIVE))
        .filter(meal_prices::id.gt(after))
        .order((meal_prices::id, meal_prices::number))
        .limit(limit)
        .load(connection)?)
}

/// Returns which prices of persons are in force, by person and point, and on which days.
pub(super) fn meal_prices_by_person(
    connection: &mut AnyConnection,
    persons: &[&[u8]],
) -> Result<Holders<(Vec<u8>, String)>, Error> {
    let in_force = meal_prices::table.filter(meal_prices::state.eq(ACTIVE)).select((
        meal_prices::resident_index,
        meal_prices::service_point,
        meal_prices::id,
        meal_prices::effective_on,
        meal_prices::effective_until,
    ));
    let found: Vec<(Vec<u8>, String, String, i64, i64)> =
        load_among!(connection, in_force, meal_prices::resident_index, persons)?;
    let holder = |(person, point, id, from, until)| ((person, point), id, Period { from, until });
    Ok(found.into_iter().map(holder).collect())
}
