//! Queries across points and their activity, each for a whole chunk at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, Holders, Period, Table as _, WITHDRAWN},
    store::AnyConnection,
};

use crate::schema::{ServicePointRecord, meal_prices, point_activities};

/// Points that were not withdrawn, each with all its states, in the order of days.
#[derive(Debug)]
pub(crate) struct Points(HashMap<String, Vec<ServicePointRecord>>);

impl Points {
    /// Returns the states of a point, in force or ended; none where it is not there.
    pub(crate) fn states(&self, id: &str) -> &[ServicePointRecord] {
        self.0.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Finds the points that were not withdrawn, by id. The kit has locked those that the records of a unit name.
pub(crate) fn service_points_by_id<'a>(
    connection: &mut AnyConnection,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Points, Error> {
    let ids: Vec<String> = ids.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    let mut found: HashMap<String, Vec<ServicePointRecord>> = HashMap::with_capacity(ids.len());
    for state in ServicePointRecord::find(connection, &ids)? {
        if state.state != WITHDRAWN {
            found.entry(state.id.clone()).or_default().push(state);
        }
    }
    Ok(Points(found))
}

/// A month that a point has reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reported {
    /// Number of the kind that it says.
    pub kind: i64,
    /// Its first day.
    pub month_from: i64,
    /// Last day on which somebody was served.
    pub last_served_on: Option<i64>,
}

/// Lists the months that points have reported.
pub(super) fn months_by_point(
    connection: &mut AnyConnection,
    points: &[&str],
) -> Result<Vec<(String, Reported)>, Error> {
    let in_force = point_activities::table
        .filter(point_activities::state.eq(ACTIVE))
        .select((
            point_activities::service_point,
            point_activities::kind,
            point_activities::month_from,
            point_activities::last_served_on,
        ))
        .distinct();
    let found: Vec<(String, i64, i64, Option<i64>)> =
        load_among!(connection, in_force, point_activities::service_point, points)?;
    let reported = |(point, kind, month_from, last_served_on)| (point, Reported { kind, month_from, last_served_on });
    Ok(found.into_iter().map(reported).collect())
}

/// Lists the days on which prices of elders are in force at points, as far as they touch a period.
pub(super) fn prices_by_point(
    connection: &mut AnyConnection,
    points: &[&str],
    within: Period,
) -> Result<Vec<(String, Period)>, Error> {
    let in_force = meal_prices::table
        .filter(meal_prices::state.eq(ACTIVE))
        .filter(meal_prices::effective_on.lt(within.until))
        .filter(meal_prices::effective_until.gt(within.from))
        .select((meal_prices::service_point, meal_prices::effective_on, meal_prices::effective_until))
        .distinct();
    let found: Vec<(String, i64, i64)> = load_among!(connection, in_force, meal_prices::service_point, points)?;
    Ok(found.into_iter().map(|(point, from, until)| (point, Period { from, until })).collect())
}

/// Returns which months of points are reported, in the span of months that `keys` cover, and on which days the reports
/// are in force.
pub(super) fn activities_by_point(
    connection: &mut AnyConnection,
    keys: &[(&str, i64)],
) -> Result<Holders<(String, i64)>, Error> {
    let months = keys.iter().map(|(_, month)| *month);
    let (Some(first), Some(last)) = (months.clone().min(), months.max()) else { return Ok(Holders::from_iter([])) };
    let points: Vec<&str> = keys.iter().map(|(point, _)| *point).collect::<HashSet<_>>().into_iter().collect();
    let reported = point_activities::table
        .filter(point_activities::month_from.between(first, last))
        .filter(point_activities::state.eq(ACTIVE))
        .select((
            point_activities::service_point,
            point_activities::month_from,
            point_activities::id,
            point_activities::effective_on,
            point_activities::effective_until,
        ));
    let found: Vec<(String, i64, String, i64, i64)> =
        load_among!(connection, reported, point_activities::service_point, points)?;
    let holder = |(point, month, id, from, until)| ((point, month), id, Period { from, until });
    Ok(found.into_iter().map(holder).collect())
}
