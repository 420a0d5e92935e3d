//! One unit of work: what is written together, and the order in which it is written.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    sql_types::{BigInt, Text},
};
use sha2::{Digest as _, Sha256};

use super::{
    AnyConnection,
    schema::{accesses, idempotency, journal, revisions},
    sqlite, watermark,
};
use crate::{error::Error, insert_rows, on_each, register::Head};

/// Makes a request repeatable: who asked what under which id.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Department that called.
    pub caller: String,
    /// Full method name.
    pub method: String,
    /// As the caller gave it.
    pub request_id: String,
    /// SHA-256 of the request; the store keeps it only under the department's key, for a request may hold what has few
    /// possible values, as an identity number.
    pub request_hash: Vec<u8>,
}

impl Idempotency {
    /// Computes the hash of the request's bytes.
    pub fn new(caller: &str, method: &str, request_id: &str, request: &impl prost::Message) -> Self {
        Self {
            caller: caller.to_owned(),
            method: method.to_owned(),
            request_id: request_id.to_owned(),
            request_hash: Self::hash(request),
        }
    }

    /// Returns the hash that tells a repeated request from another one under the same id.
    pub fn hash(request: &impl prost::Message) -> Vec<u8> {
        Sha256::digest(request.encode_to_vec()).to_vec()
    }
}

/// What a unit needs to know beside its closure.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Department that acts, for the history.
    pub department: String,
    /// Present for requests that may be repeated.
    pub idempotency: Option<Idempotency>,
}

impl Unit {
    /// Makes a unit for a repeatable request.
    pub fn repeatable(idempotency: Idempotency) -> Self {
        Self { department: idempotency.caller.clone(), idempotency: Some(idempotency) }
    }

    /// Makes a unit that is not repeatable, for a department.
    pub fn of(department: &str) -> Self {
        Self { department: department.to_owned(), idempotency: None }
    }
}

/// What the journal says of a state: that it is asserted, or that an assertion is retracted.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = journal, treat_none_as_default_value = false)]
pub struct JournalEntry {
    /// As `service.dataset`.
    pub dataset: String,
    /// Id of the record.
    pub record: String,
    /// Number of the assertion within its record.
    pub assertion: i64,
    /// 1 where it is asserted, -1 where it is retracted.
    pub diff: i64,
    /// First day for which the row is true, in days since 1970-01-01.
    pub valid_from: i64,
    /// First day for which it no longer is; [`FOREVER`](crate::register::FOREVER) while it is open.
    pub valid_until: i64,
    /// Whether the record has ended on these days.
    pub ended: bool,
    /// Microseconds UTC; set by the unit.
    pub recorded_at: i64,
    /// Division, six digits.
    pub area: String,
    /// The dataset's row message, encoded.
    pub payload: Vec<u8>,
}

impl JournalEntry {
    /// Makes the entry that asserts a state, with the dataset's row as its table keeps it.
    pub fn asserts(dataset: &str, head: &Head, told: &[u8]) -> Self {
        Self {
            dataset: dataset.to_owned(),
            record: head.id.clone(),
            assertion: head.assertion,
            diff: 1,
            valid_from: head.effective_on,
            valid_until: head.effective_until,
            ended: head.is_ended(),
            recorded_at: 0,
            area: head.area.clone(),
            payload: told.to_vec(),
        }
    }

    /// Makes the entry that retracts a state: but for the sign the one that asserted it.
    pub fn retracts(dataset: &str, head: &Head, told: &[u8]) -> Self {
        Self { diff: -1, ..Self::asserts(dataset, head, told) }
    }
}

/// An access to a person's record.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = accesses, treat_none_as_default_value = false)]
pub struct AccessEntry {
    /// Microseconds UTC; set by the unit.
    pub recorded_at: i64,
    /// Department that asked.
    pub department: String,
    /// The officer.
    pub officer: String,
    /// Number of the contract's `Purpose`.
    pub purpose: i64,
    /// The case.
    pub case_number: String,
    /// Full method name.
    pub method: String,
    /// Keyed blind index of the person.
    pub subject: Vec<u8>,
}

#[derive(Insertable)]
#[diesel(table_name = idempotency, treat_none_as_default_value = false)]
struct FirstAnswer<'a> {
    caller: &'a str,
    method: &'a str,
    request_id: &'a str,
    request_hash: &'a [u8],
    response: Vec<u8>,
    recorded_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = revisions, treat_none_as_default_value = false)]
struct RevisionRecord {
    register: String,
    record: String,
    version: i64,
    number: i64,
    effective_on: i64,
    effective_until: i64,
    replaced_at: i64,
    department: String,
    resource: Vec<u8>,
}

/// The inside of a unit of work.
pub struct Tx<'a> {
    /// The connection, in the unit's transaction.
    pub connection: &'a mut AnyConnection,
    now: i64,
    department: &'a str,
    journal: Vec<JournalEntry>,
    accesses: Vec<AccessEntry>,
    revisions: Vec<RevisionRecord>,
}

impl Tx<'_> {
    /// Returns the instant at which the unit is recorded, microseconds UTC.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Returns what the unit uses up: a copy where it may have to run again because it met another one, as on
    /// PostgreSQL.
    pub fn take<V: Clone + Default>(&self, value: &mut V) -> V {
        match self.connection {
            AnyConnection::Sqlite(_) => std::mem::take(value),
            AnyConnection::Postgres(_) => value.clone(),
        }
    }

    /// Tries something that may find a row in its place: what it wrote goes back then, and the unit goes on.
    ///
    /// SQLite only; on PostgreSQL what fails stays as it is, for the unit to end with.
    pub fn attempt<T>(&mut self, f: impl FnOnce(&mut AnyConnection) -> Result<T, Error>) -> Result<T, Error> {
        match self.connection {
            AnyConnection::Sqlite(_) => sqlite::attempt(self.connection, f),
            AnyConnection::Postgres(_) => f(self.connection),
        }
    }

    /// Requires that the unit is recorded after a record's last change, an instant, so that the record's instants grow
    /// with its positions, whatever the clocks of replicas say and however long it waited for a lock. On PostgreSQL the
    /// unit runs again otherwise, from that instant on; on SQLite, where one unit runs at a time, it goes on from it. A
    /// record that the unit itself wrote is recorded with it.
    pub fn follow(&mut self, dataset: &str, record: &str, instant: i64) -> Result<(), Error> {
        let told = |entry: &JournalEntry| entry.record == record && entry.dataset == dataset;
        // What changes nothing that is told leaves a revision all the same.
        let own = || self.journal.iter().any(told) || self.revisions.iter().any(|kept| kept.record == record);
        if instant < self.now || instant == self.now && own() {
            return Ok(());
        }
        if let AnyConnection::Postgres(_) = self.connection {
            return Err(Error::ClockBehind { instant });
        }
        self.now = instant + 1;
        Ok(())
    }

    /// Writes an entry of the journal.
    pub fn journal(&mut self, entry: JournalEntry) {
        self.journal.push(entry);
    }

    /// Notes an access to a person's record.
    pub fn access(&mut self, entry: AccessEntry) {
        self.accesses.push(AccessEntry { recorded_at: self.now, ..entry });
    }

    /// Keeps a state that a record had, its resource sealed.
    pub fn revision(&mut self, register: &str, head: &Head, sealed: Vec<u8>) {
        self.revisions.push(RevisionRecord {
            register: register.to_owned(),
            record: head.id.clone(),
            version: head.version,
            number: head.number,
            effective_on: head.effective_on,
            effective_until: head.effective_until,
            replaced_at: self.now,
            department: self.department.to_owned(),
            resource: sealed,
        });
    }
}

diesel::define_sql_function! {
    /// Waits for other calls of a request and gives the hash and the answer of the one that was carried out. PostgreSQL
    /// only; see the migration that makes it.
    fn locked_answer(
        lock: BigInt,
        caller: Text,
        method: Text,
        request_id: Text,
    ) -> Record<(Nullable<Binary>, Nullable<Binary>)>;
}

/// Rows of one statement: below SQLite's limit of bound values for the widest of the kit's tables.
const ROWS_PER_STATEMENT: usize = 2000;

/// Runs a unit inside the caller's transaction; returns its answer and the instant at which it is recorded.
pub(super) fn run<T, F>(connection: &mut AnyConnection, unit: &Unit, now: i64, f: F) -> Result<(T, i64), Error>
where
    T: prost::Message + Default,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Error>,
{
    if let Some(first) = first_answer(connection, unit)? {
        return first.map(|answer| (answer, now));
    }
    let mut tx = Tx {
        connection,
        now,
        department: &unit.department,
        journal: Vec::new(),
        accesses: Vec::new(),
        revisions: Vec::new(),
    };
    let answer = f(&mut tx)?;
    let Tx { connection, now, journal: mut entries, accesses, revisions: contents, .. } = tx;
    for entry in &mut entries {
        entry.recorded_at = now;
    }
    if !watermark::append_one(connection, &entries)? {
        watermark::stamp(connection, &mut entries, now)?;
        for rows in entries.chunks(ROWS_PER_STATEMENT) {
            insert_rows!(connection, journal::table, rows)?;
        }
    }
    for rows in accesses.chunks(ROWS_PER_STATEMENT) {
        insert_rows!(connection, accesses::table, rows)?;
    }
    for rows in contents.chunks(ROWS_PER_STATEMENT) {
        insert_rows!(connection, revisions::table, rows)?;
    }
    if let Some(key) = &unit.idempotency {
        let first = FirstAnswer {
            caller: &key.caller,
            method: &key.method,
            request_id: &key.request_id,
            request_hash: &key.request_hash,
            response: answer.encode_to_vec(),
            recorded_at: now,
        };
        on_each!(connection, c => diesel::insert_into(idempotency::table).values(first).execute(c))?;
    }
    Ok((answer, now))
}

/// Looks for the first answer to a repeated request.
fn first_answer<T: prost::Message + Default>(
    connection: &mut AnyConnection,
    unit: &Unit,
) -> Result<Option<Result<T, Error>>, Error> {
    let Some(key) = &unit.idempotency else { return Ok(None) };
    let found = match connection {
        AnyConnection::Sqlite(connection) => idempotency::table
            .filter(idempotency::caller.eq(&key.caller))
            .filter(idempotency::method.eq(&key.method))
            .filter(idempotency::request_id.eq(&key.request_id))
            .select((idempotency::request_hash, idempotency::response))
            .get_result(connection)
            .optional()?,
        AnyConnection::Postgres(connection) => {
            // Two calls of one request_id at the same time: the second waits here and then finds the first's answer.
            let mut lock = [0; 8];
            let digest = Sha256::digest(format!("{}\0{}\0{}", key.caller, key.method, key.request_id));
            lock.copy_from_slice(&digest[..8]);
            let look = locked_answer(i64::from_be_bytes(lock), &key.caller, &key.method, &key.request_id);
            let (hash, response): (Option<Vec<u8>>, Option<Vec<u8>>) = diesel::select(look).get_result(connection)?;
            hash.zip(response)
        }
    };
    Ok(found.map(|(hash, response): (Vec<u8>, Vec<u8>)| {
        if hash != key.request_hash {
            return Err(Error::RequestIdReused(key.request_id.clone()));
        }
        T::decode(response.as_slice()).map_err(Error::internal)
    }))
}
