//! What every register needs, once: create, get, list, update, end, upload; paging, etags, history, journal.
//!
//! A register brings its table ([`register_table!`](crate::register_table)), how a resource becomes a record and back,
//! its rules, and the dataset's row ([`Register`]); [`register_api!`](crate::register_api) ties these to the tonic
//! service of the contract. `docs/ADDING-A-REGISTER.md` walks through one.
//!
//! The kit never looks into a record beyond its head, and never decides what a register's rules decide.

mod api;
mod batch_insert;
mod carry_over;
mod dates;
pub mod declared;
mod engine;
mod evidence;
mod list;
mod natural_key;
mod references;
mod requests;
mod resource;
pub mod states;
mod table;
mod unique;
mod upload;

pub(crate) use carry_over::carry_over;
pub use dates::{date, day, month_end, month_start, optional_day, required_day, timestamp, today};
pub use declared::Declared;
pub use engine::{Engine, ListPage, rewrite};
pub use evidence::{EvidenceRegister, asked};
pub use list::List;
pub use natural_key::natural_key;
pub use requests::{End, ListRequest, Update};
pub use resource::{Envelope, enum_field, enum_number};
pub use states::{ACTIVE, ENDED, FOREVER, Period, WITHDRAWN};
pub use table::{CountInForce, Head, Table};
pub use unique::{Held, Holders};
pub use upload::Chunk;

/// Rows of one INSERT: with 32 columns at the most, below the 65,535 bound values of PostgreSQL and SQLite's 32,766.
pub const ROWS_PER_INSERT: usize = 1000;

/// Ids that are looked for one by one on SQLite, where the statement then stays prepared.
pub const FEW_IDS: usize = 4;

use chrono::NaiveDate;

use crate::{
    error::{Error, Violations},
    keys::Keys,
    store::{AnyConnection, Tx},
    values::{
        calendar::Calendar,
        divisions::{AreaCode, AreaLevel},
        parameters::Parameters,
    },
};

/// What a rule may consult beside its record.
#[derive(Clone, Copy, Debug)]
pub struct RuleContext<'a> {
    /// The dated parameters in force for this service.
    pub parameters: &'a Parameters,
    /// Working days and holidays.
    pub calendar: &'a Calendar,
    /// The department's keys.
    pub keys: &'a Keys,
    /// The present day in Asia/Shanghai.
    pub today: NaiveDate,
    /// The resource is one that an earlier version kept: a rule that came since does not refuse it.
    pub carried_over: bool,
}

/// One thing that a department keeps.
pub trait Register: Envelope + Send + Sync + 'static {
    /// The row of the register's table.
    type Record: Declared<Resource = Self::Resource, Row = Self::Row>;
    /// The dataset's row message.
    type Row: prost::Message + Default;

    /// Returns what the contract declares of the register.
    fn declared() -> &'static minsheng_proto::Register {
        minsheng_proto::register_of::<Self::Resource>().expect("the resource of a register declares it")
    }

    /// Returns the department that keeps it, for a register that every department keeps.
    fn kept_by(&self) -> &'static str {
        ""
    }

    /// Returns the dataset in which the states of its records are told, as `social_security.enrolments`.
    fn dataset(&self) -> String {
        Self::declared().dataset(self.kept_by())
    }

    /// Decides: checks a resource by the register's rules and makes the state of it that a head names. Pure.
    ///
    /// The head is given by the kit, with the days on which the state holds; `previous` is the state that is corrected, or
    /// cut by a change. Where a correction brings content that is true from a later day only, because the content itself names
    /// the day, the state may be returned with that first day: it is then a change from that day on. All violations are reported at once, by field of the resource as it stands; the kit puts the
    /// request's field before them.
    fn validate(
        &self,
        resource: &Self::Resource,
        head: Head,
        previous: Option<&Self::Record>,
        context: RuleContext<'_>,
    ) -> Result<Self::Record, Violations>;

    /// Makes the resource of a record. Personal fields are masked unless `reveal` is set, which only an update's
    /// merge does.
    fn encode(&self, record: &Self::Record, context: RuleContext<'_>, reveal: bool) -> Result<Self::Resource, Error> {
        record.resource(context, reveal)
    }

    /// Makes the dataset's row of a state: no personal data, and nothing of the head, for the journal tells the days.
    fn row(&self, record: &Self::Record, _context: RuleContext<'_>) -> Self::Row {
        record.row()
    }

    /// Returns from which day a new record is true, where the caller does not.
    fn effective_on(&self, resource: &Self::Resource, today: NaiveDate) -> NaiveDate;

    /// Reports whether records may lie in an area of this level: counties, unless the register says otherwise.
    fn keeps_area(&self, area: AreaCode) -> bool {
        area.level() == AreaLevel::County
    }

    /// Returns the id that the content itself gives a record, where the caller chooses none: as the contract declares it.
    fn natural_id(&self, resource: &Self::Resource, context: RuleContext<'_>) -> Option<String> {
        Self::Record::natural_id(resource, context)
    }

    /// Notes the fields of a sent resource that differ from the record's and never change (AIP-203, IMMUTABLE). A field that
    /// is empty says nothing. The kit itself sees to the area.
    fn check_immutable(&self, _there: &Self::Resource, _sent: &Self::Resource, _violations: &mut Violations) {}

    /// Takes from what is sent what an update's mask need not name, such as who sends it.
    fn take_always(&self, _sent: &Self::Resource, _merged: &mut Self::Resource) {}

    /// Locks the keys that are unique on each day of these states, until the unit ends; see
    /// [`lock_keys`](crate::store::lock_keys). The kit calls it in a unit, before
    /// [`validate_against_store`](Self::validate_against_store).
    fn lock(&self, _connection: &mut AnyConnection, _records: &[Self::Record]) -> Result<(), Error> {
        Ok(())
    }

    /// Checks what needs the store: what the school that a record names was on its day; that it
    /// exists is seen to by the kit. What another register is asked is its state on
    /// the day of the record, and a key that is unique is so on each day.
    ///
    /// Receives all states in force that are new, are changed or hold on more days than before, of a whole chunk, so that one
    /// query serves them; answers one set of violations for each.
    fn validate_against_store(
        &self,
        _connection: &mut AnyConnection,
        records: &[Self::Record],
        _context: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        Ok(vec![Violations::new(); records.len()])
    }

    /// Fills what only the store knows into records that passed: a mark that depends on another record.
    fn complete(
        &self,
        _connection: &mut AnyConnection,
        _records: &mut [Self::Record],
        _context: RuleContext<'_>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Brings all states of a record that is about to change into line with what other records say of its days: a mark
    /// that begins within a state divides it, and one that no longer stands lets two be one again.
    fn align(
        &self,
        _connection: &mut AnyConnection,
        _states: &mut Vec<Self::Record>,
        _context: RuleContext<'_>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Checks all states of a changed record beside each other: what may not follow on what. Pure.
    fn validate_states(&self, _states: &[Self::Record]) -> Violations {
        Violations::new()
    }

    /// Puts back what [`validate`](Self::validate) leaves to the store or to an answer: for a state that an earlier version kept
    /// as a resource. `row` is what the dataset told of it.
    fn restore(&self, state: &mut Self::Record, resource: &Self::Resource, _row: &Self::Row) {
        state.restore_decided(resource);
    }

    /// Writes the children of states again, which [`after_write`](Self::after_write) does too: for what an earlier version wrote.
    fn write_children(
        &self,
        _tx: &mut Tx<'_>,
        _states: &[Self::Record],
        _context: RuleContext<'_>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Writes what belongs to the records beside their own rows, in the same unit: children, rows of other datasets.
    ///
    /// Receives all states of each record that was written, as they are now.
    fn after_write(&self, _tx: &mut Tx<'_>, _records: &[Self::Record], _context: RuleContext<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The tonic service of a register. Implemented by [`register_api!`](crate::register_api).
pub trait RegisterService: Sized {
    /// The register.
    type Register: Register;
    /// What tonic serves.
    type Server;

    /// Returns the engine behind the service.
    fn engine(&self) -> &Engine<Self::Register>;
    /// Makes the tonic service.
    fn into_service(self) -> Self::Server;
}
