//! The oracle: a record as a list of days, each with the content that holds on it, changed day by day.
//!
//! Nothing here knows states, versions of rows or journals. A content has a number, so that two changes that say the
//! same stay two; a day on which the record has ended carries the number of what it said last.

use std::collections::BTreeMap;

use prost_reflect::Value;
use tonic::Code;

/// What the fields that vary say.
pub(super) type Content = BTreeMap<&'static str, Value>;

/// A day of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// Before the record begins.
    Nothing,
    /// The content with this number holds.
    Holds(usize),
    /// The record has ended; this content held last.
    Ended(usize),
}

/// Which days an update means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    From { day: usize, resume: bool },
    On(usize),
    Present,
    All,
}

/// What is done to a record; days are counted from the first of the window.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Records it, or records it again after it was withdrawn.
    Create {
        from: usize,
        content: Content,
    },
    /// Changes or corrects some fields, or all where `whole` is set.
    Update {
        scope: Scope,
        fields: Content,
        whole: bool,
    },
    End {
        day: usize,
    },
    Lift,
    TakeBack {
        day: usize,
    },
    Withdraw,
}

/// What the record's list of days says of one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen<'a> {
    pub(super) ended: bool,
    pub(super) content: &'a Content,
    /// First day of the content, first day after it, and the day of the end, as far as the next change knows it.
    pub(super) from: usize,
    pub(super) until: Option<usize>,
    pub(super) ended_on: Option<usize>,
}

/// A record.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    days: Vec<Day>,
    contents: Vec<Content>,
    pub(super) version: u32,
    pub(super) withdrawn: bool,
    /// How often it was recorded.
    pub(super) generation: u32,
}

impl Timeline {
    /// Returns a record that is not there, over so many days; the last of them stands for all later ones.
    pub(super) fn new(days: usize) -> Self {
        Self { days: vec![Day::Nothing; days], contents: Vec::new(), version: 0, withdrawn: false, generation: 0 }
    }

    /// Returns a day, the last one for those behind the window.
    pub(super) fn day(&self, day: usize) -> Day {
        if self.withdrawn { Day::Nothing } else { self.days[day.min(self.days.len() - 1)] }
    }

    pub(super) fn is_there(&self) -> bool {
        self.version > 0
    }

    pub(super) fn holds_on(&self, day: usize) -> bool {
        matches!(self.day(day), Day::Holds(_))
    }

    pub(super) fn has_ended_on(&self, day: usize) -> bool {
        matches!(self.day(day), Day::Ended(_))
    }

    /// Reports whether it holds on a day or on any later one.
    pub(super) fn holds_from(&self, day: usize) -> bool {
        (day..self.days.len()).any(|day| self.holds_on(day))
    }

    /// Returns what is said of a day.
    pub(super) fn seen(&self, day: usize) -> Option<Seen<'_>> {
        let day = day.min(self.days.len() - 1);
        let run = |day: usize| (self.begin_of(day), self.end_of(day));
        match self.day(day) {
            Day::Nothing => None,
            Day::Holds(content) => {
                let (from, until) = run(day);
                let ended_on = until.filter(|until| self.has_ended_on(*until));
                Some(Seen { ended: false, content: &self.contents[content], from, until, ended_on })
            }
            Day::Ended(content) => {
                let (end, until) = run(day);
                let (from, until) = match end.checked_sub(1).filter(|before| self.holds_on(*before)) {
                    Some(before) => (self.begin_of(before), Some(end)),
                    None => (end, until),
                };
                Some(Seen { ended: true, content: &self.contents[content], from, until, ended_on: Some(end) })
            }
        }
    }

    /// Returns the day that is shown where none is asked for: today, or the first one where that lies ahead.
    pub(super) fn present(&self, today: usize) -> usize {
        today.max(self.first())
    }

    /// Lists the days on which something begins.
    pub(super) fn boundaries(&self) -> Vec<usize> {
        (1..self.days.len()).filter(|day| self.days[*day] != self.days[day - 1]).collect()
    }

    /// Does an operation, or says with which code it must be refused, and then changes nothing.
    pub(super) fn apply(&mut self, operation: &Operation, today: usize) -> Result<(), Code> {
        let mut next = self.clone();
        next.carry_out(operation, today)?;
        next.version += 1;
        *self = next;
        Ok(())
    }

    fn carry_out(&mut self, operation: &Operation, today: usize) -> Result<(), Code> {
        if let Operation::Create { from, content } = operation {
            if self.is_there() && !self.withdrawn {
                return Err(Code::AlreadyExists);
            }
            self.contents.push(content.clone());
            self.days.fill(Day::Nothing);
            self.days[*from..].fill(Day::Holds(self.contents.len() - 1));
            (self.withdrawn, self.generation) = (false, self.generation + 1);
            return Ok(());
        }
        if !self.is_there() {
            return Err(Code::NotFound);
        }
        if self.withdrawn {
            return Err(Code::FailedPrecondition);
        }
        match operation {
            Operation::Create { .. } => Ok(()),
            Operation::Update { scope: Scope::From { day, resume }, fields, .. } => self.change(*day, *resume, fields),
            Operation::Update { scope: Scope::On(day), fields, .. } => match self.days[*day] {
                Day::Nothing => Err(Code::FailedPrecondition),
                Day::Holds(content) | Day::Ended(content) => {
                    self.contents[content].extend(fields.clone());
                    Ok(())
                }
            },
            Operation::Update { scope: Scope::Present, fields, .. } => {
                let content = content_of(self.days[self.present(today).min(self.days.len() - 1)]);
                self.contents[content].extend(fields.clone());
                Ok(())
            }
            Operation::Update { scope: Scope::All, fields, .. } => {
                for content in &mut self.contents {
                    content.extend(fields.clone());
                }
                Ok(())
            }
            Operation::End { day } => self.end(*day),
            Operation::Lift => self.lift(),
            Operation::TakeBack { day } => self.take_back(*day),
            Operation::Withdraw => {
                self.withdrawn = true;
                Ok(())
            }
        }
    }

    fn change(&mut self, day: usize, resume: bool, fields: &Content) -> Result<(), Code> {
        let (first, was) = (self.first(), self.days[day]);
        let (old, days) = match was {
            // Only what has ended is resumed, and what has ended is only resumed.
            Day::Nothing | Day::Holds(_) if resume => return Err(Code::FailedPrecondition),
            Day::Ended(_) if !resume => return Err(Code::FailedPrecondition),
            Day::Nothing => (content_of(self.days[first]), day..first),
            Day::Holds(content) | Day::Ended(content) => (content, day..self.end_of(day).unwrap_or(self.days.len())),
        };
        let mut content = self.contents[old].clone();
        content.extend(fields.clone());
        self.contents.push(content);
        let new = self.contents.len() - 1;
        let behind = days.end;
        self.days[days].fill(Day::Holds(new));
        // A day of the end repeats what held last.
        for later in &mut self.days[behind..] {
            match *later {
                Day::Ended(_) => *later = Day::Ended(new),
                _ => break,
            }
        }
        Ok(())
    }

    fn end(&mut self, day: usize) -> Result<(), Code> {
        let first = self.first();
        if day < first {
            return Err(Code::InvalidArgument);
        }
        if self.has_ended_on(self.days.len() - 1) {
            self.lift()?;
        }
        let last = if day == first { self.days[first] } else { self.days[day - 1] };
        if day > first && matches!(last, Day::Ended(_)) {
            return Err(Code::FailedPrecondition);
        }
        self.days[day..].fill(Day::Ended(content_of(last)));
        Ok(())
    }

    fn lift(&mut self) -> Result<(), Code> {
        let last = self.days.len() - 1;
        let Day::Ended(content) = self.days[last] else { return Err(Code::FailedPrecondition) };
        let begin = self.begin_of(last);
        self.days[begin..].fill(Day::Holds(content));
        Ok(())
    }

    fn take_back(&mut self, day: usize) -> Result<(), Code> {
        let taken = match self.days[day] {
            Day::Holds(content) if day > self.first() && self.begin_of(day) == day => content,
            _ => return Err(Code::FailedPrecondition),
        };
        let before = self.days[day - 1];
        for later in &mut self.days[day..] {
            match (*later, before) {
                (Day::Holds(content), _) if content == taken => *later = before,
                (Day::Ended(content), _) if content == taken => *later = Day::Ended(content_of(before)),
                _ => break,
            }
        }
        Ok(())
    }

    fn first(&self) -> usize {
        self.days.iter().position(|day| *day != Day::Nothing).unwrap_or(self.days.len() - 1)
    }

    fn begin_of(&self, day: usize) -> usize {
        (0..=day).rev().take_while(|earlier| self.days[*earlier] == self.days[day]).last().unwrap_or(day)
    }

    fn end_of(&self, day: usize) -> Option<usize> {
        (day..self.days.len()).find(|later| self.days[*later] != self.days[day])
    }
}

fn content_of(day: Day) -> usize {
    match day {
        Day::Holds(content) | Day::Ended(content) => content,
        Day::Nothing => unreachable!("asked only of days on which the record has begun"),
    }
}
