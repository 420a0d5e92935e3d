//! A record is a sequence of states: each holds from a day until the next one, or until the record's end. Pure.
//!
//! States lie side by side, in the order of their days, without a hole. A record that ended has a last state that is
//! marked ended and repeats what the one before it said, so that whoever counts what has ended finds it; one that was
//! resumed has such a state for the gap. All operations on a record's days are here, and nowhere else.

use minsheng_proto::common::v1::RecordState;

use super::{Head, Table};
use crate::error::{Error, Violations};

/// The day until which a state holds that is open: after every day of the calendar.
pub const FOREVER: i64 = i64::MAX;

/// Days from one on, up to another that no longer belongs to them; days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: i64,
    /// First day after it; [`FOREVER`] while it is open.
    pub until: i64,
}

impl Period {
    /// Returns the days from the first to the last, both included; open where there is no last.
    pub fn of_days(first: i64, last: Option<i64>) -> Self {
        Self { from: first, until: last.map_or(FOREVER, |last| last.saturating_add(1)) }
    }

    /// Reports whether a day lies in it.
    pub fn contains(self, day: i64) -> bool {
        self.from <= day && day < self.until
    }

    /// Reports whether both have a day in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.from.max(other.from) < self.until.min(other.until)
    }

    /// Returns the days that both have; none where there is no such day.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let common = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        (common.from < common.until).then_some(common)
    }

    /// Returns the last day; none while it is open.
    pub fn last_day(self) -> Option<i64> {
        (self.until != FOREVER).then(|| self.until - 1)
    }
}

/// State of what is in force, as stored.
pub const ACTIVE: i64 = RecordState::Active as i64;
/// State of what has ended, as stored.
pub const ENDED: i64 = RecordState::Ended as i64;
/// State of what was withdrawn, as stored.
pub const WITHDRAWN: i64 = RecordState::Withdrawn as i64;

impl Head {
    /// Returns the days of the state.
    pub fn period(&self) -> Period {
        Period { from: self.effective_on, until: self.effective_until }
    }

    /// Reports whether the record is in force on the days of this state.
    pub fn is_active(&self) -> bool {
        self.state == ACTIVE
    }

    /// Reports whether the record has ended on the days of this state.
    pub fn is_ended(&self) -> bool {
        self.state == ENDED
    }

    /// Reports whether an earlier version wrote this, and it is being carried over: its rules were checked then.
    pub fn is_carried_over(&self) -> bool {
        self.assertion < 0
    }

    /// Reports whether the record was withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.state == WITHDRAWN
    }
}

/// Returns the state of a day, in force or ended.
pub fn state_on<R: Table>(states: &[R], day: i64) -> Option<&R> {
    index_on(states, day).map(|index| &states[index])
}

fn index_on<R: Table>(states: &[R], day: i64) -> Option<usize> {
    states.iter().position(|state| state.head().period().contains(day))
}

/// Returns the place of today's state, else of the next one, else of the last.
pub(super) fn present<R: Table>(states: &[R], today: i64) -> usize {
    let next = states.iter().position(|state| state.head().effective_until > today);
    next.unwrap_or(states.len().saturating_sub(1))
}

/// Returns the day from which on the record is no longer true, as far as the state at this place knows: its own first
/// day where it is marked ended, the next one's where that is.
pub(super) fn ended_on<R: Table>(states: &[R], index: usize) -> Option<i64> {
    let ended = |index: usize| states.get(index).map(Table::head).filter(Head::is_ended).map(|head| head.effective_on);
    ended(index).or_else(|| ended(index + 1))
}

/// Divides the state that holds on a day, so that one begins on the day; both say the same.
pub fn cut<R: Table>(states: &mut Vec<R>, day: i64) {
    let Some(index) = index_on(states, day) else { return };
    if states[index].head().effective_on == day {
        return;
    }
    let mut later = states[index].clone();
    let head = later.head();
    later.set_head(Head { effective_on: day, ..head });
    until(&mut states[index], day);
    states.insert(index + 1, later);
}

fn until<R: Table>(state: &mut R, day: i64) {
    let head = state.head();
    state.set_head(Head { effective_until: day, ..head });
}

/// What an update changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The days from one on, until the next state's; `resume` where the record had ended.
    From { day: i64, resume: bool },
    /// The state of a day.
    On(i64),
    /// Today's state, else the next one, else the last.
    Present(i64),
    /// Every state.
    All,
}

/// The content that takes a state's place: its head says on which days.
///
/// `begins_earlier` is set by who makes it: the first day that the new content itself names, where that lies before the
/// state's and the old content named no day before it.
pub(super) struct Revised<R> {
    pub(super) state: R,
    pub(super) begins_earlier: Option<i64>,
}

/// Changes or corrects states; `revise` makes the new one out of an old one and the head that it will have.
///
/// Returns the place of the state that was changed, the first one where there are several.
pub(super) fn update<R: Table>(
    states: &mut Vec<R>,
    scope: Scope,
    mut revise: impl FnMut(&R, Head) -> Result<Revised<R>, Error>,
) -> Result<usize, Error> {
    let place = match scope {
        Scope::From { day, resume } => change(states, day, resume, &mut revise)?,
        Scope::On(day) => {
            let index = index_on(states, day).ok_or_else(|| refused("correct_on", &NOT_THERE))?;
            correct(states, index, &mut revise)?
        }
        Scope::Present(today) => {
            let index = present(states, today);
            correct(states, index, &mut revise)?
        }
        Scope::All => {
            let mut index = 0;
            while index < states.len() {
                if index == 0 || states[index].head().is_active() {
                    index = correct(states, index, &mut revise)?;
                }
                index += 1;
            }
            0
        }
    };
    repeat_in_ended(states);
    Ok(place)
}

fn change<R: Table>(
    states: &mut Vec<R>,
    day: i64,
    resume: bool,
    revise: &mut impl FnMut(&R, Head) -> Result<Revised<R>, Error>,
) -> Result<usize, Error> {
    let first = states[0].head();
    if day < first.effective_on {
        if resume {
            return Err(refused("resume", &NOT_ENDED));
        }
        let head = Head { effective_on: day, effective_until: first.effective_on, state: ACTIVE, ..first };
        let state = revise(&states[0], head)?.state;
        states.insert(0, state);
        return Ok(0);
    }
    let index = index_on(states, day).ok_or_else(|| refused("effective_on", &NOT_THERE))?;
    let was = states[index].head();
    match (was.is_ended(), resume) {
        (true, false) => return Err(refused("effective_on", &RECORD_ENDED)),
        (false, true) => return Err(refused("resume", &NOT_ENDED)),
        _ => {}
    }
    let state = revise(&states[index], Head { effective_on: day, state: ACTIVE, ..was.clone() })?.state;
    if was.effective_on == day {
        states[index] = state;
        return Ok(index);
    }
    until(&mut states[index], day);
    states.insert(index + 1, state);
    Ok(index + 1)
}

/// Corrects a state; where the new content begins later than it, it is a change from that day on.
fn correct<R: Table>(
    states: &mut Vec<R>,
    index: usize,
    revise: &mut impl FnMut(&R, Head) -> Result<Revised<R>, Error>,
) -> Result<usize, Error> {
    // What an ended state says is the content before it.
    let index = if states[index].head().is_ended() { index.saturating_sub(1) } else { index };
    let was = states[index].head();
    let Revised { mut state, begins_earlier } = revise(&states[index], was.clone())?;
    let begins = state.head().effective_on;
    if begins_earlier.is_none() && begins > was.effective_on {
        if begins >= was.effective_until {
            return Err(refused("effective_on", &AFTER_STATE));
        }
        until(&mut states[index], begins);
        states.insert(index + 1, state);
        return Ok(index + 1);
    }
    if let Some(day) = begins_earlier {
        if let Some(before) = index.checked_sub(1) {
            if day <= states[before].head().effective_on {
                return Err(refused("effective_on", &BEFORE_FORMER));
            }
            until(&mut states[before], day);
        }
        let head = state.head();
        state.set_head(Head { effective_on: day, ..head });
    }
    states[index] = state;
    Ok(index)
}

/// Ends a record on a day, or moves its end there; states that begin later go.
pub(super) fn end<R: Table>(states: &mut Vec<R>, day: i64) -> Result<(), Error> {
    if day < states[0].head().effective_on {
        return Err(Error::Invalid(violation("ended_on", &BEFORE_EFFECTIVE)));
    }
    let in_gap =
        index_on(states, day - 1).is_some_and(|index| states[index].head().is_ended() && index + 1 < states.len());
    if in_gap {
        return Err(refused("ended_on", &RECORD_ENDED));
    }
    if states.last().is_some_and(|last| last.head().is_ended()) {
        lift(states)?;
    }
    let mut end = states[0].clone();
    states.retain(|state| state.head().effective_on < day);
    if let Some(last) = states.last_mut() {
        until(last, day);
        end = last.clone();
    }
    let head = end.head();
    end.set_head(Head { effective_on: day, effective_until: FOREVER, state: ENDED, ..head });
    states.push(end);
    Ok(())
}

/// Lifts the end of a record: what it said last goes on.
pub(super) fn lift<R: Table>(states: &mut Vec<R>) -> Result<(), Error> {
    if !states.last().is_some_and(|last| last.head().is_ended()) {
        return Err(refused("kind", &NOT_ENDED));
    }
    while states.len() > 1 && states.last().is_some_and(|last| last.head().is_ended()) {
        states.pop();
    }
    if let Some(last) = states.last_mut() {
        let head = last.head();
        last.set_head(Head { effective_until: FOREVER, state: ACTIVE, ..head });
    }
    Ok(())
}

/// Takes back the change that begins on a day: what stood before it goes on.
pub(super) fn take_back<R: Table>(states: &mut Vec<R>, day: i64) -> Result<(), Error> {
    let begins = |state: &R| state.head().effective_on == day && state.head().is_active();
    let Some(index) = states.iter().position(begins).filter(|index| *index > 0) else {
        return Err(refused("effective_on", &NO_SUCH_CHANGE));
    };
    let taken = states.remove(index).head();
    until(&mut states[index - 1], taken.effective_until);
    // A gap whose resumption is taken back goes on into the end that followed it.
    if index < states.len() && states[index - 1].head().is_ended() && states[index].head().is_ended() {
        let goes_on = states.remove(index).head().effective_until;
        until(&mut states[index - 1], goes_on);
    }
    repeat_in_ended(states);
    Ok(())
}

/// Marks every state withdrawn: the record counts for no day.
pub(super) fn withdraw<R: Table>(states: &mut [R]) {
    for state in states {
        let head = state.head();
        state.set_head(Head { state: WITHDRAWN, ..head });
    }
}

/// Lets ended states say what the state before them says.
pub(super) fn repeat_in_ended<R: Table>(states: &mut [R]) {
    for index in 1..states.len() {
        let head = states[index].head();
        if head.is_ended() {
            let mut repeated = states[index - 1].clone();
            repeated.set_head(head);
            states[index] = repeated;
        }
    }
}

/// Reports whether two states have the same content, whatever their days and heads.
pub fn same_content<R: Table>(one: &R, other: &R) -> bool {
    let mut candidate = one.clone();
    candidate.set_head(other.head());
    candidate.set_told(other.told().to_vec());
    candidate == *other
}

/// A rule that an operation broke: reason, in English, in Chinese.
type Rule = (&'static str, &'static str, &'static str);

const NOT_THERE: Rule = ("NO_STATE_ON_DAY", "is a day before the record begins", "早于记录的首日");
const NOT_ENDED: Rule = ("NOT_ENDED", "the record has not ended", "记录尚未终止");
const RECORD_ENDED: Rule = (
    "RECORD_ENDED",
    "is not before the day on which the record ended; lift or move its end, or resume it",
    "不早于记录的终止日期，请先撤销或推迟终止，或恢复该记录",
);
const BEFORE_EFFECTIVE: Rule = ("BEFORE_EFFECTIVE", "lies before the day on which the record begins", "早于记录的首日");
const BEFORE_FORMER: Rule = (
    "BEFORE_FORMER_CONTENT",
    "lies on or before the first day of a former content; correct or take back that one first",
    "早于或等于此前内容的首日；请先更正或撤回此前内容",
);
const AFTER_STATE: Rule = (
    "AFTER_THE_STATE",
    "lies behind the last day of the state that is corrected; name the state of that day, or change the record from it on",
    "晚于所更正内容的末日；请更正该日的内容，或自该日起变更",
);
const NO_SUCH_CHANGE: Rule =
    ("NO_SUCH_CHANGE", "is not the first day of a change of this record", "不是该记录任何变更的首日");

fn violation(field: &str, rule: &Rule) -> Violations {
    let (reason, description, description_zh) = *rule;
    let mut violations = Violations::new();
    violations.add(field, reason, description, description_zh);
    violations
}

fn refused(field: &str, rule: &Rule) -> Error {
    Error::State(violation(field, rule))
}

#[cfg(test)]
#[path = "states/tests.rs"]
mod tests;
