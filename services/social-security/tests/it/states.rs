//! A record is a sequence of states: what the questions and the rules of both registers say of a day is what was true on
//! that day, and the journal says the same.

mod covers;
mod households;
