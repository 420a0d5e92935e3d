//! Queries across points and their activity, each for a whole chunk at once.

use std::collections::{HashMap, HashSet};

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    register::{ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};
use minsheng_proto::common::v1::RecordState;

use crate::schema::{ServicePointRecord, point_activities};

/// Finds the points that were not withdrawn, by id.
pub(crate) fn service_points_by_id<'a>(
    connection: &mut AnyConnection,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, ServicePointRecord>, Error> {
    let ids: Vec<String> = ids.collect::<HashSet<_>>().into_iter().map(str::to_owned).collect();
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        let records = ServicePointRecord::find(connection, part)?;
        let standing = records.into_iter().filter(|record| record.state != RecordState::Withdrawn as i64);
        found.extend(standing.map(|record| (record.id.clone(), record)));
    }
    Ok(found)
}

/// Tells which points have activity of which kind, as point and number of the kind.
pub(super) fn activity_kinds_by_point(
    connection: &mut AnyConnection,
    points: &[&str],
) -> Result<Vec<(String, i64)>, Error> {
    let mut found = Vec::new();
    for part in points.chunks(ROWS_PER_INSERT) {
        let kinds: Vec<(String, i64)> = point_activities::table
            .filter(point_activities::service_point.eq_any(part.iter().copied()))
            .filter(point_activities::state.ne(RecordState::Withdrawn as i64))
            .select((point_activities::service_point, point_activities::kind))
            .distinct()
            .load(connection)?;
        found.extend(kinds);
    }
    Ok(found)
}

/// A month's activity as another record sees it: point, first day of the month, id.
pub(super) type ActivityKey = (String, i64, String);

/// Finds the activity of points in the span of months that `keys` cover, other than withdrawn.
pub(super) fn activities_by_point(
    connection: &mut AnyConnection,
    keys: &[(&str, i64)],
) -> Result<Vec<ActivityKey>, Error> {
    let mut found = Vec::new();
    for part in keys.chunks(ROWS_PER_INSERT) {
        let months = part.iter().map(|(_, month)| *month);
        let (Some(first), Some(last)) = (months.clone().min(), months.max()) else { continue };
        let points: HashSet<&str> = part.iter().map(|(point, _)| *point).collect();
        let standing = point_activities::state.ne(RecordState::Withdrawn as i64);
        let there: Vec<ActivityKey> = point_activities::table
            .filter(point_activities::service_point.eq_any(points))
            .filter(point_activities::month_from.between(first, last).and(standing))
            .select((point_activities::service_point, point_activities::month_from, point_activities::id))
            .load(connection)?;
        found.extend(there);
    }
    Ok(found)
}
