//! The values that every register is made of, and the figures that rules read.
//!
//! Codes with check digits, divisions of the region, days and working days, amounts of money, and the dated
//! parameters of the regulations. Each is a type that cannot hold an invalid value: text is checked once, at the
//! edge, by `parse`, and whoever holds a [`divisions::CountyCode`] or a [`money::Fen`] need not check it again.
//!
//! Everything here is pure. No function reads a clock, a file, the network or a database; a rule that depends on
//! the day takes the day as an argument. The tables (divisions, holidays, parameters) are compiled in from
//! `services/values/data`, and a test loads each of them, so that a damaged table fails the build's tests and not a
//! running service.
//!
//! | module | holds | rule |
//! |---|---|---|
//! | [`identifiers`] | resident ID, social credit code, organisation code, disability certificate, LOINC | GB 11643, GB 32100, GB 11714, 残联发〔2017〕34号 |
//! | [`divisions`] | region, prefectures, counties, townships, villages, and the codes of the past | GB/T 2260, statistical codes of 2023 |
//! | [`calendar`] | days, instants, statutory holidays, working days | State Council holiday notices |
//! | [`money`] | amounts in fen, shares per mille | |
//! | [`parameters`] | every figure a rule compares with, dated, with source and confidence | the regulation named in each entry |
//!
//! Errors carry a stable [`reason`](identifiers::IdentifierError::reason) in `UPPER_SNAKE`, English through
//! `Display` and Chinese through `message_zh`. None of them repeats a personal identifier.

pub mod calendar;
pub mod divisions;
pub mod identifiers;
pub mod money;
pub mod parameters;
