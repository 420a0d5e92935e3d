//! How items go into a register, from the first step to the last: validated by themselves, compared with what is stored
//! under their ids, validated against the store, completed, written, told to the journal, answered one by one.
//!
//! Creations, uploads and batches of returns take this one way.

use std::collections::HashMap;

use minsheng_proto::common::v1 as pb;

use super::{
    Declared as _, Engine, FOREVER, Head, Register, RuleContext, Table, dates, engine::rewrite, references,
    references::Lookup,
};
use crate::{
    error::{Error, Violations},
    status,
    store::{AnyConnection, Idempotency, JournalEntry, Tx, Unit},
    values::{calendar::epoch_day, divisions::AreaCode, identifiers::ResidentId},
};

/// An item that passed the contract's and the register's rules, or what it broke.
pub(super) type Validated<Record> = Result<Record, Violations>;

/// What became of the items of a batch, and the records that are new.
pub(super) struct BatchOutcome<Record> {
    /// One for each item, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// Those of the created.
    pub(super) records: Vec<Record>,
    /// Whatever is new passed the register's checks against the store.
    all_passed: bool,
    /// What is stored under their ids and was withdrawn, by id.
    withdrawn: HashMap<String, Vec<Record>>,
}

/// A new record of a batch: its place among the new records, its item, and the items that repeat it.
struct PendingRecord {
    record: usize,
    index: usize,
    repeated: Vec<usize>,
}

/// What became of an item: with the record's id, or what it broke.
pub(super) enum Outcome {
    Created(String),
    Unchanged(String),
    Exists(String),
    /// Exists in the area that follows.
    OtherArea(String, String),
    Rejected(Violations),
}

/// The part that every upload's and batch's response has: kept as the first answer.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct KeptResults {
    #[prost(message, repeated, tag = "2")]
    pub(super) results: Vec<pb::ItemResult>,
}

impl<R: Register> Engine<R> {
    /// Records the items of a batch, each judged by itself, by its contract too; one answer for each, in order.
    pub async fn record_all(&self, key: Idempotency, items: &[R::Resource]) -> Result<Vec<pb::ItemResult>, Error> {
        self.write_all(key, self.validate_all(items)).await
    }

    /// Checks each item by the rules of its own message, then by the register's.
    pub(super) fn validate_all(&self, items: &[R::Resource]) -> Vec<Validated<R::Record>> {
        let now = self.context.store.now();
        let checked = |item| status::validate(item).err().unwrap_or_default();
        self.context.with_rule_context(now, |context| {
            items.iter().map(|item| self.validate(item, None, checked(item), context)).collect()
        })
    }

    /// Checks a request's one new resource, which kept the contract, by the register's rules, and gives it a head.
    pub(super) fn validate_new(
        &self,
        resource: &R::Resource,
        effective_on: Option<&pb::Date>,
        context: RuleContext<'_>,
    ) -> Validated<R::Record> {
        let mut violations = Violations::new();
        let from = dates::optional_day("effective_on", effective_on, &mut violations);
        let from = from.filter(|_| violations.is_empty());
        match self.validate(resource, from, Violations::new(), context) {
            Ok(record) => violations.into_result(record),
            Err(found) => {
                violations.extend_under(R::FIELD, found);
                Err(violations)
            }
        }
    }

    /// Checks one item by the register's rules, unless it broke the contract's, and gives it a head.
    fn validate(
        &self,
        resource: &R::Resource,
        effective_on: Option<i64>,
        mut violations: Violations,
        context: RuleContext<'_>,
    ) -> Validated<R::Record> {
        match AreaCode::parse(R::area(resource)) {
            Ok(area) if self.register.keeps_area(area) => {}
            Ok(_) => violations.add("area", "WRONG_LEVEL", "is not a county of the region", "不是本区县级区划"),
            Err(error) => violations.add("area", error.reason(), error.to_string(), error.message_zh()),
        }
        let from = effective_on.unwrap_or_else(|| epoch_day(self.register.effective_on(resource, context.today)));
        if !violations.is_empty() {
            return Err(violations);
        }
        let id = match R::name(resource).strip_prefix(R::COLLECTION).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => id.to_owned(),
            None => {
                self.register.natural_id(resource, context).unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string())
            }
        };
        check_id(&id)?;
        let head = Head {
            id,
            area: R::area(resource).to_owned(),
            version: 1,
            effective_on: from,
            effective_until: FOREVER,
            state: pb::RecordState::Active as i64,
            ..Head::default()
        };
        self.register.validate(resource, head, None, context)
    }

    /// Writes what passed; one answer for each item.
    pub(super) async fn write_all(
        &self,
        key: Idempotency,
        mut items: Vec<Validated<R::Record>>,
    ) -> Result<Vec<pb::ItemResult>, Error> {
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let items = tx.take(&mut items);
                let results = results::<R>(engine.insert(tx, items)?.outcomes, false);
                // The kept answer must be a message; every upload's response has this shape.
                Ok(KeptResults { results })
            })
            .await
            .map(|kept| kept.results)
    }

    /// Writes what is new, with its journal entries, in the order of ids: units that write some of the same then wait
    /// for each other and never in a circle.
    pub(super) fn insert(
        &self,
        tx: &mut Tx<'_>,
        items: Vec<Validated<R::Record>>,
    ) -> Result<BatchOutcome<R::Record>, Error> {
        let now = tx.now();
        let (mut batch, again) = if let Some(batch) = self.insert_unseen(tx, &items)? {
            (batch, Vec::new())
        } else {
            let stored = find_stored(tx.connection, &items)?;
            let mut batch = self.judge(tx.connection, items, stored, Lookup::Locked, now)?;
            self.note_recorded(&mut batch, now);
            let again = if batch.withdrawn.is_empty() { Vec::new() } else { self.insert_again(tx, &mut batch)? };
            R::Record::insert(tx.connection, &batch.records)?;
            (batch, again)
        };
        let dataset = self.register.dataset();
        for record in &batch.records {
            tx.journal(JournalEntry::asserts(&dataset, &record.head(), record.told()));
        }
        self.context.with_rule_context(now, |context| self.register.after_write(tx, &batch.records, context))?;
        batch.records.extend(again);
        Ok(batch)
    }

    /// Writes items without looking up what is stored under their ids, which costs nearly as much as to write them and most
    /// often finds nothing. Writes and returns nothing where something is stored, or where an item does not pass the
    /// register's checks, for which what is stored may be the reason.
    ///
    /// Only for SQLite, where a lookup is a walk for each id; on PostgreSQL it is one round trip for all.
    fn insert_unseen(
        &self,
        tx: &mut Tx<'_>,
        items: &[Validated<R::Record>],
    ) -> Result<Option<BatchOutcome<R::Record>>, Error> {
        if tx.connection.has_concurrent_writers() || items.len() <= super::FEW_IDS {
            return Ok(None);
        }
        let now = tx.now();
        let mut batch = self.judge(tx.connection, items.to_vec(), HashMap::new(), Lookup::Locked, now)?;
        if !batch.all_passed {
            return Ok(None);
        }
        self.note_recorded(&mut batch, now);
        match tx.attempt(|connection| R::Record::insert(connection, &batch.records)) {
            Ok(()) => Ok(Some(batch)),
            Err(Error::Raced) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Judges items beside what is stored under their ids, and by what the register checks against the store.
    fn judge(
        &self,
        connection: &mut AnyConnection,
        items: Vec<Validated<R::Record>>,
        mut stored: HashMap<String, Vec<R::Record>>,
        lookup: Lookup,
        now: i64,
    ) -> Result<BatchOutcome<R::Record>, Error> {
        self.context.with_rule_context(now, |context| {
            let mut outcomes = Vec::with_capacity(items.len());
            let mut records: Vec<R::Record> = Vec::with_capacity(items.len());
            let mut pending: HashMap<String, PendingRecord> = HashMap::with_capacity(items.len());
            let withdrawn = |states: &[R::Record]| states.iter().all(|state| state.head().is_withdrawn());
            for item in items {
                let index = outcomes.len();
                outcomes.push(match item {
                    Err(violations) => Outcome::Rejected(violations),
                    Ok(mut record) => {
                        let id = record.id().to_owned();
                        let states = stored.get(&id);
                        if let Some(states) = states.filter(|states| !withdrawn(states)) {
                            // What is sent again is what was sent first, whatever became of the record since.
                            self.compared(&states[0], &record, id, context)?
                        } else if let Some(first) = pending.get_mut(&id) {
                            first.repeated.push(index);
                            self.compared(&records[first.record], &record, id, context)?
                        } else {
                            if let Some(withdrawn) = states {
                                record.set_head(Head { version: withdrawn[0].head().version + 1, ..record.head() });
                            }
                            pending.insert(
                                id.clone(),
                                PendingRecord { record: records.len(), index, repeated: Vec::new() },
                            );
                            records.push(record);
                            Outcome::Created(id)
                        }
                    }
                });
            }
            let verdicts = validate_against_store(&*self.register, connection, &records, lookup, context)?;
            for item in pending.into_values() {
                let violations = &verdicts[item.record];
                if !violations.is_empty() {
                    // What repeats a refused item is refused like it: nothing of it is stored.
                    for index in item.repeated.into_iter().chain([item.index]) {
                        outcomes[index] = Outcome::Rejected(violations.clone());
                    }
                }
            }
            let all_passed = verdicts.iter().all(Violations::is_empty);
            let mut passed = verdicts.iter().map(Violations::is_empty);
            records.retain(|_| passed.next().unwrap_or_default());
            self.register.complete(connection, &mut records, context)?;
            stored.retain(|_, states| withdrawn(states));
            Ok(BatchOutcome { outcomes, records, all_passed, withdrawn: stored })
        })
    }

    /// Compares a new record with the one that has its id.
    fn compared(
        &self,
        stored: &R::Record,
        new: &R::Record,
        id: String,
        context: RuleContext<'_>,
    ) -> Result<Outcome, Error> {
        let area = stored.head().area;
        Ok(if area != new.head().area {
            Outcome::OtherArea(id, area)
        } else if self.same(stored, new, context)? {
            Outcome::Unchanged(id)
        } else {
            Outcome::Exists(id)
        })
    }

    /// Reports whether a new record says what the stored one says, but for what the register decides itself.
    fn same(&self, stored: &R::Record, new: &R::Record, context: RuleContext<'_>) -> Result<bool, Error> {
        let mut candidate = new.clone();
        candidate.set_head(stored.head());
        candidate.set_told(stored.told().to_vec());
        let mut contents =
            [self.register.encode(stored, context, true)?, self.register.encode(&candidate, context, true)?];
        for content in &mut contents {
            // The same item sent again is the same, whatever was decided on it since.
            R::Record::clear_decided(content);
        }
        Ok(contents[0] == contents[1])
    }

    /// Brings the new records into the order in which they are written, and notes when that is and what the journal says.
    fn note_recorded(&self, batch: &mut BatchOutcome<R::Record>, now: i64) {
        batch.records.sort_unstable_by(|one, other| one.id().cmp(other.id()));
        self.context.with_rule_context(now, |context| {
            for record in &mut batch.records {
                record.recorded(now);
                let told = prost::Message::encode_to_vec(&self.register.row(record, context));
                record.set_told(told);
            }
        });
    }

    /// Writes those that come again after they were withdrawn, as the next version of what was there, and takes them
    /// out of the others.
    fn insert_again(&self, tx: &mut Tx<'_>, batch: &mut BatchOutcome<R::Record>) -> Result<Vec<R::Record>, Error> {
        let records = std::mem::take(&mut batch.records);
        let (mut again, new): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| batch.withdrawn.contains_key(record.id()));
        batch.records = new;
        self.context.with_rule_context(tx.now(), |context| {
            for record in &mut again {
                let Some(was) = batch.withdrawn.get(record.id()) else { continue };
                let mut replaced = rewrite(tx, &*self.register, was, vec![record.clone()], context)?;
                if let Some(now) = replaced.pop() {
                    *record = now;
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(again)
    }

    /// Returns what would become of items, and writes nothing.
    pub(super) async fn check_only(&self, items: Vec<Validated<R::Record>>) -> Result<Vec<pb::ItemResult>, Error> {
        let engine = self.clone();
        let now = self.context.store.now();
        self.context
            .store
            .read_long(move |connection| {
                let stored = find_stored(connection, &items)?;
                Ok(results::<R>(engine.judge(connection, items, stored, Lookup::Unlocked, now)?.outcomes, true))
            })
            .await
    }

    /// Reports whether a new record would go in as things stand.
    pub(super) async fn would_be_recorded(&self, record: R::Record, now: i64) -> Result<bool, Error> {
        let engine = self.clone();
        self.context
            .store
            .read(move |connection| {
                let items = vec![Ok(record)];
                let stored = find_stored(connection, &items)?;
                let batch = engine.judge(connection, items, stored, Lookup::Unlocked, now)?;
                Ok(matches!(batch.outcomes.as_slice(), [Outcome::Created(_)]))
            })
            .await
    }
}

/// Refuses an identity number as the id of a record: ids stand in names, journals and logs.
fn check_id(id: &str) -> Result<(), Violations> {
    let mut violations = Violations::new();
    let mut parts = id.split(|character: char| !character.is_ascii_alphanumeric()).filter(|part| part.len() == 18);
    violations.require(
        !parts.any(|part| ResidentId::parse_stored(&part.to_ascii_uppercase()).is_ok()),
        "name",
        "IDENTITY_NUMBER",
        "must not hold an identity number",
        "编号中不得含有公民身份号码",
    );
    violations.into_result(())
}

/// Locks what states rest on and validates them against the store: that what they name is there, and in their county where
/// the contract says so, then by the register's own checks. One set of violations for each; where it names the wrong record,
/// no other check speaks.
pub(super) fn validate_against_store<R: Register>(
    register: &R,
    connection: &mut AnyConnection,
    states: &[R::Record],
    lookup: Lookup,
    context: RuleContext<'_>,
) -> Result<Vec<Violations>, Error> {
    if lookup == Lookup::Locked {
        register.lock(connection, states)?;
    }
    let named = references::validate_named(connection, states, lookup)?;
    if named.iter().all(Violations::is_empty) {
        return register.validate_against_store(connection, states, context);
    }
    // A state that is refused already must hold no key against the others of its batch.
    let sound: Vec<R::Record> =
        states.iter().zip(&named).filter(|(_, found)| found.is_empty()).map(|(state, _)| state.clone()).collect();
    let mut verdicts = register.validate_against_store(connection, &sound, context)?.into_iter();
    let verdict = |found: Violations| if found.is_empty() { verdicts.next().unwrap_or_default() } else { found };
    Ok(named.into_iter().map(verdict).collect())
}

/// Finds what is stored under the ids of items.
fn find_stored<Record: Table>(
    connection: &mut AnyConnection,
    items: &[Validated<Record>],
) -> Result<HashMap<String, Vec<Record>>, Error> {
    let ids: Vec<String> = items.iter().flatten().map(|record| record.id().to_owned()).collect();
    let mut found: HashMap<String, Vec<Record>> = HashMap::new();
    for state in Record::find(connection, &ids)? {
        found.entry(state.id().to_owned()).or_default().push(state);
    }
    Ok(found)
}

/// Answers items in their order.
fn results<R: Register>(outcomes: Vec<Outcome>, validate_only: bool) -> Vec<pb::ItemResult> {
    outcomes.into_iter().enumerate().map(|(index, outcome)| outcome.result::<R>(index, validate_only)).collect()
}

impl Outcome {
    fn result<R: Register>(self, index: usize, validate_only: bool) -> pb::ItemResult {
        let mut result =
            pb::ItemResult { index: i32::try_from(index).unwrap_or(i32::MAX), ..pb::ItemResult::default() };
        let name = |id: &str| format!("{}/{id}", R::COLLECTION);
        let (outcome, name) = match self {
            Self::Created(_) if validate_only => (pb::ItemOutcome::Valid, String::new()),
            Self::Created(id) => (pb::ItemOutcome::Created, name(&id)),
            Self::Unchanged(id) => (pb::ItemOutcome::Unchanged, name(&id)),
            Self::Exists(id) => {
                let mut violations = Violations::new();
                violations.add("name", "RECORD_EXISTS", "exists with another content", "编号已存在且内容不同");
                result.violations = violations.into_messages();
                (pb::ItemOutcome::Rejected, name(&id))
            }
            Self::OtherArea(id, area) => {
                let mut violations = Violations::new();
                violations.add_immutable("area", &area);
                result.violations = violations.into_messages();
                (pb::ItemOutcome::Rejected, name(&id))
            }
            Self::Rejected(violations) => {
                result.violations = violations.into_messages();
                (pb::ItemOutcome::Rejected, String::new())
            }
        };
        result.outcome = outcome.into();
        result.name = name;
        result
    }
}
