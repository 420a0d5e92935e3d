//! The cases that other systems get wrong, as a table, and which target binds where.

use chrono::{DateTime, NaiveDate};

use super::rules::{Facts, Verdict, judge};
use super::series::Series;
use super::{Input, Policy, assess, pace};
use crate::model::{
    Area, AttainmentDocument, AttainmentEntry, Baseline, Basis, Bilingual, Commitment, Completeness, CompletenessRow,
    Direction, DueBasis, Kind, Level, Parts, Possible, Reason, SourceKind, StatisticRow, Status,
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
        possible: None,
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
        reached_on: None,
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
        case("due today and nearly there", from(0.0, "2024-12-31", at_least(200.0, due)), &[("2025-12", 195.0)], "2025-12-31", AtRisk, None, Some(0.975)),
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
        case("exactly 0.95", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-06", 47.109_589_041_1)], "2025-06-30", OnTrack, None, Some(0.95)),
        case("exactly 0.60", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 60.0)], "2025-12-31", AtRisk, None, Some(0.6)),
        case("a sum short of its target by rounding only", at_least(0.3, due), &[("2025-06", 0.299_999_999_999_999_9)], "2025-06-30", Met, None, None),
        case("one institution short of 85 percent", share(at_least(85.0, due)), &[("2025-12", 84.912_280_7), ("2026-01", 84.912_280_7)], "2026-01-31", Missed, None, None),
        // Due today: what does not hold may hold by midnight, and is not on track.
        case("due today, 97 of 100", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 97.0)], "2025-12-31", AtRisk, None, Some(0.97)),
        case("due yesterday, 97 of 100", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 97.0)], "2026-01-01", Missed, None, None),
        case("due today, half", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 50.0)], "2025-12-31", OffTrack, None, Some(0.5)),
        case("due today, and it holds", from(0.0, "2024-12-31", at_least(100.0, due)), &[("2025-12", 100.0)], "2025-12-31", Met, None, Some(1.0)),
        // Targets without a date.
        case("a goal without a date, reached", at_least(6.0, None), &[("2025-06", 6.0)], "2025-06-30", Met, None, None),
        case("a goal without a date, half way", at_least(6.0, None), &[("2025-05", 3.0), ("2025-06", 3.0)], "2025-06-30", NotAssessable, Some(Reason::NoDueDate), None),
        // A standing duty is met or not met on the day; no pace fits it.
        case("a duty that is kept", standing(at_least(100.0, None)), &[("2025-06", 100.0)], "2025-06-30", Met, None, None),
        case("a duty, 97 percent kept", standing(at_least(100.0, None)), &[("2025-06", 97.0)], "2025-06-30", AtRisk, None, None),
        case("a duty, exactly 95 percent kept", standing(at_least(100.0, None)), &[("2025-06", 95.0)], "2025-06-30", AtRisk, None, None),
        case("a duty, less than 95 percent kept", standing(at_least(100.0, None)), &[("2025-06", 94.9)], "2025-06-30", OffTrack, None, None),
        case("a duty that nobody keeps", standing(at_least(100.0, None)), &[("2025-06", 0.0)], "2025-06-30", OffTrack, None, None),
        case("a duty to stay below, 3 percent above", standing(falling(at_least(100.0, None))), &[("2025-06", 103.0)], "2025-06-30", AtRisk, None, None),
        case("a duty to stay below, far above", standing(falling(at_least(5.0, None))), &[("2025-06", 9.0)], "2025-06-30", OffTrack, None, None),
        case("a duty to have none, and there is one", standing(falling(at_least(0.0, None))), &[("2025-06", 1.0)], "2025-06-30", OffTrack, None, None),
        case("a duty to have none, and there is none", standing(falling(at_least(0.0, None))), &[("2025-06", 0.0)], "2025-06-30", Met, None, None),
        // Milestones.
        case("a document that is issued", milestone(at_least(1.0, due)), &[("2025-05", 0.0), ("2025-06", 1.0)], "2025-07-31", Met, None, None),
        case("a document that is neither issued nor due", milestone(at_least(1.0, due)), &[("2025-05", 0.0), ("2025-06", 0.0)], "2025-06-30", NotAssessable, Some(Reason::NotDueYet), None),
        case("a document that is not issued and has no date", milestone(at_least(1.0, None)), &[("2025-06", 0.0)], "2025-06-30", NotAssessable, Some(Reason::NoDueDate), None),
        case("a document that was due and is not issued", milestone(at_least(1.0, due)), &[("2025-12", 0.0), ("2026-01", 0.0)], "2026-01-31", Missed, None, None),
        case("a document issued long ago does not age", milestone(at_least(1.0, due)), &[("2025-06", 1.0)], "2026-06-30", Met, None, None),
        case("a document issued late", milestone(at_least(1.0, due)), &[("2025-12", 0.0), ("2026-02", 1.0)], "2026-02-28", MetLate, None, None),
        case("a document that is due today and not issued", milestone(at_least(1.0, due)), &[("2025-12", 0.0)], "2025-12-31", OffTrack, None, None),
        case("issued in time and recorded once, after the date", Facts { reached_on: Some(day("2025-12-20")), ..milestone(at_least(1.0, due)) }, &[("2026-02", 1.0)], "2026-02-28", Met, None, None),
        case("issued late and recorded once", Facts { reached_on: Some(day("2026-01-20")), ..milestone(at_least(1.0, due)) }, &[("2026-01", 1.0)], "2026-02-28", MetLate, None, None),
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
fn a_milestone_is_met_on_the_day_on_which_it_was_done() {
    let milestone = Facts { milestone: true, ..at_least(1.0, Some("2025-12-31")) };
    let late = Facts { reached_on: Some(day("2026-01-20")), ..milestone };
    assert_eq!(judged(late, &[("2026-01", 1.0), ("2026-02", 1.0)], "2026-02-28").met_on, Some(day("2026-01-20")));
    let ahead = Facts { reached_on: Some(day("2025-06-23")), ..milestone };
    assert_eq!(judged(ahead, &[("2025-06", 1.0)], "2025-08-05").met_on, Some(day("2025-06-23")));
}

#[test]
fn a_month_that_nobody_filed_breaks_the_run_of_months_that_hold() {
    let months = [("2025-01", 180.0), ("2025-02", 180.0), ("2025-04", 180.0), ("2025-05", 180.0)];
    let since = |facts| judged(facts, &months, "2025-05-31").met_on;
    assert_eq!(since(at_least(176.0, None)), Some(day("2025-04-30")));
    let done = Facts { cumulative: true, ..at_least(176.0, None) };
    assert_eq!(since(done), Some(day("2025-01-31")), "what is done stays done");
}

#[test]
fn a_target_without_a_date_has_no_starting_point_but_a_declared_one() {
    let months = [("2025-05", 3.0), ("2025-06", 4.0)];
    for standing in [false, true] {
        let verdict = judged(Facts { standing, ..at_least(6.0, None) }, &months, "2025-06-30");
        assert_eq!((verdict.baseline, verdict.pace), (None, None), "standing: {standing}");
    }
    let declared = judged(from(1.0, "2024-12-31", at_least(6.0, None)), &months, "2025-06-30");
    assert_eq!(declared.progress, Some(0.6));
}

/// The newest month of a series, which may be from `low` to `high`.
fn judged_between(
    facts: Facts,
    before: &[(&str, f64)],
    (month, value): (&str, f64),
    possible: (Option<f64>, Option<f64>, bool),
    on: &str,
) -> (Status, Option<Reason>) {
    let (low, high, unapproved) = possible;
    let newest = StatisticRow { possible: Some(Box::new(Possible { low, high, unapproved })), ..row(month, value) };
    let rows: Vec<_> = before.iter().map(|(month, value)| row(month, *value)).chain([newest]).collect();
    let verdict = judge(&facts, &Series::new(&rows, day(on)), day(on));
    (verdict.status, verdict.reason)
}

#[test]
fn what_is_missing_decides_where_the_worst_and_the_best_differ() {
    use Status::{AtRisk, Met, Missed, NotAssessable, OffTrack};
    let due = Some("2025-12-31");
    let share = |facts: Facts| Facts { bounds: Some((0.0, 100.0)), ..facts };
    let every = share(Facts { standing: true, ..at_least(100.0, None) });
    let most = Facts { direction: Direction::AtMost, ..at_least(10.0, None) };
    let incomplete = (NotAssessable, Some(Reason::Incomplete));
    let paced = from(0.0, "2024-12-31", at_least(200.0, due));
    let cases = [
        (
            "a count that is reached is met whatever is missing",
            at_least(176.0, due),
            180.0,
            (Some(180.0), None),
            (Met, None),
        ),
        ("a count that is not reached may be", at_least(176.0, None), 170.0, (Some(170.0), None), incomplete),
        (
            "nor can it be reached",
            Facts { standing: true, ..at_least(176.0, None) },
            100.0,
            (Some(100.0), Some(120.0)),
            (OffTrack, None),
        ),
        ("all counties is never met by 67 of 74", every, 100.0, (Some(6700.0 / 74.0), Some(100.0)), incomplete),
        ("67 of 74 with a breach", every, 98.0, (Some(95.0), Some(99.0)), (AtRisk, None)),
        ("most of it broken, whatever the rest", every, 50.0, (Some(48.0), Some(60.0)), (OffTrack, None)),
        ("a share of which nothing bounds the silent", every, 100.0, (None, None), incomplete),
        (
            "a ceiling that is broken already",
            Facts { standing: true, ..most },
            12.0,
            (Some(12.0), None),
            (OffTrack, None),
        ),
        ("a ceiling that the silent may break", Facts { standing: true, ..most }, 9.0, (Some(9.0), None), incomplete),
        ("a pace that is too slow at its best", paced, 20.0, (Some(20.0), Some(50.0)), (OffTrack, None)),
        ("a pace that may do", paced, 20.0, (Some(20.0), Some(100.0)), incomplete),
    ];
    for (name, facts, value, (low, high), expected) in cases {
        let found = judged_between(facts, &[], ("2025-06", value), (low, high, false), "2025-06-30");
        assert_eq!(found, expected, "{name}");
    }
    // The due month at its best falls short too.
    let rows = [
        StatisticRow {
            possible: Some(Box::new(Possible { low: Some(160.0), high: Some(170.0), unapproved: false })),
            ..row("2025-12", 165.0)
        },
        row("2026-01", 171.0),
    ];
    let verdict = judge(&at_least(176.0, due), &Series::new(&rows, day("2026-01-31")), day("2026-01-31"));
    assert_eq!((verdict.status, verdict.reason), (Missed, None));
}

#[test]
fn what_nobody_has_approved_is_shown_and_gives_no_verdict_of_its_own() {
    use Status::{Met, NotAssessable};
    let every = Facts { standing: true, bounds: Some((0.0, 100.0)), ..at_least(100.0, None) };
    let filed = |possible| judged_between(every, &[("2025-05", 100.0)], ("2025-06", 100.0), possible, "2025-06-30");
    assert_eq!(filed((None, None, true)), (NotAssessable, Some(Reason::NotApproved)));
    assert_eq!(filed((Some(97.0), Some(100.0), true)), (NotAssessable, Some(Reason::NotApproved)));
    // What is approved is enough already.
    let count = judged_between(at_least(20.0, None), &[], ("2025-06", 25.0), (Some(21.0), None, true), "2025-06-30");
    assert_eq!(count, (Met, None));
    // A document that somebody filed as issued.
    let issued = Facts { milestone: true, reached_on: Some(day("2025-06-20")), ..at_least(1.0, Some("2025-12-31")) };
    let found = judged_between(issued, &[], ("2025-06", 1.0), (Some(0.0), Some(1.0), true), "2025-06-30");
    assert_eq!(found, (NotAssessable, Some(Reason::NotApproved)));
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
        due_basis: Some(DueBasis::Stated),
        scope: vec![],
        source: SourceKind::Register,
        dataset: "community.service_points".into(),
        cumulative: false,
        standing: false,
        window: None,
        every_area: false,
        area_targets: std::collections::BTreeMap::new(),
        lowest_level: Level::County,
        bounds: None,
        person_based: false,
        clause: None,
        promise: Bilingual::default(),
        measure: Bilingual::default(),
        waits_for: None,
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
    assessed_on(commitment, rows, &[], "2025-06-30")
}

fn assessed_on(
    commitment: &Commitment,
    rows: &[StatisticRow],
    completeness: &[CompletenessRow],
    on: &str,
) -> AttainmentDocument {
    assess(&Input {
        on: day(on),
        as_of: DateTime::from_timestamp(1_751_328_000, 0).expect("an instant"),
        catalogue: "test",
        commitments: std::slice::from_ref(commitment),
        areas: &areas(),
        rows,
        completeness,
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

/// Eighteen months up to June 2025 in the region and in a prefecture.
fn a_year_and_a_half() -> Vec<StatisticRow> {
    let months = (0..18_u32).map(|step| (format!("{}-{:02}", 2024 + step / 12, step % 12 + 1), f64::from(step) + 50.0));
    let of = |(month, value): (String, f64)| {
        ["540000", "540100"].map(|area| StatisticRow { area: area.into(), ..row(&month, value) })
    };
    months.flat_map(of).collect()
}

#[test]
fn without_a_date_the_region_is_forecast_a_year_ahead_or_as_far_as_was_tried() {
    let rows = a_year_and_a_half();
    for standing in [false, true] {
        let open = Commitment { due: None, due_basis: None, every_area: true, standing, ..commitment("c") };
        let entries = assessed(&open, &rows).commitments;
        let region = entries[0].forecast.expect("a forecast of the region");
        assert_eq!((region.on, region.months_ahead, region.months_tested), (day("2026-03-31"), 9, 9));
        assert!(region.probability.is_some() && region.back_test.is_some(), "{region:?}");
        assert_eq!(entries[0].projected_progress, None, "nothing is due on any day");
        assert_eq!((entries[1].area.as_str(), entries[1].forecast), ("540100", None));
    }
}

#[test]
fn further_ahead_than_was_tried_nothing_is_projected() {
    let rows = a_year_and_a_half();
    let near = Commitment { every_area: true, ..commitment("c") };
    let far = Commitment { due: Some(day("2030-12-31")), ..near.clone() };
    let (near, far) = (assessed(&near, &rows).commitments, assessed(&far, &rows).commitments);
    for at in [0, 1] {
        assert!(near[at].forecast.and_then(|forecast| forecast.probability).is_some(), "{}", near[at].area);
        assert!(near[at].projected_progress.is_some(), "{}", near[at].area);
        let forecast = far[at].forecast.expect("a pace");
        assert_eq!((forecast.value, forecast.probability, far[at].projected_progress), (None, None, None));
        assert!((forecast.pace_per_month - 1.0).abs() < 1e-6, "{forecast:?}");
    }
}

#[test]
fn a_green_over_seven_reds_says_so() {
    let divided = Commitment {
        area_targets: [("540100".to_owned(), 200.0), ("540400".to_owned(), 200.0)].into(),
        target: Some(200.0),
        ..commitment("c")
    };
    let rows: Vec<_> = [("540000", 207.0), ("540100", 150.0), ("540400", 10.0)]
        .map(|(area, value)| StatisticRow { area: area.into(), ..row("2026-01", value) })
        .into();
    let on_due = |row: &StatisticRow| StatisticRow { month: day("2025-12-01"), ..row.clone() };
    let rows: Vec<_> = rows.iter().map(on_due).chain(rows.iter().cloned()).collect();
    let entries = assessed_on(&divided, &rows, &[], "2026-01-31").commitments;
    let parts = Parts { level: Level::Prefecture, met: 0, on_track: 0, behind: 0, missed: 2, unknown: 0 };
    assert_eq!((entries[0].status, entries[0].parts), (Status::Met, Some(parts)));
    assert!(entries[0].needs_attention());
    assert_eq!(entries[1].parts, None, "no county of it is bound");
}

#[test]
fn parts_are_the_nearest_areas_below_that_are_bound_and_unknown_ones_are_among_them() {
    let share = Commitment { kind: Kind::Rate, every_area: true, target: Some(85.0), ..commitment("c") };
    let rows: Vec<_> = [("540000", 90.0), ("540100", 86.0), ("540102", 40.0)]
        .map(|(area, value)| StatisticRow { area: area.into(), ..row("2025-12", value) })
        .into();
    let entries = assessed_on(&share, &rows, &[], "2026-01-31").commitments;
    let of = |entry: &AttainmentEntry| entry.parts.map(|parts| (parts.level, parts.met, parts.missed, parts.unknown));
    assert_eq!(of(&entries[0]), Some((Level::Prefecture, 1, 0, 1)), "of Nyingchi nobody knows");
    assert_eq!(of(&entries[1]), Some((Level::County, 0, 1, 0)));
    assert_eq!((entries[0].needs_attention(), entries[1].needs_attention()), (false, true));
    let trend = Commitment { target: None, ..commitment("c") };
    assert_eq!(assessed_on(&trend, &rows, &[], "2026-01-31").commitments[0].parts, None);
}

#[test]
fn a_month_that_too_few_have_reported_speaks_where_it_is_enough_already() {
    let of = |value: f64| {
        let possible = Some(Box::new(Possible { low: Some(value), high: None, unapproved: false }));
        let reported = CompletenessRow {
            commitment: "c".into(),
            area: "540000".into(),
            completeness: Completeness { areas_reported: 30, areas_expected: 74, oldest: None },
            known_on: None,
            last_record: None,
            partial: Some(Box::new(StatisticRow { possible, ..row("2025-06", value) })),
            reached_on: None,
        };
        let entry = assessed_on(&commitment("c"), &[row("2025-05", 100.0)], &[reported], "2025-06-30").commitments;
        (entry[0].status, entry[0].value)
    };
    assert_eq!(of(176.0), (Status::Met, Some(176.0)));
    assert_eq!(of(175.0).1, Some(100.0), "the month before speaks");
}
