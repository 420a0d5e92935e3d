//! What a service point's record must satisfy. Pure.

use minsheng_kit::{
    error::Violations,
    values::divisions::{AreaCode, DivisionCode, DivisionError, TownshipCode, VillageCode},
};
use minsheng_proto::community::v1::{AreaLevel, ServicePointKind};

use super::{
    kinds::{named_site, rules_of},
    operation::InService,
};
use crate::schema::ServicePointRecord;

/// Minutes of a week.
const WEEK_MINUTES: i64 = 7 * 24 * 60;

/// Where a point is and whom it serves.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// County that keeps the record, six digits.
    pub area: &'a str,
    /// Level of the unit that it serves.
    pub level: AreaLevel,
    /// Township, nine digits, or empty.
    pub township_code: &'a str,
    /// Village, twelve digits, or empty.
    pub village_code: &'a str,
}

/// Returns the code of the county, township or village that a point serves, by its level.
pub fn unit_code(place: Place<'_>) -> &str {
    match place.level {
        AreaLevel::Village => place.village_code,
        AreaLevel::Township => place.township_code,
        AreaLevel::County | AreaLevel::Unspecified => place.area,
    }
}

/// Checks that the codes are there where the level needs them, exist, and lie in one another.
pub fn check_place(place: Place<'_>, violations: &mut Violations) {
    let needs_township = matches!(place.level, AreaLevel::Township | AreaLevel::Village);
    let township =
        code(("township_code", place.township_code), needs_township, place.area, TownshipCode::parse, violations);
    let needs_village = place.level == AreaLevel::Village;
    let village = code(("village_code", place.village_code), needs_village, place.area, VillageCode::parse, violations);
    violations.require(
        place.village_code.is_empty() || !place.township_code.is_empty(),
        "township_code",
        "REQUIRED",
        "is required beside a village",
        "填写村代码时必填",
    );
    if let (Some(township), Some(village)) = (township, village) {
        violations.require(
            village.township() == township,
            "village_code",
            "OUTSIDE_TOWNSHIP",
            "does not lie in the township",
            "不在该乡镇内",
        );
    }
}

/// Reads one code; returns it when it is there, exists and lies in the area.
fn code<T: DivisionCode>(
    (field, text): (&str, &str),
    required: bool,
    area: &str,
    parse: fn(&str) -> Result<T, DivisionError>,
    violations: &mut Violations,
) -> Option<T> {
    if text.is_empty() {
        violations.require(!required, field, "REQUIRED", "is required at this level", "该服务层级必填");
        return None;
    }
    match parse(text) {
        Ok(code) => {
            let inside = AreaCode::parse(area).is_ok_and(|area| area.contains(code));
            violations.require(inside, field, "OUTSIDE_AREA", "does not lie in the record's county", "不在该县区内");
            inside.then_some(code)
        }
        Err(error) => {
            violations.add(field, error.reason(), error.to_string(), error.message_zh());
            None
        }
    }
}

/// Checks what the point's kind asks for.
pub(super) fn check_kind(kind: ServicePointKind, point: &ServicePointRecord, violations: &mut Violations) {
    let Some(rules) = rules_of(kind) else { return };
    violations.require(
        !rules.needs_capacity || point.opened_on.is_none() || point.capacity > 0,
        "capacity",
        "REQUIRED_FOR_KIND",
        "must be above zero once a point of this kind is open",
        "该类服务点启用后容量须大于零",
    );
    violations.require(
        rules.may_have_medical_agreement || !point.medical_agreement,
        "medical_agreement",
        "NOT_FOR_KIND",
        "is not known for points of this kind",
        "该类服务点不适用医养签约",
    );
    violations.require(
        rules.may_have_household_prices || !point.household_utility_prices,
        "household_utility_prices",
        "NOT_FOR_KIND",
        "is meant for places that look after elders, infants or disabled people",
        "水电气居民价仅适用于养老、托育和助残机构",
    );
    if rules.is_named_site {
        violations.require(
            named_site(&point.site_code).is_some(),
            "site_code",
            "NOT_A_NAMED_SITE",
            "is not one of the named oxygen sites",
            "不是指定的增压补氧点位",
        );
    } else {
        violations.require(
            point.site_code.is_empty(),
            "site_code",
            "NOT_FOR_KIND",
            "is for oxygen sites only",
            "点位代码仅适用于增压补氧点",
        );
    }
}

/// Checks the days in service and the hours; `today` is counted since 1970-01-01.
pub(super) fn check_opening(in_service: InService, weekly_minutes: i64, today: i64, violations: &mut Violations) {
    violations.require(
        in_service.opened_on.is_none_or(|opened| opened <= today),
        "opened_on",
        "IN_FUTURE",
        "lies in the future; leave it out while the point is planned",
        "启用日期在未来；筹建期间请留空",
    );
    violations.require(
        in_service.closed_on.is_none() || in_service.opened_on.is_some(),
        "opened_on",
        "REQUIRED",
        "is required beside the day of closing",
        "填写停用日期时必填",
    );
    if let InService { opened_on: Some(opened), closed_on: Some(closed) } = in_service {
        violations.require(
            closed > opened,
            "closed_on",
            "NOT_AFTER_OPENING",
            "does not lie after the first day in service",
            "停用日期须晚于启用日期",
        );
    }
    violations.require(
        weekly_minutes <= WEEK_MINUTES,
        "weekly_opening_minutes",
        "LONGER_THAN_A_WEEK",
        "is more than a week has",
        "超过一周的总分钟数",
    );
}

/// Checks that a point keeps its kind on days on which something rests on it: `keeps_months` says whether its reported
/// months fit the kind, `priced` whether prices of elders are in force there.
pub(super) fn check_kept_kind(
    point: &ServicePointRecord,
    keeps_months: bool,
    priced: bool,
    violations: &mut Violations,
) {
    violations.require(
        keeps_months,
        "kind",
        "HAS_ACTIVITY",
        "cannot change on days of which the point has reported activity",
        "该期间已有月报，不能更改类型",
    );
    violations.require(
        point.kind == ServicePointKind::ElderMealPoint as i64 || !priced,
        "kind",
        "HAS_PRICES",
        "cannot change while prices of elders are in force at the point",
        "有效助餐价格存续期间不能更改类型",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<(String, &'static str)> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn the_codes_that_the_level_needs_exist_and_lie_in_one_another() {
        use AreaLevel::{County, Township, Village};
        for (level, township_code, village_code, expected) in [
            (County, "", "", None),
            (Township, "540102002", "", None),
            (Village, "540102002", "540102002001", None),
            // A facility of a county or township may say where it stands.
            (County, "540102002", "540102002001", None),
            (Township, "", "", Some(("township_code", "REQUIRED"))),
            (Village, "540102002", "", Some(("village_code", "REQUIRED"))),
            (Village, "540102003", "540102002001", Some(("village_code", "OUTSIDE_TOWNSHIP"))),
            (Township, "540102999", "", Some(("township_code", "DIVISION_CODE_UNKNOWN"))),
            (Village, "540102002", "540102002999", Some(("village_code", "DIVISION_CODE_UNKNOWN"))),
            (Township, "542527202", "", Some(("township_code", "OUTSIDE_AREA"))),
            (County, "", "540102002001", Some(("township_code", "REQUIRED"))),
        ] {
            let place = Place { area: "540102", level, township_code, village_code };
            let expected: Vec<_> = expected.into_iter().map(|(field, reason)| (field.to_owned(), reason)).collect();
            assert_eq!(reasons(|v| check_place(place, v)), expected, "{place:?}");
        }
    }

    #[test]
    fn the_unit_served_is_named_by_the_code_of_its_level() {
        for (level, expected) in
            [(AreaLevel::County, "540102"), (AreaLevel::Township, "540102002"), (AreaLevel::Village, "540102002001")]
        {
            let place = Place { area: "540102", level, township_code: "540102002", village_code: "540102002001" };
            assert_eq!(unit_code(place), expected);
        }
    }

    #[test]
    fn each_kind_is_asked_for_what_is_particular_to_it() {
        use ServicePointKind as Kind;
        let plain = ServicePointRecord { opened_on: Some(1), ..ServicePointRecord::default() };
        let seats = ServicePointRecord { capacity: 20, ..plain.clone() };
        let site = |code: &str| ServicePointRecord { site_code: code.to_owned(), ..seats.clone() };
        let planned = ServicePointRecord { opened_on: None, ..plain.clone() };
        let agreed = ServicePointRecord { medical_agreement: true, ..seats.clone() };
        let cheap = ServicePointRecord { household_utility_prices: true, ..seats.clone() };
        for (kind, point, expected) in [
            (Kind::ElderMealPoint, &seats, vec![]),
            (Kind::ElderMealPoint, &plain, vec!["REQUIRED_FOR_KIND"]),
            (Kind::ElderMealPoint, &planned, vec![]),
            (Kind::Nursery, &plain, vec!["REQUIRED_FOR_KIND"]),
            (Kind::FitnessFacility, &plain, vec![]),
            (Kind::DisabledHome, &plain, vec![]),
            (Kind::ElderCareHome, &agreed, vec![]),
            (Kind::ElderMealPoint, &agreed, vec!["NOT_FOR_KIND"]),
            (Kind::Nursery, &cheap, vec![]),
            (Kind::SportsVenue, &cheap, vec!["NOT_FOR_KIND"]),
            (Kind::OxygenSite, &site("puma-yumco"), vec![]),
            (Kind::OxygenSite, &site("everest"), vec!["NOT_A_NAMED_SITE"]),
            (Kind::OxygenSite, &plain, vec!["NOT_A_NAMED_SITE"]),
            (Kind::CultureVenue, &site("puma-yumco"), vec!["NOT_FOR_KIND"]),
        ] {
            let found: Vec<_> = reasons(|v| check_kind(kind, point, v)).into_iter().map(|(_, r)| r).collect();
            assert_eq!(found, expected, "{kind:?} {point:?}");
        }
    }

    #[test]
    fn a_point_opens_before_it_closes_and_not_in_the_future() {
        for (opened_on, closed_on, minutes, expected) in [
            (Some(10), None, 10_080, None),
            (None, None, 0, None),
            (Some(20), Some(21), 0, None),
            (Some(10), Some(10), 0, Some(("closed_on", "NOT_AFTER_OPENING"))),
            (None, Some(10), 0, Some(("opened_on", "REQUIRED"))),
            (Some(21), None, 0, Some(("opened_on", "IN_FUTURE"))),
            (Some(10), None, 10_081, Some(("weekly_opening_minutes", "LONGER_THAN_A_WEEK"))),
        ] {
            let found = reasons(|v| check_opening(InService { opened_on, closed_on }, minutes, 20, v));
            let expected: Vec<_> = expected.into_iter().map(|(field, reason)| (field.to_owned(), reason)).collect();
            assert_eq!(found, expected, "{opened_on:?} {closed_on:?} {minutes}");
        }
    }
}
