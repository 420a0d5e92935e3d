//! Queries across points and their activity, each for a whole chunk at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, dsl::sql, sql_types::Text};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{Holders, ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};
use minsheng_proto::common::v1::RecordState;

use crate::schema::{ServicePointRecord, meal_prices, point_activities, service_points};

/// Finds the points that were not withdrawn, by id. In a unit of work they stay as they are until it ends: on PostgreSQL
/// none is withdrawn or changed between a rule that rests on it and the commit.
pub(crate) fn service_points_by_id<'a>(
    connection: &mut AnyConnection,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, ServicePointRecord>, Error> {
    let ids: Vec<String> = ids.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        let records = held(connection, part)?;
        let standing = records.into_iter().filter(|record| record.state != RecordState::Withdrawn as i64);
        found.extend(standing.map(|record| (record.id.clone(), record)));
    }
    Ok(found)
}

/// Reads points, and holds them on PostgreSQL where the transaction may write; whoever changes a point locks it for
/// updating first, and so waits. On SQLite one unit runs at a time.
fn held(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<ServicePointRecord>, Error> {
    if let AnyConnection::Postgres(postgres) = connection {
        let read_only: String =
            diesel::select(sql::<Text>("current_setting('transaction_read_only')")).get_result(postgres)?;
        if read_only == "off" {
            let points = service_points::table.filter(service_points::id.eq_any(ids)).order(service_points::id);
            return Ok(points.for_share().load(postgres)?);
        }
    }
    ServicePointRecord::find(connection, ids)
}

/// Tells at which points prices of elders are in force.
pub(super) fn points_with_prices(connection: &mut AnyConnection, points: &[&str]) -> Result<HashSet<String>, Error> {
    let in_force = meal_prices::table
        .filter(meal_prices::state.eq(RecordState::Active as i64))
        .select(meal_prices::service_point)
        .distinct();
    let found: Vec<String> = load_among!(connection, in_force, meal_prices::service_point, points)?;
    Ok(found.into_iter().collect())
}

/// Tells which points have activity of which kind, as point and number of the kind.
pub(super) fn activity_kinds_by_point(
    connection: &mut AnyConnection,
    points: &[&str],
) -> Result<Vec<(String, i64)>, Error> {
    let kinds = point_activities::table
        .filter(point_activities::state.ne(RecordState::Withdrawn as i64))
        .select((point_activities::service_point, point_activities::kind))
        .distinct();
    Ok(load_among!(connection, kinds, point_activities::service_point, points)?)
}

/// Tells which months of points are reported, in the span of months that `keys` cover, and not withdrawn.
pub(super) fn activities_by_point(
    connection: &mut AnyConnection,
    keys: &[(&str, i64)],
) -> Result<Holders<(String, i64)>, Error> {
    let months = keys.iter().map(|(_, month)| *month);
    let (Some(first), Some(last)) = (months.clone().min(), months.max()) else { return Ok(Holders::from_iter([])) };
    let points: Vec<&str> = keys.iter().map(|(point, _)| *point).collect::<HashSet<_>>().into_iter().collect();
    let reported = point_activities::table
        .filter(point_activities::month_from.between(first, last))
        .filter(point_activities::state.ne(RecordState::Withdrawn as i64))
        .select((point_activities::service_point, point_activities::month_from, point_activities::id));
    let found: Vec<(String, i64, String)> = load_among!(connection, reported, point_activities::service_point, points)?;
    Ok(found.into_iter().map(|(point, month, id)| ((point, month), id)).collect())
}
