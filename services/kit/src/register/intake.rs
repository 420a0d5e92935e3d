//! How items come into a register: decoded, judged against what is there, written, answered one by one.
//!
//! Creations, uploads and batches of returns take this one way.

use std::collections::HashMap;

use minsheng_proto::common::v1 as pb;

use super::{Declared as _, Engine, FOREVER, Facts, Head, Register, Table, dates, engine::rewrite, references};
use crate::{
    error::{Error, Violations},
    status,
    store::{AnyConnection, Idempotency, JournalEntry, Tx, Unit},
    values::{calendar::epoch_day, divisions::AreaCode, identifiers::ResidentId},
};

/// An item that passed the contract's and the register's rules, or what it broke.
pub(super) type Decoded<Record> = Result<Record, Violations>;

impl<R: Register> Engine<R> {
    /// Records the items of a batch, each judged by itself, by its contract too; one answer for each, in order.
    pub async fn record_all(&self, key: Idempotency, items: &[R::Resource]) -> Result<Vec<pb::ItemResult>, Error> {
        self.write_all(key, self.decode_all(items)).await
    }

    /// Checks each item by the rules of its own message, then by the register's.
    pub(super) fn decode_all(&self, items: &[R::Resource]) -> Vec<Decoded<R::Record>> {
        let now = self.context.store.now();
        let checked = |item| status::validate(item).err().unwrap_or_default();
        self.context
            .with_facts(now, |facts| items.iter().map(|item| self.decode(item, None, checked(item), facts)).collect())
    }

    /// Writes what passed; one answer for each item.
    pub(super) async fn write_all(
        &self,
        key: Idempotency,
        mut items: Vec<Decoded<R::Record>>,
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

    /// Says what would become of items, and writes nothing.
    pub(super) async fn check_only(&self, items: Vec<Decoded<R::Record>>) -> Result<Vec<pb::ItemResult>, Error> {
        let engine = self.clone();
        let now = self.context.store.now();
        self.context
            .store
            .read_long(move |connection| {
                let there = there(connection, &items)?;
                Ok(results::<R>(engine.judge(connection, items, there, now)?.outcomes, true))
            })
            .await
    }

    /// Checks a request's one new resource, which kept the contract, by the register's rules, and gives it a head.
    pub(super) fn decode_new(
        &self,
        resource: &R::Resource,
        effective_on: Option<&pb::Date>,
        facts: Facts<'_>,
    ) -> Decoded<R::Record> {
        let mut violations = Violations::new();
        let from = dates::optional_day("effective_on", effective_on, &mut violations);
        let from = from.filter(|_| violations.is_empty());
        match self.decode(resource, from, Violations::new(), facts) {
            Ok(record) => violations.into_result(record),
            Err(found) => {
                violations.extend_under(R::FIELD, found);
                Err(violations)
            }
        }
    }

    /// Checks one item by the register's rules, unless it broke the contract's, and gives it a head.
    fn decode(
        &self,
        resource: &R::Resource,
        effective_on: Option<i64>,
        mut violations: Violations,
        facts: Facts<'_>,
    ) -> Decoded<R::Record> {
        match AreaCode::parse(R::area(resource)) {
            Ok(area) if self.register.keeps_area(area) => {}
            Ok(_) => violations.add("area", "WRONG_LEVEL", "is not a county of the region", "不是本区县级区划"),
            Err(error) => violations.add("area", error.reason(), error.to_string(), error.message_zh()),
        }
        let from = effective_on.unwrap_or_else(|| epoch_day(self.register.effective_on(resource, facts.today)));
        if !violations.is_empty() {
            return Err(violations);
        }
        let id = match R::name(resource).strip_prefix(R::COLLECTION).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => id.to_owned(),
            None => {
                self.register.natural_id(resource, facts).unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string())
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
        self.register.decode(resource, head, None, facts)
    }

    /// Says whether a new record would go in as things stand.
    pub(super) async fn would_be_recorded(&self, record: R::Record, now: i64) -> Result<bool, Error> {
        let engine = self.clone();
        self.context
            .store
            .read(move |connection| {
                let items = vec![Ok(record)];
                let there = there(connection, &items)?;
                let judged = engine.judge(connection, items, there, now)?;
                Ok(matches!(judged.outcomes.as_slice(), [Outcome::Created(_)]))
            })
            .await
    }

    /// Judges items beside what is there of their ids, and by what the register checks against the store.
    fn judge(
        &self,
        connection: &mut AnyConnection,
        items: Vec<Decoded<R::Record>>,
        mut there: HashMap<String, Vec<R::Record>>,
        now: i64,
    ) -> Result<Judged<R::Record>, Error> {
        self.context.with_facts(now, |facts| {
            let mut outcomes = Vec::with_capacity(items.len());
            let mut records: Vec<R::Record> = Vec::with_capacity(items.len());
            let mut coming: HashMap<String, Coming> = HashMap::with_capacity(items.len());
            let withdrawn = |states: &[R::Record]| states.iter().all(|state| state.head().is_withdrawn());
            for item in items {
                let place = outcomes.len();
                outcomes.push(match item {
                    Err(violations) => Outcome::Rejected(violations),
                    Ok(mut record) => {
                        let id = record.id().to_owned();
                        let stored = there.get(&id);
                        if let Some(stored) = stored.filter(|stored| !withdrawn(stored)) {
                            // What is sent again is what was sent first, whatever became of the record since.
                            self.compared(&stored[0], &record, id, facts)?
                        } else if let Some(first) = coming.get_mut(&id) {
                            first.repeated.push(place);
                            self.compared(&records[first.record], &record, id, facts)?
                        } else {
                            if let Some(withdrawn) = stored {
                                record.set_head(Head { version: withdrawn[0].head().version + 1, ..record.head() });
                            }
                            coming.insert(id.clone(), Coming { record: records.len(), place, repeated: Vec::new() });
                            records.push(record);
                            Outcome::Created(id)
                        }
                    }
                });
            }
            let verdicts = self.register.check(connection, &records, facts)?;
            self.register.complete(connection, &mut records, facts)?;
            for item in coming.into_values() {
                let violations = &verdicts[item.record];
                if !violations.is_empty() {
                    // What repeats a refused item is refused like it: nothing of it is there.
                    for place in item.repeated.into_iter().chain([item.place]) {
                        outcomes[place] = Outcome::Rejected(violations.clone());
                    }
                }
            }
            let all_passed = verdicts.iter().all(Violations::is_empty);
            let mut passed = verdicts.iter().map(Violations::is_empty);
            records.retain(|_| passed.next().unwrap_or_default());
            there.retain(|_, stored| withdrawn(stored));
            Ok(Judged { outcomes, records, all_passed, withdrawn: there })
        })
    }

    /// Compares a new record with the one that has its id.
    fn compared(&self, there: &R::Record, new: &R::Record, id: String, facts: Facts<'_>) -> Result<Outcome, Error> {
        let area = there.head().area;
        Ok(if area != new.head().area {
            Outcome::OtherArea(id, area)
        } else if self.same(there, new, facts)? {
            Outcome::Unchanged(id)
        } else {
            Outcome::Exists(id)
        })
    }

    /// Says whether a new record says what one says that has its id, but for what the register decides itself.
    fn same(&self, there: &R::Record, new: &R::Record, facts: Facts<'_>) -> Result<bool, Error> {
        let mut candidate = new.clone();
        candidate.set_head(there.head());
        candidate.set_told(there.told().to_vec());
        let mut contents = [self.register.encode(there, facts, true)?, self.register.encode(&candidate, facts, true)?];
        for content in &mut contents {
            // The same item sent again is the same, whatever was decided on it since.
            R::Record::clear_decided(content);
        }
        Ok(contents[0] == contents[1])
    }

    /// Writes what is new, with its journal entries, in the order of ids: units that write some of the same then wait
    /// for each other and never in a circle.
    pub(super) fn insert(&self, tx: &mut Tx<'_>, items: Vec<Decoded<R::Record>>) -> Result<Judged<R::Record>, Error> {
        let now = tx.now();
        let (mut judged, again) = if let Some(judged) = self.insert_unseen(tx, &items)? {
            (judged, Vec::new())
        } else {
            let there = there(tx.connection, &items)?;
            let mut judged = self.judge(tx.connection, items, there, now)?;
            self.note_recorded(&mut judged, now);
            let again = if judged.withdrawn.is_empty() { Vec::new() } else { self.insert_again(tx, &mut judged)? };
            R::Record::insert(tx.connection, &judged.records)?;
            (judged, again)
        };
        let dataset = self.register.dataset();
        for record in &judged.records {
            tx.journal(JournalEntry::asserts(&dataset, &record.head(), record.told()));
        }
        references::keep::<R>(tx.connection, &judged.records)?;
        self.context.with_facts(now, |facts| self.register.written(tx, &judged.records, facts))?;
        judged.records.extend(again);
        Ok(judged)
    }

    /// Brings the new records into the order in which they are written, and notes when that is and what the journal says.
    fn note_recorded(&self, judged: &mut Judged<R::Record>, now: i64) {
        judged.records.sort_unstable_by(|one, other| one.id().cmp(other.id()));
        self.context.with_facts(now, |facts| {
            for record in &mut judged.records {
                record.recorded(now);
                let told = prost::Message::encode_to_vec(&self.register.row(record, facts));
                record.set_told(told);
            }
        });
    }

    /// Writes items without a look for what is there of them, which costs nearly as much as to write them and most often
    /// finds nothing. Nothing is written and nothing given where something is there, or where an item does not pass the
    /// register's checks, for which what is there may be the reason.
    ///
    /// Only for SQLite, where a look is a walk for each id; on PostgreSQL it is one journey for all.
    fn insert_unseen(&self, tx: &mut Tx<'_>, items: &[Decoded<R::Record>]) -> Result<Option<Judged<R::Record>>, Error> {
        if matches!(tx.connection, AnyConnection::Postgres(_)) || items.len() <= super::FEW_IDS {
            return Ok(None);
        }
        let now = tx.now();
        let mut judged = self.judge(tx.connection, items.to_vec(), HashMap::new(), now)?;
        if !judged.all_passed {
            return Ok(None);
        }
        self.note_recorded(&mut judged, now);
        match tx.attempt(|connection| R::Record::insert(connection, &judged.records)) {
            Ok(()) => Ok(Some(judged)),
            Err(Error::Raced) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes those that come again after they were withdrawn, as the next version of what was there, and takes them
    /// out of the others.
    fn insert_again(&self, tx: &mut Tx<'_>, judged: &mut Judged<R::Record>) -> Result<Vec<R::Record>, Error> {
        let records = std::mem::take(&mut judged.records);
        let (mut again, new): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| judged.withdrawn.contains_key(record.id()));
        judged.records = new;
        self.context.with_facts(tx.now(), |facts| {
            for record in &mut again {
                let Some(was) = judged.withdrawn.get(record.id()) else { continue };
                let mut replaced = rewrite(tx, &*self.register, was, vec![record.clone()], facts)?;
                if let Some(now) = replaced.pop() {
                    *record = now;
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(again)
    }
}

/// Finds what is there of the ids of items.
fn there<Record: Table>(
    connection: &mut AnyConnection,
    items: &[Decoded<Record>],
) -> Result<HashMap<String, Vec<Record>>, Error> {
    let ids: Vec<String> = items.iter().flatten().map(|record| record.id().to_owned()).collect();
    let mut found: HashMap<String, Vec<Record>> = HashMap::new();
    for state in Record::find(connection, &ids)? {
        found.entry(state.id().to_owned()).or_default().push(state);
    }
    Ok(found)
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

/// The part that every upload's and batch's response has: kept as the first answer.
#[derive(Clone, PartialEq, prost::Message)]
struct KeptResults {
    #[prost(message, repeated, tag = "2")]
    results: Vec<pb::ItemResult>,
}

/// What became of items, and the records that are new.
pub(super) struct Judged<Record> {
    /// One for each item, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// Those of the created.
    pub(super) records: Vec<Record>,
    /// Whatever is new passed the register's checks against the store.
    all_passed: bool,
    /// What is there of their ids and was withdrawn, by id.
    withdrawn: HashMap<String, Vec<Record>>,
}

/// A new record of a chunk: where it is, and which items repeat it.
struct Coming {
    record: usize,
    place: usize,
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
