//! The cases that other systems get wrong, as a table, and which target binds where.

use chrono::{DateTime, NaiveDate};

use super::rules::{Facts, Verdict, judge};
use super::series::Series;
use super::{Input, Policy, assess, pace};
use crate::model::{
    Area, AttainmentDocument, Baseline, Basis, Bilingual, Commitment, Direction, Kind, Level, Reason, SourceKind,
    StatisticRow, Status,
};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn row(month: &str, value: f64) -> StatisticRow {
    StatisticRow {
        commitment: "c".into(),
        measure: "primary".into(),
        area: "540000".into(),
        month: day(&format!("{month}-01")),
        numerator: Some(value),
        denominator: None,
        value: Some(value),
    }
}

fn at_least(target: f64, due: Option<&str>) -> Facts {
    Facts {
        target: Some(target),
        direction: Direction::AtLeast,
        baseline: None,
        start: None,
        due: due.map(day),
        standing: false,
        milestone: false,
        cumulative: false,
        bounds: None,
        max_age_months: 3,
        max_silence_months: 12,
        known_on: None,
        last_record: None,
        partial: false,
    }
}

fn from(value: f64, on: &str, facts: Facts) -> Facts {
    Facts { baseline: Some(Baseline { value, on: day(on) }), ..facts }
}

fn judged(facts: Facts, months: &[(&str, f64)], on: &str) -> Verdict {
    let rows: Vec<_> = months.iter().map(|(month, value)| row(month, *value)).collect();
    judge(&facts, &Series::new(&rows, day(on)), day(on))
}

struct Case {
    name: &'static str,
    facts: Facts,
    months: &'static [(&'static str, f64)],
    on: &'static str,
    status: Status,
    reason: Option<Reason>,
    /// P, where the case is about it.
    pace: Option<f64>,
}

#[test]
#[rustfmt::skip]
fn every_case_of_the_table_gets_its_verdict() {
    use Status::{AtRisk, Met, MetLate, Missed, NotAssessable, OffTrack, OnTrack, TrendOnly};
    let due = Some("2025-12-31");
    let falling = |facts: Facts| Facts { direction: Direction::AtMost, ..facts };
    let share = |facts: Facts| Facts { bounds: Some((0.0, 100.0)), ..facts };
    let standing = |facts: Facts| Facts { standing: true, ..facts };
    let milestone = |facts: Facts| Facts { milestone: true, ..facts };
    let case = |name, facts, months, on, status, reason, pace| Case { name, facts, months, on, status, reason, pace };
    let cases = [
        // Zero baseline: half the way in half the time.
        case("zero baseline", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-06", 99.2)], "2025-06-30", OnTrack, None, Some(1.000_221)),
        case("zero baseline, no progress", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-06", 0.0)], "2025-06-30", OffTrack, None, Some(0.0)),
        // Zero target: complaints down to none.
        case("zero target", from(50.0, "2024-12-31", falling(at_least(0.0, due))), &[("2025-06", 30.0)], "2025-06-30", AtRisk, None, Some(0.806_63)),
        case("zero target reached", from(50.0, "2024-12-31", falling(at_least(0.0, due))), &[("2025-06", 0.0)], "2025-06-30", Met, None, None),
        // Target equal to baseline.
        case("baseline equals target and it still holds", from(100.0, "2024-12-31", at_least(100.0, due)), &[("2025-06", 100.0)], "2025-06-30", Met, None, None),
        case("baseline equals target and it was lost", from(100.0, "2024-12-31", at_least(100.0, due)), &[("2025-06", 98.0)], "2025-06-30", NotAssessable, Some(Reason::BaselineEqualsTarget), None),
        case("baseline beyond the target and it was lost", from(120.0, "2024-12-31", at_least(100.0, due)), &[("2025-06", 90.0)], "2025-06-30", OffTrack, Some(Reason::LostSinceBaseline), None),
        // Falling indicators.
        case("falling as fast as needed", from(40.0, "2024-12-31", falling(at_least(20.0, due))), &[("2025-06", 30.0)], "2025-06-30", OnTrack, None, Some(1.008_287)),
        case("falling indicator that rises", from(40.0, "2024-12-31", falling(at_least(20.0, due))), &[("2025-06", 45.0)], "2025-06-30", OffTrack, None, Some(-0.504_144)),
        // Overshoot, and percentages that are capped.
        case("overshoot", from(100.0, "2024-12-31", at_least(200.0, due)), &[("2025-06", 260.0)], "2025-06-30", Met, None, Some(3.226_519)),
        case("a share above 100 counts as 100", from(50.0, "2024-12-31", share(at_least(100.0, due))), &[("2025-06", 104.0)], "2025-06-30", Met, None, Some(2.016_575)),
        case("a share close below its cap", from(97.0, "2024-12-31", share(at_least(100.0, due))), &[("2025-06", 98.5)], "2025-06-30", OnTrack, None, Some(1.008_287)),
        // Little data.
        case("less than a year of data", at_least(176.0, due), &[("2025-03", 120.0), ("2025-06", 139.0)], "2025-06-30", OnTrack, None, Some(1.025_314)),
        case("one point", at_least(176.0, due), &[("2025-06", 139.0)], "2025-06-30", NotAssessable, Some(Reason::OnePoint), None),
        case("one point that holds", at_least(176.0, due), &[("2025-06", 176.0)], "2025-06-30", Met, None, None),
        case("no data", at_least(176.0, due), &[], "2025-06-30", NotAssessable, Some(Reason::NoData), None),
        case("data after the day do not count", at_least(176.0, due), &[("2025-07", 180.0)], "2025-06-30", NotAssessable, Some(Reason::NoData), None),
        case("data too old", at_least(176.0, due), &[("2025-01", 100.0), ("2025-02", 120.0)], "2025-06-30", NotAssessable, Some(Reason::SourceTooOld), None),
        // Values of opposite sign: from a deficit to a surplus.
        case("opposite signs", from(-50.0, "2024-12-31", at_least(50.0, due)), &[("2025-06", 0.0)], "2025-06-30", OnTrack, None, Some(1.008_287)),
        case("from surplus to deficit", from(-50.0, "2024-12-31", at_least(50.0, due)), &[("2025-06", -75.0)], "2025-06-30", OffTrack, None, Some(-0.504_144)),
        // Due today: not passed yet.
        case("due today and holding", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-12", 200.0)], "2025-12-31", Met, None, Some(1.0)),
        case("due today and nearly there", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-12", 195.0)], "2025-12-31", OnTrack, None, Some(0.975)),
        case("due today and far away", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-12", 100.0)], "2025-12-31", OffTrack, None, Some(0.5)),
        // Due in the past.
        case("met on the due date and still", at_least(176.0, due), &[("2025-06", 139.0), ("2025-12", 176.0), ("2026-01", 177.0)], "2026-01-31", Met, None, None),
        case("met on the due date and lost since", at_least(176.0, due), &[("2025-12", 176.0), ("2026-01", 175.0)], "2026-01-31", OffTrack, Some(Reason::LostAfterDue), None),
        case("not met on the due date", at_least(176.0, due), &[("2025-12", 170.0), ("2026-01", 171.0)], "2026-01-31", Missed, None, None),
        case("met late", at_least(176.0, due), &[("2025-12", 170.0), ("2026-01", 171.0), ("2026-02", 176.0)], "2026-02-28", MetLate, None, None),
        case("met before the due date, not on it, and again later", at_least(176.0, due), &[("2025-11", 176.0), ("2025-12", 170.0), ("2026-01", 180.0)], "2026-01-31", MetLate, None, None),
        case("due before the first record, and it holds", at_least(176.0, due), &[("2026-02", 180.0)], "2026-02-28", NotAssessable, Some(Reason::NoDataOnDueDate), None),
        case("due before the first record, and it does not hold", at_least(176.0, due), &[("2026-02", 160.0)], "2026-02-28", Missed, Some(Reason::NoDataOnDueDate), None),
        // The due month itself was never filed.
        case("due month not filed, the month before falls short", at_least(176.0, due), &[("2025-10", 160.0), ("2025-11", 170.0)], "2026-01-10", NotAssessable, Some(Reason::NoDataOnDueDate), None),
        case("due month not filed, the month before held", at_least(176.0, due), &[("2025-11", 180.0)], "2026-01-10", NotAssessable, Some(Reason::NoDataOnDueDate), None),
        case("due month not filed, the next holds", at_least(176.0, due), &[("2025-11", 180.0), ("2026-01", 181.0)], "2026-01-31", NotAssessable, Some(Reason::NoDataOnDueDate), None),
        case("due month not filed, the next falls short", at_least(176.0, due), &[("2025-11", 180.0), ("2026-01", 171.0)], "2026-01-31", Missed, Some(Reason::NoDataOnDueDate), None),
        case("things done were enough the month before", Facts { cumulative: true, ..at_least(176.0, due) }, &[("2025-11", 180.0)], "2026-01-10", Met, None, None),
        case("things done were not enough the month before", Facts { cumulative: true, ..at_least(176.0, due) }, &[("2025-11", 170.0)], "2026-01-10", NotAssessable, Some(Reason::NoDataOnDueDate), None),
        case("due in the middle of a month, the month before speaks", at_least(176.0, Some("2025-12-15")), &[("2025-11", 170.0), ("2025-12", 171.0)], "2025-12-31", Missed, None, None),
        // The register goes on month by month; what is known of it does not.
        case("a department that was last read long ago", Facts { known_on: Some(day("2025-02-10")), ..at_least(176.0, due) }, &[("2025-01", 180.0), ("2025-06", 180.0)], "2025-06-30", NotAssessable, Some(Reason::SourceTooOld), None),
        case("a department that was last read a while ago", Facts { known_on: Some(day("2025-03-31")), ..at_least(176.0, due) }, &[("2025-06", 180.0)], "2025-06-30", Met, None, None),
        case("a register in which nothing was recorded for more than a year", Facts { last_record: Some(day("2024-05-31")), ..at_least(176.0, due) }, &[("2025-06", 180.0)], "2025-06-30", NotAssessable, Some(Reason::SourceTooOld), None),
        case("a register in which something was recorded within the year", Facts { last_record: Some(day("2024-06-01")), ..at_least(176.0, due) }, &[("2025-06", 180.0)], "2025-06-30", Met, None, None),
        case("things done do not age with their register", Facts { cumulative: true, last_record: Some(day("2024-05-31")), ..at_least(176.0, due) }, &[("2025-06", 180.0)], "2025-06-30", Met, None, None),
        // Months that too few areas have reported.
        case("only months that too few have reported", Facts { partial: true, ..at_least(176.0, due) }, &[], "2025-06-30", NotAssessable, Some(Reason::Incomplete), None),
        case("a whole month too old, then months that too few have reported", Facts { partial: true, ..at_least(176.0, due) }, &[("2025-01", 180.0)], "2025-06-30", NotAssessable, Some(Reason::Incomplete), None),
        case("a whole month, then one that too few have reported", Facts { partial: true, ..at_least(176.0, due) }, &[("2025-05", 180.0)], "2025-06-30", Met, None, None),
        // The cuts themselves, and the last bits of a double.
        case("exactly 0.95", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 95.0)], "2025-12-31", OnTrack, None, Some(0.95)),
        case("exactly 0.60", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 60.0)], "2025-12-31", AtRisk, None, Some(0.6)),
        case("a sum short of its target by rounding only", at_least(0.3, due), &[("2025-06", 0.299_999_999_999_999_9)], "2025-06-30", Met, None, None),
        case("one institution short of 85 percent", share(at_least(85.0, due)), &[("2025-12", 84.912_280_7), ("2026-01", 84.912_280_7)], "2026-01-31", Missed, None, None),
        // Targets without a date.
        case("a goal without a date, reached", at_least(6.0, None), &[("2025-06", 6.0)], "2025-06-30", Met, None, None),
        case("a goal without a date, half way", at_least(6.0, None), &[("2025-05", 3.0), ("2025-06", 3.0)], "2025-06-30", NotAssessable, Some(Reason::NoDueDate), None),
        case("a standing obligation, 97 percent kept", standing(at_least(100.0, None)), &[("2025-06", 97.0)], "2025-06-30", OnTrack, None, Some(0.97)),
        case("a standing obligation, 80 percent kept", standing(at_least(100.0, None)), &[("2025-06", 80.0)], "2025-06-30", AtRisk, None, Some(0.8)),
        case("a standing obligation, half kept", standing(at_least(100.0, None)), &[("2025-06", 50.0)], "2025-06-30", OffTrack, None, Some(0.5)),
        case("a standing ceiling with one point has no baseline", standing(falling(at_least(5.0, None))), &[("2025-06", 9.0)], "2025-06-30", NotAssessable, Some(Reason::NoBaseline), None),
        // Milestones.
        case("a document that is issued", milestone(at_least(1.0, due)), &[("2025-05", 0.0), ("2025-06", 1.0)], "2025-07-31", Met, None, None),
        case("a document that is neither issued nor due", milestone(at_least(1.0, due)), &[("2025-05", 0.0), ("2025-06", 0.0)], "2025-06-30", NotAssessable, Some(Reason::NotDueYet), None),
        case("a document that is not issued and has no date", milestone(at_least(1.0, None)), &[("2025-06", 0.0)], "2025-06-30", NotAssessable, Some(Reason::NoDueDate), None),
        case("a document that was due and is not issued", milestone(at_least(1.0, due)), &[("2025-12", 0.0), ("2026-01", 0.0)], "2026-01-31", Missed, None, None),
        case("a document issued long ago does not age", milestone(at_least(1.0, due)), &[("2025-06", 1.0)], "2026-06-30", Met, None, None),
        case("a document issued late", milestone(at_least(1.0, due)), &[("2025-12", 0.0), ("2026-02", 1.0)], "2026-02-28", MetLate, None, None),
        case("one of two hospitals open, before the date", from(0.0, "2024-12-31", milestone(at_least(2.0, due))), &[("2025-06", 1.0)], "2025-06-30", OnTrack, None, Some(1.008_287)),
        // In force later; no number at all.
        case("not in force yet", Facts { start: Some(day("2025-09-01")), ..at_least(100.0, None) }, &[("2025-06", 100.0)], "2025-06-30", NotAssessable, Some(Reason::NotStarted), None),
        case("a trend", Facts { target: None, ..at_least(0.0, None) }, &[("2025-06", 12.0)], "2025-06-30", TrendOnly, None, None),
        case("a trend without data", Facts { target: None, ..at_least(0.0, None) }, &[], "2025-06-30", NotAssessable, Some(Reason::NoData), None),
    ];
    for case in cases {
        let verdict = judged(case.facts, case.months, case.on);
        assert_eq!((verdict.status, verdict.reason), (case.status, case.reason), "{}: {verdict:?}", case.name);
        if let Some(expected) = case.pace {
            let pace = verdict.pace.unwrap_or(f64::NAN);
            assert!((pace - expected).abs() < 1e-4, "{}: P is {pace}", case.name);
        }
    }
}

#[test]
fn a_target_met_late_says_when() {
    let facts = at_least(176.0, Some("2025-12-31"));
    let months = [("2025-12", 170.0), ("2026-01", 176.0), ("2026-02", 178.0)];
    assert_eq!(judged(facts, &months, "2026-02-28").met_on, Some(day("2026-01-31")));
}

#[test]
fn of_855_institutions_727_are_the_85_percent_promised_and_726_are_not() {
    let catalogue = crate::catalogue::Catalogue::embedded().expect("the catalogue is sound");
    let promised = &catalogue.entry("age-friendly-institutions").expect("an entry").commitment;
    assert_eq!(promised.due, Some(day("2025-12-31")));
    for (certified, status) in [(726.0, Status::Missed), (727.0, Status::Met)] {
        let share = StatisticRow { denominator: Some(855.0), ..row("2025-12", certified) };
        let share = [StatisticRow { value: Some(certified * 100.0 / 855.0), ..share }];
        let on = day("2026-01-31");
        let facts =
            Facts { bounds: Some((0.0, 100.0)), ..at_least(promised.target.expect("a target"), Some("2025-12-31")) };
        let verdict = judge(&facts, &Series::new(&share, on), on);
        assert_eq!((verdict.status, verdict.reason), (status, None), "{certified} of 855");
    }
}

#[test]
fn a_share_without_its_denominator_is_not_judged_by_an_older_month() {
    let whole = row("2025-05", 90.0);
    let missing = StatisticRow { value: None, ..row("2025-06", 12.0) };
    let of_nothing = StatisticRow { denominator: Some(0.0), numerator: Some(0.0), ..missing.clone() };
    let on = day("2025-06-30");
    for (newest, reason) in [(missing, Reason::MissingDenominator), (of_nothing, Reason::ZeroDenominator)] {
        let rows = [whole.clone(), newest];
        let verdict = judge(&at_least(85.0, Some("2025-12-31")), &Series::new(&rows, on), on);
        assert_eq!((verdict.status, verdict.reason), (Status::NotAssessable, Some(reason)));
    }
}

#[test]
fn growth_rates_are_withheld_where_they_say_nothing() {
    let ratio = |from: f64, value: f64, target: f64, on: &str| {
        pace::growth_ratio(Baseline { value: from, on: day("2023-12-31") }, value, day(on), target, day("2025-12-31"))
    };
    assert!((ratio(100.0, 110.0, 121.0, "2024-12-31").expect("a ratio") - 1.0).abs() < 0.01);
    assert!((ratio(100.0, 90.0, 81.0, "2024-12-31").expect("a ratio") - 1.0).abs() < 0.01, "falling");
    assert_eq!(ratio(0.0, 110.0, 121.0, "2024-12-31"), None, "zero baseline");
    assert_eq!(ratio(100.0, 50.0, 0.0, "2024-12-31"), None, "zero target");
    assert_eq!(ratio(-5.0, 5.0, 10.0, "2024-12-31"), None, "opposite signs");
    assert_eq!(ratio(100.0, 110.0, 100.0, "2024-12-31"), None, "no growth required");
    assert_eq!(ratio(100.0, 110.0, 121.0, "2024-06-30"), None, "less than a year");
}

pub(crate) fn commitment(id: &str) -> Commitment {
    Commitment {
        id: id.into(),
        article: 8,
        service: "community".into(),
        leads: vec!["civil-affairs".into()],
        title_zh: "老年助餐服务点".into(),
        title_en: "Elder meal points".into(),
        kind: Kind::Count,
        basis: Basis::Stated,
        direction: Direction::AtLeast,
        target: Some(176.0),
        unit: Bilingual { zh: "个".into(), en: "points".into() },
        standard: None,
        baseline: None,
        start: None,
        due: Some(day("2025-12-31")),
        scope: vec![],
        source: SourceKind::Register,
        dataset: "community.service_points".into(),
        cumulative: false,
        standing: false,
        every_area: false,
        area_targets: std::collections::BTreeMap::new(),
        lowest_level: Level::County,
        bounds: None,
        person_based: false,
        measure: Bilingual::default(),
        secondary: vec![],
    }
}

fn areas() -> Vec<Area> {
    let area = |code: &str, level, parent: Option<&str>| Area {
        code: code.into(),
        level,
        parent: parent.map(Into::into),
        name_zh: code.into(),
        name_en: code.into(),
    };
    vec![
        area("540000", Level::Region, None),
        area("540100", Level::Prefecture, Some("540000")),
        area("540102", Level::County, Some("540100")),
        area("540400", Level::Prefecture, Some("540000")),
    ]
}

fn assessed(commitment: &Commitment, rows: &[StatisticRow]) -> AttainmentDocument {
    assess(&Input {
        on: day("2025-06-30"),
        as_of: DateTime::from_timestamp(1_751_328_000, 0).expect("an instant"),
        catalogue: "test",
        commitments: std::slice::from_ref(commitment),
        areas: &areas(),
        rows,
        completeness: &[],
        sources: &[],
        policy: Policy::default(),
    })
}

fn verdicts(document: &AttainmentDocument) -> Vec<(Status, Option<Reason>)> {
    document.commitments.iter().map(|entry| (entry.status, entry.reason)).collect()
}

#[test]
fn a_number_binds_the_region_and_the_areas_that_the_plan_gives_one() {
    let divided = Commitment { area_targets: [("540100".to_owned(), 40.0)].into(), ..commitment("c") };
    let rows: Vec<_> = ["540000", "540100", "540102", "540400"]
        .map(|area| StatisticRow { area: area.into(), ..row("2025-06", 180.0) })
        .into();
    assert_eq!(
        verdicts(&assessed(&divided, &rows)),
        [
            (Status::Met, None),
            (Status::Met, None),
            (Status::TrendOnly, Some(Reason::NoTargetForArea)),
            (Status::TrendOnly, Some(Reason::NoTargetForArea)),
        ]
    );
}

#[test]
fn a_share_binds_every_area_on_its_own() {
    let share = Commitment { kind: Kind::Rate, every_area: true, target: Some(85.0), ..commitment("c") };
    let rows = [row("2025-06", 90.0), StatisticRow { area: "540100".into(), ..row("2025-06", 86.0) }];
    let found = verdicts(&assessed(&share, &rows));
    assert_eq!(found[..2], [(Status::Met, None), (Status::Met, None)]);
    assert_eq!(found[2], (Status::NotAssessable, Some(Reason::NoData)));
}

#[test]
fn an_area_outside_the_scope_or_below_the_lowest_level_says_so_and_nothing_else() {
    let pilot = Commitment { scope: vec!["540100".into()], lowest_level: Level::Prefecture, ..commitment("c") };
    let rows = [row("2025-06", 180.0), StatisticRow { area: "540100".into(), ..row("2025-06", 180.0) }];
    let found = verdicts(&assessed(&pilot, &rows));
    assert_eq!(found[2], (Status::NotAssessable, Some(Reason::NotMeasuredAtLevel)));
    assert_eq!(found[3], (Status::NotAssessable, Some(Reason::OutOfScope)));
}

#[test]
fn change_over_twelve_months_needs_the_same_month_of_the_year_before() {
    let rows = [row("2024-06", 100.0), row("2025-05", 130.0), row("2025-06", 139.0)];
    let entry = assessed(&commitment("c"), &rows).commitments.remove(0);
    assert_eq!(entry.change_12_months, Some(39.0));
    assert_eq!(entry.value_on, Some(day("2025-06-30")));
    let rows = [row("2024-07", 100.0), row("2025-06", 139.0)];
    assert_eq!(assessed(&commitment("c"), &rows).commitments[0].change_12_months, None);
}
