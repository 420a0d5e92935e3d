//! The journal: what changed, in an order that readers can follow without missing anything.
//!
//! `feed` reads it, `columns` turns its payloads into Arrow, `flight` serves it. Nothing here knows what a row means.

pub mod columns;
pub mod feed;
pub mod flight;

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Change {
    /// It was recorded for the first time.
    Created = 1,
    /// Its content changed.
    Changed = 2,
    /// It ended on a day.
    Ended = 3,
    /// It was recorded in error and counts for no day.
    Withdrawn = 4,
}

impl Change {
    /// Gives the name that stands in the feed; nothing for a number that no change has.
    pub fn name(number: i64) -> Option<&'static str> {
        match number {
            1 => Some("CREATED"),
            2 => Some("CHANGED"),
            3 => Some("ENDED"),
            4 => Some("WITHDRAWN"),
            _ => None,
        }
    }
}
