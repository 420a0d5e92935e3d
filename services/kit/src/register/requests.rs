//! What the six methods ask of a record's days, in the kit's words.

use minsheng_proto::common::v1 as pb;

use super::{
    Table, dates,
    states::{self, Scope},
};
use crate::error::{Error, Violations};

/// Asks for the records of an area.
#[derive(Clone, Debug, Default)]
pub struct ListRequest<'a> {
    /// Division, six digits.
    pub area: &'a str,
    /// At most so many; 0 for the usual number.
    pub page_size: i32,
    /// Where the page before ended.
    pub page_token: &'a str,
    /// The day whose states are wanted.
    pub on: Option<pb::Date>,
    /// Leaves out what is withdrawn or does not hold on the day.
    pub in_force_only: bool,
}

/// Which states an update changes, and how much of them.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// Version that the caller saw.
    pub etag: String,
    /// Fields that change; absent for all.
    pub update_mask: Option<prost_types::FieldMask>,
    /// Day from which the new content is true.
    pub effective_on: Option<pb::Date>,
    /// Day whose state is corrected instead.
    pub correct_on: Option<pb::Date>,
    /// Every state is corrected instead.
    pub correct_all: bool,
    /// The record had ended and is true again from `effective_on` on.
    pub resume: bool,
}

impl Update {
    /// Reads which states are meant; `today` decides where nothing is said.
    pub(super) fn scope(&self, today: i64) -> Result<Scope, Violations> {
        let mut violations = Violations::new();
        let from = dates::optional_day("effective_on", self.effective_on.as_ref(), &mut violations);
        let on = dates::optional_day("correct_on", self.correct_on.as_ref(), &mut violations);
        let named = [from.is_some(), on.is_some(), self.correct_all];
        violations.require(
            named.into_iter().filter(|named| *named).count() <= 1,
            "effective_on",
            "ONE_OF_THREE",
            "goes neither with correct_on nor with correct_all: a change begins on a day, a correction has none",
            "不能与 correct_on 或 correct_all 同时给出：变更有起始日期，更正没有",
        );
        violations.require(
            !self.resume || from.is_some(),
            "resume",
            "NEEDS_A_DAY",
            "needs the day from which the record is true again, effective_on",
            "恢复记录须给出起始日期 effective_on",
        );
        let scope = match (from, on) {
            (Some(day), _) => Scope::From { day, resume: self.resume },
            (None, Some(day)) => Scope::On(day),
            (None, None) if self.correct_all => Scope::All,
            (None, None) => Scope::Present(today),
        };
        violations.into_result(scope)
    }
}

/// What becomes of a record's days.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Version that the caller saw.
    pub etag: String,
    /// Number of the contract's `EndKind`.
    pub kind: i32,
    /// First day on which the record is no longer true.
    pub ended_on: Option<pb::Date>,
    /// First day of the change that is taken back.
    pub effective_on: Option<pb::Date>,
}

impl End {
    /// Does it with a record's states.
    pub(super) fn carry_out<R: Table>(&self, states: &mut Vec<R>) -> Result<(), Error> {
        let day = |field, date: Option<&pb::Date>| {
            let mut violations = Violations::new();
            let day = dates::required_day(field, date, &mut violations);
            violations.into_result(day)
        };
        match pb::EndKind::try_from(self.kind).unwrap_or_default() {
            pb::EndKind::Ended => states::end(states, day("ended_on", self.ended_on.as_ref())?),
            pb::EndKind::Withdrawn => {
                states::withdraw(states);
                Ok(())
            }
            pb::EndKind::Lifted => states::lift(states),
            pb::EndKind::TakenBack => states::take_back(states, day("effective_on", self.effective_on.as_ref())?),
            pb::EndKind::Unspecified => Err(Error::invalid("kind", "REQUIRED", "is required", "必填")),
        }
    }
}
