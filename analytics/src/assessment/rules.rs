//! The verdict on one commitment in one area.
//!
//! Pure: a target, the months that are known, the day. The cases in the order in which they are decided:
//!
//! 1. not in force yet, no data, a share without denominator, too few areas that reported, or data too old: *not
//!    assessable*, with the reason. Data are too old when the newest month is, when the department was last read too long
//!    ago, or when nothing was recorded in the register for more than a year; what is done and stays done does not age;
//! 2. no number for this area: *trend only*;
//! 3. the due date has passed: *met* if the target held on it and holds now; held on it and lost since: *off track*;
//!    not held on it: *met late* if it holds now, else *missed*. Only the value of the due month itself speaks for the
//!    due date (and an earlier one of things done, if they were enough then). Where there is none, what holds now is
//!    *not assessable* (nobody can say since when), and so is what was last known before the date; what is known
//!    after it and does not hold is *missed*, with the reason beside it. A milestone says itself on which day it was
//!    done, so one that is recorded once is met or met late from that day;
//! 4. the target holds: *met*;
//! 5. a milestone of one step that is neither done nor due is *not assessable*: there is no way to be half there. A
//!    milestone of several parts (two hospitals), or with stages between 0 and its target, has a pace like a count;
//! 6. no due date: a **standing duty** (every claim paid in time) is due every day, so no pace fits it: at risk from 95
//!    percent of its target, off track below, never on track. Any other target without a date is a goal that has no
//!    pace: *not assessable*, [`Reason::NoDueDate`]. Neither has a starting point but a declared one;
//! 7. otherwise P against its cuts, the time counted up to the day the value is true for; on the due date itself what
//!    does not hold is at risk at best. A baseline that is the target itself, or lies beyond it and was lost, never
//!    divides.
//!
//! Where something did not report or was not approved, all of it is decided twice, for the worst and for the best that
//! the figures may be ([`crate::model::Possible`]). Where both give one status, that is the verdict; where they differ,
//! what is missing decides, and it is *not assessable*.

use chrono::NaiveDate;

use super::pace;
use super::series::{Observation, Series, month_end, months_between};
use crate::model::{Baseline, Direction, Reason, Status};

/// What the rules have to know of a commitment in an area.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each of its own")]
pub struct Facts {
    /// The target that binds the area; none for a trend.
    pub target: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// Declared starting point.
    pub baseline: Option<Baseline>,
    /// First day in force.
    pub start: Option<NaiveDate>,
    /// Last day on which the target must hold.
    pub due: Option<NaiveDate>,
    /// A target without a date that has to hold every day.
    pub standing: bool,
    /// Done or not done, in whole parts.
    pub milestone: bool,
    /// The figure can only grow.
    pub cumulative: bool,
    /// Lowest and highest possible value.
    pub bounds: Option<(f64, f64)>,
    /// Months after which a figure no longer speaks for the day.
    pub max_age_months: i32,
    /// Months without any record after which a register no longer speaks for the day.
    pub max_silence_months: i32,
    /// The last day that the department's records speak for, where it is before the day of the figure.
    pub known_on: Option<NaiveDate>,
    /// The day on which the newest record of the register was recorded; none for what is filed.
    pub last_record: Option<NaiveDate>,
    /// A later month than the newest figure was reported by too few areas to be added up.
    pub partial: bool,
    /// The day on which the last step was done that a milestone's target asks for.
    pub reached_on: Option<NaiveDate>,
}

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The status.
    pub status: Status,
    /// Why there is no verdict, or what to know beside it.
    pub reason: Option<Reason>,
    /// Progress over elapsed time, P.
    pub pace: Option<f64>,
    /// (v - b) / (T - b); of a standing duty the share of it that is kept.
    pub progress: Option<f64>,
    /// Actual over required compound annual growth.
    pub growth_ratio: Option<f64>,
    /// The starting point P was computed from.
    pub baseline: Option<Baseline>,
    /// Since when the target holds without a break.
    pub met_on: Option<NaiveDate>,
}

impl Verdict {
    fn of(status: Status, reason: Option<Reason>) -> Self {
        Self { status, reason, pace: None, progress: None, growth_ratio: None, baseline: None, met_on: None }
    }

    fn silent(reason: Reason) -> Self {
        Self::of(Status::NotAssessable, Some(reason))
    }
}

/// Judges the series on the day.
pub fn judge(facts: &Facts, series: &Series<'_>, on: NaiveDate) -> Verdict {
    if facts.start.is_some_and(|start| start > on) {
        return Verdict::silent(Reason::NotStarted);
    }
    if let Some(fault) = series.denominator_fault() {
        return Verdict::silent(fault);
    }
    let observations = series.observations();
    let told = judge_as(facts, observations, on);
    let Some(possible) = series.newest_possible() else {
        return told;
    };
    let [worst, best] = series.worst_and_best(facts.direction, facts.bounds);
    let worst = judge_as(facts, &worst, on);
    let best = judge_as(facts, &best, on);
    if worst.status == best.status {
        return Verdict { status: worst.status, reason: worst.reason.or(best.reason), met_on: worst.met_on, ..told };
    }
    let reason = if possible.unapproved { Reason::NotApproved } else { Reason::Incomplete };
    Verdict { status: Status::NotAssessable, reason: Some(reason), pace: None, met_on: None, ..told }
}

fn judge_as(facts: &Facts, observations: &[Observation], on: NaiveDate) -> Verdict {
    let without = |reason| Verdict::silent(if facts.partial { Reason::Incomplete } else { reason });
    let Some(&newest) = observations.last() else {
        return without(Reason::NoData);
    };
    if is_too_old(facts, newest, on) {
        return without(Reason::SourceTooOld);
    }
    let Some(target) = facts.target else {
        return Verdict::of(Status::TrendOnly, None);
    };
    let measured = measure(facts, observations, newest, target);
    match facts.due {
        Some(due) if on > due => after_due(facts, observations, newest, target, due, measured),
        _ if pace::holds(newest.value, target, facts.direction) => {
            Verdict { status: Status::Met, reason: None, met_on: held_since(facts, observations, target), ..measured }
        }
        None if facts.standing => broken_duty(facts, newest, target, measured),
        due => before_due(facts, newest, target, due, on, measured),
    }
}

/// Things that are done stay done, so what was once reported of them does not age.
fn stays(facts: &Facts) -> bool {
    facts.milestone || facts.cumulative
}

fn is_too_old(facts: &Facts, newest: Observation, on: NaiveDate) -> bool {
    let done = stays(facts) && facts.target.is_some_and(|target| pace::holds(newest.value, target, facts.direction));
    let known_on = facts.known_on.map_or(newest.on, |known| known.min(newest.on));
    let silent = facts.last_record.is_some_and(|last| months_between(last, on) > facts.max_silence_months);
    !done && (silent || months_between(known_on, on) > facts.max_age_months)
}

/// The month whose value speaks for the due date: its own where it ends the month, else the one that ended before.
fn speaks_for_due(then: NaiveDate, due: NaiveDate) -> bool {
    months_between(then, due) == i32::from(due < month_end(due))
}

/// The first day of the unbroken run of months that hold, up to the newest. A month that nobody filed breaks it, unless
/// what is done stays done.
fn held_since(facts: &Facts, observations: &[Observation], target: f64) -> Option<NaiveDate> {
    if facts.reached_on.is_some() {
        return facts.reached_on;
    }
    let mut since: Option<NaiveDate> = None;
    for observation in observations.iter().rev() {
        let next_to = since.is_none_or(|since| stays(facts) || months_between(observation.on, since) <= 1);
        if !next_to || !pace::holds(observation.value, target, facts.direction) {
            break;
        }
        since = Some(observation.on);
    }
    since
}

fn after_due(
    facts: &Facts,
    observations: &[Observation],
    newest: Observation,
    target: f64,
    due: NaiveDate,
    measured: Verdict,
) -> Verdict {
    let holds_now = pace::holds(newest.value, target, facts.direction);
    let held_on_due = observations
        .iter()
        .rfind(|observation| observation.on <= due)
        .map(|then| (then, pace::holds(then.value, target, facts.direction)))
        .filter(|(then, held)| speaks_for_due(then.on, due) || (*held && stays(facts)))
        .map(|(_, held)| held);
    let held_on_due = facts.reached_on.filter(|_| holds_now).map(|reached| reached <= due).or(held_on_due);
    let (status, reason) = match (held_on_due, holds_now) {
        (None, false) if newest.on <= due => (Status::NotAssessable, Some(Reason::NoDataOnDueDate)),
        (Some(true), true) => (Status::Met, None),
        (Some(true), false) => (Status::OffTrack, Some(Reason::LostAfterDue)),
        (Some(false), true) => (Status::MetLate, None),
        (Some(false), false) => (Status::Missed, None),
        (None, true) => (Status::NotAssessable, Some(Reason::NoDataOnDueDate)),
        (None, false) => (Status::Missed, Some(Reason::NoDataOnDueDate)),
    };
    let met_on = if holds_now { held_since(facts, observations, target) } else { None };
    Verdict { status, reason, met_on, ..measured }
}

/// A duty that is not kept on the day: at risk from 95 percent of its target, off track below.
fn broken_duty(facts: &Facts, newest: Observation, target: f64, measured: Verdict) -> Verdict {
    let kept = match facts.direction {
        Direction::AtLeast | Direction::Rising => newest.value / target,
        Direction::AtMost | Direction::Falling => target / newest.value,
    };
    let status = if pace::at_least(kept, pace::ON_TRACK) { Status::AtRisk } else { Status::OffTrack };
    Verdict { status, reason: None, progress: Some(kept), pace: None, ..measured }
}

fn before_due(
    facts: &Facts,
    newest: Observation,
    target: f64,
    due: Option<NaiveDate>,
    on: NaiveDate,
    measured: Verdict,
) -> Verdict {
    let silent = |reason| Verdict { status: Status::NotAssessable, reason: Some(reason), pace: None, ..measured };
    let Some(due) = due else {
        return silent(Reason::NoDueDate);
    };
    let one_step = pace::at_least(1.0, target.abs()) && pace::same(newest.value, 0.0);
    if facts.milestone && one_step {
        let due_today = Verdict { status: Status::OffTrack, reason: None, ..measured };
        return if on < due { silent(Reason::NotDueYet) } else { due_today };
    }
    let Some(baseline) = measured.baseline else {
        return silent(Reason::NoBaseline);
    };
    if pace::same(baseline.value, target) {
        return silent(Reason::BaselineEqualsTarget);
    }
    if pace::holds(baseline.value, target, facts.direction) {
        return Verdict {
            status: Status::OffTrack,
            reason: Some(Reason::LostSinceBaseline),
            pace: None,
            progress: None,
            ..measured
        };
    }
    let Some(pace) = measured.pace else {
        return silent(Reason::OnePoint);
    };
    let status = if pace::at_least(pace, pace::ON_TRACK) && on < due {
        Status::OnTrack
    } else if pace::at_least(pace, pace::AT_RISK) {
        Status::AtRisk
    } else {
        Status::OffTrack
    };
    Verdict { status, reason: None, ..measured }
}

/// Computes what can be computed, whatever the verdict will be.
fn measure(facts: &Facts, observations: &[Observation], newest: Observation, target: f64) -> Verdict {
    let value = pace::clip(newest.value, facts.bounds);
    let baseline = starting_point(facts, observations);
    let mut measured = Verdict { baseline, ..Verdict::of(Status::NotAssessable, None) };
    let Some(baseline) = baseline else {
        return measured;
    };
    let beyond = pace::holds(baseline.value, target, facts.direction);
    measured.progress = if beyond { None } else { pace::progress(value, baseline.value, target) };
    let time = facts.due.and_then(|due| pace::elapsed(baseline.on, newest.on, due));
    measured.pace = measured.progress.zip(time).map(|(progress, time)| progress / time);
    measured.growth_ratio =
        facts.due.and_then(|due| pace::growth_ratio(baseline, value, newest.on, target, due)).filter(|_| !beyond);
    measured
}

/// The declared starting point, else the first month with data where there is a date to pace against.
fn starting_point(facts: &Facts, observations: &[Observation]) -> Option<Baseline> {
    let first = observations.first()?;
    let of_data = facts.due.map(|_| Baseline { value: first.value, on: first.on });
    facts.baseline.or(of_data)
}
