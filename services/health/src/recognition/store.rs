//! Queries of mutual recognition: the items of the lists, and the count of those that are really recognisable.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{
    AggregateExpressionMethods as _, BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _,
    RunQueryDsl as _, dsl::count,
};
use minsheng_kit::{
    error::{Error, Violations},
    load_among,
    register::{ACTIVE, WITHDRAWN},
    store::AnyConnection,
    values::{
        calendar::day_of_epoch,
        divisions::{AreaCode, CountyCode},
        parameters::Parameters,
    },
};

use crate::schema::{institutions, quality_certificates, recognition_items};

/// Reports whether in a county on a day institutions recognise only what those of their own or a higher grade found
/// (互认方向): some regions leave the other direction to their prefectures.
pub(super) fn upward_only(parameters: &Parameters, county: CountyCode, on: i64) -> bool {
    let day = day_of_epoch(on).unwrap_or_default();
    parameters.value_on("recognition.obliged_upward_only", county, day).is_ok_and(|flag| flag.value == 1)
}

/// Checks that items are or were in some edition of the list; one set of violations for each code.
pub(super) fn check_listed<'a>(
    connection: &mut AnyConnection,
    codes: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<Violations>, Error> {
    let asked = Vec::from_iter(codes.clone().collect::<BTreeSet<&str>>());
    let listed = recognition_items::table
        .filter(recognition_items::state.ne(WITHDRAWN))
        .select(recognition_items::code)
        .distinct();
    let known: Vec<String> = load_among!(connection, listed, recognition_items::code, asked)?;
    let known: HashSet<&str> = known.iter().map(String::as_str).collect();
    let judge = |code: &str| {
        let mut violations = Violations::new();
        violations.require(
            known.contains(code),
            "item_code",
            "UNKNOWN_ITEM",
            "is in no edition of the list",
            "项目不在任何版本的目录中",
        );
        violations
    };
    Ok(codes.map(judge).collect())
}

/// Selects codes and areas of the items in some list on a day.
macro_rules! active_items {
    ($on:expr) => {
        recognition_items::table
            .filter(recognition_items::state.eq(ACTIVE))
            .filter(recognition_items::effective_on.le($on))
            .filter(recognition_items::effective_until.gt($on))
            .filter(recognition_items::active_from.le($on))
            .filter(recognition_items::active_to.is_null().or(recognition_items::active_to.ge($on)))
            .select((recognition_items::code, recognition_items::area))
    };
}

/// Counts the items really recognisable in an area on a day, as [`recognisable_items`](super::recognisable_items)
/// defines them.
pub(super) fn recognisable_item_count(
    connection: &mut AnyConnection,
    area: AreaCode,
    on: i64,
    minimum: i64,
) -> Result<i64, Error> {
    let (low, high) = area.range();
    let open = institutions::table
        .filter(institutions::area.between(low, high))
        .filter(institutions::state.eq(ACTIVE))
        .filter(institutions::effective_on.le(on))
        .filter(institutions::effective_until.gt(on))
        .filter(institutions::operating_from.le(on))
        .filter(institutions::operating_to.is_null().or(institutions::operating_to.ge(on)))
        .select(institutions::id);
    let active: Vec<(String, String)> =
        active_items!(on).filter(recognition_items::window_days.gt(0)).distinct().load(connection)?;
    let mut listed: HashMap<&str, Vec<AreaCode>> = HashMap::new();
    for (code, area) in &active {
        listed.entry(code).or_default().push(AreaCode::parse(area).map_err(Error::internal)?);
    }
    // An institution lies in one county, so the holders of counties add up.
    let held: Vec<(String, String, i64)> = quality_certificates::table
        .filter(quality_certificates::passed.eq(true))
        .filter(quality_certificates::state.eq(ACTIVE))
        .filter(quality_certificates::effective_on.le(on))
        .filter(quality_certificates::effective_until.gt(on))
        .filter(quality_certificates::valid_from.le(on))
        .filter(quality_certificates::valid_to.ge(on))
        .filter(quality_certificates::failed_on.is_null().or(quality_certificates::failed_on.gt(on)))
        .filter(quality_certificates::institution.eq_any(open))
        .group_by((quality_certificates::item_code, quality_certificates::area))
        .select((
            quality_certificates::item_code,
            quality_certificates::area,
            count(quality_certificates::institution).aggregate_distinct(),
        ))
        .load(connection)?;
    let mut holders: HashMap<&str, i64> = HashMap::new();
    for (code, county, institutions) in &held {
        let county = CountyCode::parse(county).map_err(Error::internal)?;
        if listed.get(code.as_str()).is_some_and(|areas| areas.iter().any(|area| area.contains(county))) {
            *holders.entry(code).or_default() += institutions;
        }
    }
    let items = holders.into_values().filter(|institutions| *institutions >= minimum);
    i64::try_from(items.count()).map_err(Error::internal)
}

/// Counts the items that are in the list of an area, or of a part of it, on a day.
pub(super) fn listed_item_count(connection: &mut AnyConnection, area: AreaCode, on: i64) -> Result<i64, Error> {
    let active: Vec<(String, String)> = active_items!(on).distinct().load(connection)?;
    let mut codes = BTreeSet::new();
    for (code, list) in &active {
        let list = AreaCode::parse(list).map_err(Error::internal)?;
        if list.contains(area) || area.contains(list) {
            codes.insert(code);
        }
    }
    i64::try_from(codes.len()).map_err(Error::internal)
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
