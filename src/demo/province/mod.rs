//! A synthetic province: real divisions, invented people and institutions, magnitudes of the handbook.
//!
//! Every record follows from the seed and the scale alone, its id included, so that loading it again adds nothing.
//! People have identity numbers of the fictitious division 549999; names of institutions begin with 演示. The records
//! run to [`LAST_DAY`], the end of the first quarter after most of the commitments fell due: on that day targets are
//! met, missed, met late, on track, at risk, off track, and some are not known.
//!
//! One file per department makes its records as streams, in an order in which every record finds what it refers to.

mod community;
mod education;
mod facilities;
mod health;
pub(super) mod milestones;
mod people;
mod places;
pub(super) mod returns;
mod social_security;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use chrono::{Datelike as _, Days, NaiveDate};
use minsheng_proto::{common::v1 as common, returns::v1 as pb};
use prost::Message;
use uuid::Uuid;

use crate::upload::{Creation, Ending, Update};

/// The last day that the records speak of, and the day for which the demo reports unless another is asked for.
pub const LAST_DAY: NaiveDate = day_of(2026, 3, 31);
/// The first day of the monthly figures.
pub const FIRST_DAY: NaiveDate = day_of(2024, 1, 1);

/// Under it all ids of the province are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d64_656d_6f00_0001);

const fn day_of(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MIN,
    }
}

/// What the province is made from.
#[derive(Clone, Copy, Debug)]
pub struct Province {
    seed: u64,
    scale: f64,
}

/// Records of one register, in the order in which they are uploaded.
pub struct Batch {
    /// The register, as `schools`.
    pub register: &'static str,
    /// How many there are, about; for the progress bar.
    pub expected: u64,
    /// The records, as the register's own message.
    pub records: Box<dyn Iterator<Item = Bytes> + Send>,
}

/// Changes of records that are there already.
pub struct Changes {
    /// The register.
    pub register: &'static str,
    /// Records that are created one by one, before the changes.
    pub creations: Vec<Creation>,
    /// The changes; those of one record in order.
    pub updates: Vec<Update>,
    /// Records that end or are withdrawn, as they were created.
    pub ends: Vec<Ending>,
}

/// Filings that are approved as they were filed, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approvals {
    /// The officer who approves.
    pub officer: &'static str,
    /// Returns.
    pub returns: Vec<String>,
    /// Milestones.
    pub milestones: Vec<String>,
    /// Returns that were found wrong after they were approved, with the right figures; every other one is approved again.
    pub corrections: Vec<pb::Return>,
}

/// What one department gets.
pub struct Lane {
    /// The department.
    pub department: &'static str,
    /// Its registers, one after the other.
    pub batches: Vec<Batch>,
    /// Then what changed over time.
    pub changes: Vec<Changes>,
    /// Its returns and milestones, beside the registers.
    pub filings: Vec<Batch>,
    /// What another officer than the filer approves of them.
    pub approvals: Approvals,
    /// Cases for which it asks another department, once that has its records: created one by one, as at a counter.
    pub cases: Vec<Changes>,
}

impl Province {
    /// Fixes what it is made from.
    pub fn new(seed: u64, scale: f64) -> Self {
        Self { seed, scale }
    }

    /// Returns the records of all departments.
    pub fn lanes(self) -> Vec<Lane> {
        vec![
            Lane {
                department: "social-security",
                batches: social_security::batches(self),
                changes: vec![],
                filings: self.filings("social-security"),
                approvals: self.approvals("social-security"),
                cases: vec![],
            },
            Lane {
                department: "education",
                batches: education::batches(self),
                changes: education::changes(self),
                filings: self.filings("education"),
                approvals: self.approvals("education"),
                cases: education::cases(self),
            },
            Lane {
                department: "health",
                batches: health::batches(self),
                changes: vec![],
                filings: self.filings("health"),
                approvals: self.approvals("health"),
                cases: vec![],
            },
            Lane {
                department: "community",
                batches: community::batches(self),
                changes: community::changes(self),
                filings: self.filings("community"),
                approvals: self.approvals("community"),
                cases: community::cases(self),
            },
        ]
    }

    fn filings(self, department: &'static str) -> Vec<Batch> {
        vec![returns::batch(self, department), milestones::batch(self, department)]
    }

    fn approvals(self, department: &'static str) -> Approvals {
        Approvals {
            officer: returns::APPROVER,
            returns: returns::approved(self, department),
            milestones: milestones::approved(self, department),
            corrections: returns::corrections(self, department),
        }
    }

    /// Returns a stream of random numbers for each register, so that one may change without the others.
    fn draw(self, what: &str) -> Draw {
        let mixed = Uuid::new_v5(&NAMESPACE, format!("{}/{what}", self.seed).as_bytes()).as_u128();
        // The low half is as random as the whole.
        #[expect(clippy::cast_possible_truncation, reason = "a seed of 64 bits is wanted")]
        Draw(fastrand::Rng::with_seed(mixed as u64))
    }

    /// Scales a number of people or cases; institutions and divisions are as many as they are.
    fn scaled(self, number: u32) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
        let scaled = (f64::from(number) * self.scale).round().clamp(1.0, f64::from(u32::MAX)) as u32;
        scaled
    }

    /// Makes the id of an upload: the same for the same seed, scale and register.
    pub fn upload_id(self, department: &str, register: &str) -> Uuid {
        self.uuid(&format!("upload/{department}/{register}"))
    }

    fn uuid(self, what: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{}/{}/{what}", self.seed, self.scale).as_bytes())
    }

    /// Makes the name of a record, as `schools/5f…`.
    fn name(self, collection: &str, key: impl std::fmt::Display) -> String {
        format!("{collection}/{}", self.uuid(&format!("{collection}/{key}")).simple())
    }

    /// Makes a record that is true from a day on.
    fn creation(self, resource: &impl Message, name: &str, on: Option<common::Date>) -> Creation {
        Creation { request_id: self.uuid(&format!("create/{name}")), resource: encoded(resource), effective_on: on }
    }

    /// Makes the end of a record that was not changed before, or its withdrawal.
    fn ending(self, name: String, kind: common::EndKind, on: Option<NaiveDate>) -> Ending {
        let request_id = self.uuid(&format!("end/{name}"));
        Ending { request_id, name, version: 1, kind, ended_on: on.map(date) }
    }

    /// Makes a change of a record from a day on; `version` is the one that it changes.
    fn update(self, resource: &impl Message, name: &str, version: u32, fields: &[&str], on: NaiveDate) -> Update {
        Update {
            request_id: self.uuid(&format!("update/{name}/{version}")),
            resource: encoded(resource),
            version,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            effective_on: date(on),
        }
    }
}

/// Random choices.
struct Draw(fastrand::Rng);

impl Draw {
    /// Says yes with a probability.
    fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// Picks a number from `low` to `high`, both included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high.max(low))
    }

    /// Picks a real number from `low` to `high`.
    fn real(&mut self, low: f64, high: f64) -> f64 {
        low + self.0.f64() * (high - low)
    }

    /// Picks a day, both ends included.
    fn day(&mut self, from: NaiveDate, to: NaiveDate) -> NaiveDate {
        let days = (to - from).num_days().max(0);
        from + Days::new(self.0.u64(0..=days.unsigned_abs()))
    }

    /// Picks one of several; there must be one.
    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(0..choices.len())]
    }

    /// Picks one of several by weight.
    fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.0.u32(0..total.max(1));
        for (choice, weight) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        choices[0].0
    }
}

fn encoded(message: &impl Message) -> Bytes {
    Bytes::from(message.encode_to_vec())
}

pub(super) fn date(day: NaiveDate) -> common::Date {
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    common::Date { year: day.year(), month: part(day.month()), day: part(day.day()) }
}

fn later(day: NaiveDate, days: i64) -> NaiveDate {
    day + Days::new(days.max(0).unsigned_abs())
}

fn earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day - Days::new(days)
}

/// Lists the months from [`FIRST_DAY`] to [`LAST_DAY`] by their first days.
fn months() -> impl Iterator<Item = NaiveDate> + Clone {
    (2024..=2026)
        .flat_map(|year| (1..=12).map(move |month| day_of(year, month, 1)))
        .take_while(|month| *month <= LAST_DAY)
}

/// Returns the last day of a month.
fn month_end(month: NaiveDate) -> NaiveDate {
    minsheng_kit::values::calendar::last_of_month(month)
}

pub(super) fn year_month(month: NaiveDate) -> common::YearMonth {
    common::YearMonth { year: month.year(), month: i32::try_from(month.month()).unwrap_or_default() }
}

/// Counts as many as a whole and a share make.
#[expect(clippy::cast_possible_truncation, reason = "counts are small")]
fn part(whole: f64, share: f64) -> i64 {
    (whole * share).round() as i64
}
