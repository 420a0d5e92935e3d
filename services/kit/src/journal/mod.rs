//! The journal: what is true on which days, asserted and retracted, in an order that readers can follow without missing
//! anything.
//!
//! An entry asserts a state of a record, or retracts one that was asserted. What was true on a day as known at an instant is
//! the sum of their signs over the entries recorded by then whose days hold the day; nobody after the service must work
//! anything out. `feed` reads the journal, `columns` turns its payloads into Arrow, `flight` serves it. Nothing here knows
//! what a row means.

pub mod columns;
pub mod feed;
pub mod flight;
