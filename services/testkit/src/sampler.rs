//! What a register brings to the tests that are written once for all registers: valid records, and how they may vary.

use bytes::Bytes;
use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::{AreaCode, Divisions},
    identifiers::ResidentId,
};
use prost_reflect::Value;

/// The first day of sampled contents, where the caller names no day.
pub const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Where a sample lies: a county of its own.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of the sample within its register.
    pub number: u16,
    /// Six digits.
    pub county: String,
    /// By the table of divisions.
    pub border: bool,
}

impl Place {
    /// Returns the place of a number; no two numbers share a county, and the first ones lie in one prefecture.
    pub fn of(number: u16) -> Self {
        let counties = Divisions::get().counties_of(AreaCode::parse("540000").expect("the region"));
        let county = counties[usize::from(number)];
        Self { number, county: county.as_str().to_owned(), border: Divisions::get().is_border(county) }
    }

    /// Names a record of this place, `schools/aid-3`.
    pub fn name(&self, register: &str, owner: &str) -> String {
        format!("{register}/{owner}-{}", self.number)
    }

    /// Returns an invented person of this place.
    pub fn person(&self, born: i32, which: u16) -> String {
        let born = NaiveDate::from_ymd_opt(born, 3, 1 + u32::from(which % 28)).expect("a day");
        let person = ResidentId::synthetic(born, self.number * 10 + which / 28).expect("a person");
        person.expose().to_owned()
    }
}

/// A record that is created before a sample, and stays as it is.
#[derive(Clone, Debug)]
pub struct Needed {
    /// Its register, as in record names.
    pub register: &'static str,
    /// The resource, encoded.
    pub record: Bytes,
}

/// A record of a register, and what it refers to in the order in which it is created.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What it refers to.
    pub needs: Vec<Needed>,
    /// The resource, encoded.
    pub record: Bytes,
}

/// A question about a record on a day.
pub enum Question {
    /// A register takes this item if and only if the record is in force on the day.
    Takes {
        /// The register, as in record names.
        register: &'static str,
        /// A resource of it, encoded.
        item: Bytes,
    },
    /// The record's own register takes this item, which has the same key, if and only if the record is in force neither
    /// on the day nor later.
    KeyIsFree {
        /// A resource of it, encoded.
        item: Bytes,
    },
    /// A department says yes if and only if the record is in force on the day.
    Asks {
        /// Who asks.
        caller: &'static str,
        /// Who is asked.
        department: &'static str,
        /// `/package.Service/Method`.
        path: &'static str,
        /// The request, encoded.
        request: Bytes,
        /// Reads the answer.
        yes: fn(Bytes) -> bool,
    },
}

/// Samples of one register.
pub trait Sampler: Sync {
    /// As in record names.
    fn register(&self) -> &'static str;

    /// Returns a valid record that begins on [`FIRST_DAY`] where nothing else is said, and may begin on any other.
    fn sample(&self, place: &Place, name: &str) -> Sample;

    /// Lists fields of the dataset that may change by themselves, each with values that keep the record valid.
    fn variations(&self) -> Vec<(&'static str, Vec<Value>)>;

    /// Reports whether the content names its first day, so that a creation need not.
    fn names_its_first_day(&self) -> bool {
        true
    }

    /// Reports whether records lie in counties alone, as those of most registers do.
    fn lies_in_a_county(&self) -> bool {
        true
    }

    /// Lists what can be asked about a record on a day.
    fn questions(&self, _place: &Place, _name: &str, _day: NaiveDate) -> Vec<Question> {
        Vec::new()
    }
}
