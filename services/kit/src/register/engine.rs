//! The engine of every register: decode, decide, write, answer.

use std::sync::Arc;

use minsheng_proto::common::v1 as pb;

use super::{Facts, Head, Register, Table, dates, resource::merged};
use crate::{
    context::Context,
    error::{Error, Violations},
    journal::Change,
    status,
    store::{AnyConnection, Idempotency, JournalEntry, Tx, Unit},
    values::{calendar::epoch_day, divisions::AreaCode},
};

/// Most entries of a page.
const LARGEST_PAGE: usize = 1000;
/// Entries of a page when the caller does not say.
const USUAL_PAGE: usize = 100;
/// Chunks above this size are decoded on a thread that may block.
const SMALL_CHUNK: usize = 32;

/// A page of a list.
#[derive(Debug)]
pub struct ListPage<T> {
    /// By id.
    pub items: Vec<T>,
    /// Empty at the end.
    pub next_page_token: String,
}

/// A register at work: its rules, its table and the department's context.
pub struct Engine<R> {
    register: Arc<R>,
    context: Context,
}

impl<R> Clone for Engine<R> {
    fn clone(&self) -> Self {
        Self { register: Arc::clone(&self.register), context: self.context.clone() }
    }
}

/// An item that passed the contract's and the register's rules, or what it broke.
type Decoded<Record> = Result<Record, Violations>;

impl<R: Register> Engine<R> {
    /// Puts a register to work.
    pub fn new(register: R, context: Context) -> Self {
        Self { register: Arc::new(register), context }
    }

    /// Gives the register.
    pub fn register(&self) -> &R {
        &self.register
    }

    /// Gives the department's context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Records one.
    pub async fn create(
        &self,
        key: Idempotency,
        resource: R::Resource,
        effective_on: Option<pb::Date>,
    ) -> Result<R::Resource, Error> {
        let now = self.context.store.now();
        let record = self.context.with_facts(now, |facts| self.decode(&resource, effective_on.as_ref(), facts))?;
        self.insert_one(key, record).await
    }

    /// Writes one new record and gives it back as its resource.
    pub(super) async fn insert_one(&self, key: Idempotency, record: R::Record) -> Result<R::Resource, Error> {
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let mut records = engine.insert(tx, vec![Ok(record)])?;
                match records.pop() {
                    Some(Inserted::Created(record)) => {
                        engine.context.with_facts(tx.now(), |facts| engine.encode(&record, facts, false))
                    }
                    Some(Inserted::Unchanged(id) | Inserted::Exists(id)) => {
                        Err(Error::AlreadyExists(format!("{}/{id}", R::COLLECTION)))
                    }
                    Some(Inserted::Rejected(violations)) => Err(Error::Invalid(violations)),
                    None => Err(Error::internal("one item went in and none came out")),
                }
            })
            .await
    }

    /// Gives one by name.
    pub async fn get(&self, name: &str) -> Result<R::Resource, Error> {
        let id = id_of::<R>(name)?;
        let engine = self.clone();
        self.context
            .store
            .read(move |connection| {
                let record = R::Record::find(connection, std::slice::from_ref(&id))?.pop();
                let record = record.ok_or_else(|| Error::NotFound(format!("{}/{id}", R::COLLECTION)))?;
                let now = engine.context.store.now();
                engine.context.with_facts(now, |facts| engine.encode(&record, facts, false))
            })
            .await
    }

    /// Lists those of an area.
    pub async fn list(&self, area: &str, page_size: i32, page_token: &str) -> Result<ListPage<R::Resource>, Error> {
        let area = AreaCode::parse(area).map_err(|error| unknown_area(&error))?;
        let size = match usize::try_from(page_size) {
            Ok(0) | Err(_) => USUAL_PAGE,
            Ok(size) => size.min(LARGEST_PAGE),
        };
        let scope = format!("{}/{}", R::COLLECTION, area.as_str());
        let after = if page_token.is_empty() {
            String::new()
        } else {
            self.context.keys.read_page_token(&scope, page_token)?
        };
        let engine = self.clone();
        self.context
            .store
            .read_long(move |connection| {
                let (low, high) = area_range(area);
                let limit = i64::try_from(size + 1).map_err(Error::internal)?;
                let mut records = R::Record::page(connection, (&low, &high), &after, limit)?;
                let more = records.len() > size;
                records.truncate(size);
                let next_page_token = match records.last() {
                    Some(last) if more => engine.context.keys.page_token(&scope, &last.head().id),
                    _ => String::new(),
                };
                let now = engine.context.store.now();
                let items = engine.context.with_facts(now, |facts| {
                    records.iter().map(|record| engine.encode(record, facts, false)).collect::<Result<_, _>>()
                })?;
                Ok(ListPage { items, next_page_token })
            })
            .await
    }

    /// Changes one, from a day on or from the day on which its present content became true.
    pub async fn update(
        &self,
        key: Idempotency,
        resource: R::Resource,
        etag: &str,
        mask: Option<prost_types::FieldMask>,
        effective_on: Option<pb::Date>,
    ) -> Result<R::Resource, Error> {
        let id = id_of::<R>(R::name(&resource))?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let now = tx.now();
                let old = engine.lock(tx, &id, &etag)?;
                engine.context.with_facts(now, |facts| {
                    let before = engine.encode(&old, facts, true)?;
                    let after = merged(&before, &resource, mask.as_ref())?;
                    status::validate(&after).map_err(Error::Invalid)?;
                    let mut head = old.head();
                    if let Some(date) = &effective_on {
                        head.effective_on = changed_on(&head, date)?;
                    }
                    head.version += 1;
                    head.updated_at = now;
                    let mut records = [engine.register.decode(&after, head, Some(&old), facts)?];
                    for violations in engine.register.check(tx.connection, &records, facts)? {
                        violations.into_result(())?;
                    }
                    engine.register.complete(tx.connection, &mut records, facts)?;
                    let [record] = records;
                    engine.replace(tx, &old, &before, record, Change::Changed, None, facts)
                })
            })
            .await
    }

    /// Changes what only the service decides, as an approval: the closure makes the new record out of the old one.
    ///
    /// The head's version is the kit's to count; a head with another `effective_on` makes a new state of the record.
    pub async fn transition<F>(&self, key: Idempotency, name: &str, etag: &str, f: F) -> Result<R::Resource, Error>
    where
        F: FnOnce(&R::Record, Facts<'_>) -> Result<R::Record, Error> + Send + 'static,
    {
        let id = id_of::<R>(name)?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let now = tx.now();
                let old = engine.lock(tx, &id, &etag)?;
                engine.context.with_facts(now, |facts| {
                    let before = engine.encode(&old, facts, true)?;
                    let mut record = f(&old, facts)?;
                    let head = record.head();
                    record.set_head(Head { version: old.head().version + 1, updated_at: now, ..head });
                    engine.replace(tx, &old, &before, record, Change::Changed, None, facts)
                })
            })
            .await
    }

    /// Ends or withdraws one.
    pub async fn end(
        &self,
        key: Idempotency,
        name: &str,
        etag: &str,
        kind: i32,
        ended_on: Option<pb::Date>,
    ) -> Result<R::Resource, Error> {
        let id = id_of::<R>(name)?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let now = tx.now();
                let old = engine.lock(tx, &id, &etag)?;
                let mut head = old.head();
                head.version += 1;
                head.updated_at = now;
                let (change, valid_on) = if kind == pb::EndKind::Withdrawn as i32 {
                    head.state = pb::RecordState::Withdrawn as i64;
                    (Change::Withdrawn, head.effective_on)
                } else {
                    let mut violations = Violations::new();
                    let day = dates::required_day("ended_on", ended_on.as_ref(), &mut violations);
                    violations.require(
                        !violations.is_empty() || day >= head.effective_on,
                        "ended_on",
                        "BEFORE_EFFECTIVE",
                        "lies before the day on which the content became true",
                        "早于内容生效日期",
                    );
                    violations.into_result(())?;
                    head.state = pb::RecordState::Ended as i64;
                    head.ended_on = Some(day);
                    (Change::Ended, day)
                };
                let mut record = old.clone();
                record.set_head(head);
                engine.context.with_facts(now, |facts| {
                    let before = engine.encode(&old, facts, true)?;
                    engine.replace(tx, &old, &before, record, change, Some(valid_on), facts)
                })
            })
            .await
    }

    /// Records many, or only checks them; one answer for each, in order.
    pub async fn record_all(
        &self,
        key: Idempotency,
        items: Vec<R::Resource>,
        validate_only: bool,
    ) -> Result<Vec<pb::ItemResult>, Error> {
        let now = self.context.store.now();
        let (engine, items_len) = (self.clone(), items.len());
        let decode = move || -> Vec<Decoded<R::Record>> {
            engine.context.with_facts(now, |facts| {
                items.iter().map(|resource| engine.decode(resource, None, facts)).collect()
            })
        };
        let decoded = if items_len <= SMALL_CHUNK {
            decode()
        } else {
            tokio::task::spawn_blocking(decode).await.map_err(Error::internal)?
        };
        let engine = self.clone();
        if validate_only {
            return self
                .context
                .store
                .read_long(move |connection| {
                    let judged = engine.judge(connection, decoded, now)?;
                    Ok(judged.into_iter().enumerate().map(|(index, item)| item.result::<R>(index, true)).collect())
                })
                .await;
        }
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let inserted = engine.insert(tx, decoded)?;
                let results =
                    inserted.into_iter().enumerate().map(|(index, item)| item.result::<R>(index, false)).collect();
                // The kept answer must be a message; every upload's response has this shape.
                Ok(KeptResults { results })
            })
            .await
            .map(|kept| kept.results)
    }

    /// Checks one item by the contract and by the register, and gives it a head.
    pub(super) fn decode(
        &self,
        resource: &R::Resource,
        effective_on: Option<&pb::Date>,
        facts: Facts<'_>,
    ) -> Decoded<R::Record> {
        let mut violations = Violations::new();
        if let Err(found) = status::validate(resource) {
            violations.extend_under("", found);
        }
        match AreaCode::parse(R::area(resource)) {
            Ok(area) if self.register.keeps_area(area) => {}
            Ok(_) => violations.add("area", "WRONG_LEVEL", "is not a county of the region", "不是本区县级区划"),
            Err(error) => violations.add("area", error.reason(), error.to_string(), error.message_zh()),
        }
        let from = match effective_on {
            Some(date) => dates::required_day("effective_on", Some(date), &mut violations),
            None => epoch_day(self.register.effective_on(resource, facts.today)),
        };
        if !violations.is_empty() {
            return Err(violations);
        }
        let id = match R::name(resource).strip_prefix(R::COLLECTION).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => id.to_owned(),
            None => self
                .register
                .natural_id(resource, facts)
                .unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string()),
        };
        let head = Head {
            id,
            area: R::area(resource).to_owned(),
            version: 1,
            effective_on: from,
            state: pb::RecordState::Active as i64,
            ended_on: None,
            created_at: 0,
            updated_at: 0,
        };
        self.register.decode(resource, head, None, facts)
    }

    /// Says whether a new record would go in as things stand.
    pub(super) async fn would_be_recorded(&self, record: R::Record, now: i64) -> Result<bool, Error> {
        let engine = self.clone();
        self.context
            .store
            .read(move |connection| {
                let judged = engine.judge(connection, vec![Ok(record)], now)?;
                Ok(matches!(judged.as_slice(), [Inserted::Created(_)]))
            })
            .await
    }

    /// Looks at the store: what is there already, and what the register checks against it.
    fn judge(
        &self,
        connection: &mut AnyConnection,
        items: Vec<Decoded<R::Record>>,
        now: i64,
    ) -> Result<Vec<Inserted<R::Record>>, Error> {
        let ids: Vec<String> = items.iter().flatten().map(|record| record.head().id).collect();
        let mut known: std::collections::HashMap<String, R::Record> = std::collections::HashMap::new();
        for part in ids.chunks(super::ROWS_PER_INSERT) {
            known.extend(R::Record::find(connection, part)?.into_iter().map(|record| (record.head().id, record)));
        }
        let mut judged = Vec::with_capacity(items.len());
        let mut fresh = Vec::new();
        self.context.with_facts(now, |facts| {
            for item in items {
                judged.push(match item {
                    Err(violations) => Inserted::Rejected(violations),
                    Ok(record) => {
                        let id = record.head().id;
                        if let Some(there) = known.get(&id) {
                            let mut contents = [self.register.encode(there, facts, true)?, {
                                let mut candidate = record.clone();
                                candidate.set_head(there.head());
                                self.register.encode(&candidate, facts, true)?
                            }];
                            for content in &mut contents {
                                self.register.clear_decided(content);
                            }
                            let same = contents[0] == contents[1];
                            if same { Inserted::Unchanged(id) } else { Inserted::Exists(id) }
                        } else {
                            known.insert(id, record.clone());
                            fresh.push((judged.len(), record));
                            Inserted::Unchanged(String::new())
                        }
                    }
                });
            }
            let (places, mut records): (Vec<usize>, Vec<R::Record>) = fresh.into_iter().unzip();
            let verdicts = self.register.check(connection, &records, facts)?;
            self.register.complete(connection, &mut records, facts)?;
            for ((place, record), violations) in places.into_iter().zip(records).zip(verdicts) {
                judged[place] = if violations.is_empty() {
                    Inserted::Created(record)
                } else {
                    Inserted::Rejected(violations)
                };
            }
            Ok(judged)
        })
    }

    /// Writes what is new, with its journal entries.
    fn insert(&self, tx: &mut Tx<'_>, items: Vec<Decoded<R::Record>>) -> Result<Vec<Inserted<R::Record>>, Error> {
        let now = tx.now();
        let mut judged = self.judge(tx.connection, items, now)?;
        let mut records = Vec::new();
        for item in &mut judged {
            if let Inserted::Created(record) = item {
                let head = record.head();
                record.set_head(Head { created_at: now, updated_at: now, ..head });
                records.push(record.clone());
            }
        }
        R::Record::insert(tx.connection, &records)?;
        self.context.with_facts(now, |facts| {
            let dataset = self.register.dataset();
            for record in &records {
                let (head, row) = (record.head(), self.register.row(record, facts));
                tx.journal(JournalEntry::new(
                    &dataset,
                    &head.id,
                    Change::Created,
                    head.effective_on,
                    &head.area,
                    &row,
                ));
            }
            self.register.written(tx, &records, facts)
        })?;
        Ok(judged)
    }

    /// Finds a record for a change and compares the etag.
    fn lock(&self, tx: &mut Tx<'_>, id: &str, etag: &str) -> Result<R::Record, Error> {
        let name = || format!("{}/{id}", R::COLLECTION);
        let old = R::Record::lock(tx.connection, id)?.ok_or_else(|| Error::NotFound(name()))?;
        let head = old.head();
        if self::etag(&head) != etag {
            return Err(Error::EtagMismatch(name()));
        }
        if head.state == pb::RecordState::Withdrawn as i64 {
            return Err(Error::Precondition {
                reason: "RECORD_WITHDRAWN",
                description: format!("{} was withdrawn", name()),
            });
        }
        Ok(old)
    }

    /// Replaces a record: keeps what it was, tells the journal what it is.
    #[expect(clippy::too_many_arguments, reason = "one private step of three callers")]
    pub(super) fn replace(
        &self,
        tx: &mut Tx<'_>,
        old: &R::Record,
        before: &R::Resource,
        record: R::Record,
        change: Change,
        valid_on: Option<i64>,
        facts: Facts<'_>,
    ) -> Result<R::Resource, Error> {
        let was = old.head();
        if !R::Record::replace(tx.connection, &record, was.version)? {
            return Err(Error::EtagMismatch(format!("{}/{}", R::COLLECTION, was.id)));
        }
        keep::<R>(tx, &was, before, facts);
        let head = record.head();
        let row = self.register.row(&record, facts);
        let valid_on = valid_on.unwrap_or(head.effective_on);
        tx.journal(JournalEntry::new(&self.register.dataset(), &head.id, change, valid_on, &head.area, &row));
        self.register.written(tx, std::slice::from_ref(&record), facts)?;
        self.encode(&record, facts, false)
    }

    /// Makes the resource with its envelope.
    pub(super) fn encode(&self, record: &R::Record, facts: Facts<'_>, reveal: bool) -> Result<R::Resource, Error> {
        resource_of(&*self.register, record, facts, reveal)
    }
}

/// Keeps the content that a record had, for its history: for a register that writes into another register's record
/// in its own unit. The engine does this itself for the records that it changes.
pub fn keep_revision<R: Register>(
    tx: &mut Tx<'_>,
    register: &R,
    was: &R::Record,
    facts: Facts<'_>,
) -> Result<(), Error> {
    let before = resource_of(register, was, facts, true)?;
    keep::<R>(tx, &was.head(), &before, facts);
    Ok(())
}

fn keep<R: Register>(tx: &mut Tx<'_>, was: &Head, before: &R::Resource, facts: Facts<'_>) {
    let place = format!("revisions.{}", R::COLLECTION);
    let sealed = facts.keys.seal(&place, &prost::Message::encode_to_vec(before));
    tx.revision(R::COLLECTION, &was.id, was.version, was.effective_on, sealed);
}

/// Makes the resource of a record, with its envelope.
fn resource_of<R: Register>(
    register: &R,
    record: &R::Record,
    facts: Facts<'_>,
    reveal: bool,
) -> Result<R::Resource, Error> {
    let mut resource = register.encode(record, facts, reveal)?;
    let head = record.head();
    let meta = pb::RecordMeta {
        etag: etag(&head),
        create_time: Some(dates::moment(head.created_at)),
        update_time: Some(dates::moment(head.updated_at)),
        effective_on: dates::date(head.effective_on),
        state: i32::try_from(head.state).unwrap_or_default(),
        ended_on: head.ended_on.and_then(dates::date),
    };
    R::set_envelope(&mut resource, format!("{}/{}", R::COLLECTION, head.id), head.area, meta);
    Ok(resource)
}

/// The part that every upload's and batch's response has: kept as the first answer.
#[derive(Clone, PartialEq, prost::Message)]
struct KeptResults {
    #[prost(message, repeated, tag = "2")]
    results: Vec<pb::ItemResult>,
}

/// What became of an item in the store.
enum Inserted<Record> {
    Created(Record),
    Unchanged(String),
    Exists(String),
    Rejected(Violations),
}

impl<Record: Table> Inserted<Record> {
    fn result<R: Register>(self, index: usize, validate_only: bool) -> pb::ItemResult {
        let mut result =
            pb::ItemResult { index: i32::try_from(index).unwrap_or(i32::MAX), ..pb::ItemResult::default() };
        let name = |id: &str| format!("{}/{id}", R::COLLECTION);
        let (outcome, name) = match self {
            Self::Created(_) if validate_only => (pb::ItemOutcome::Valid, String::new()),
            Self::Created(record) => (pb::ItemOutcome::Created, name(&record.head().id)),
            Self::Unchanged(id) => (pb::ItemOutcome::Unchanged, name(&id)),
            Self::Exists(id) => {
                let mut violations = Violations::new();
                violations.add("name", "RECORD_EXISTS", "exists with another content", "编号已存在且内容不同");
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

/// Gives the etag of a version.
fn etag(head: &Head) -> String {
    format!("v{}", head.version)
}

fn id_of<R: Register>(name: &str) -> Result<String, Error> {
    name.strip_prefix(R::COLLECTION)
        .and_then(|rest| rest.strip_prefix('/'))
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::invalid(
                "name",
                "WRONG_COLLECTION",
                format!("must be {}/{{id}}", R::COLLECTION),
                format!("须为 {}/{{id}}", R::COLLECTION),
            )
        })
}

fn unknown_area(error: &crate::values::divisions::DivisionError) -> Error {
    Error::invalid("area", error.reason(), error.to_string(), error.message_zh())
}

/// Gives the lowest and the highest county code of an area.
fn area_range(area: AreaCode) -> (String, String) {
    use crate::values::divisions::AreaLevel;
    let code = area.as_str();
    match area.level() {
        AreaLevel::Region => (code.to_owned(), format!("{}9999", &code[..2])),
        AreaLevel::Prefecture => (code.to_owned(), format!("{}99", &code[..4])),
        AreaLevel::County => (code.to_owned(), code.to_owned()),
    }
}

/// Checks the day from which a change is true.
fn changed_on(head: &Head, date: &pb::Date) -> Result<i64, Violations> {
    let mut violations = Violations::new();
    let day = dates::required_day("effective_on", Some(date), &mut violations);
    violations.require(
        !violations.is_empty() || day >= head.effective_on,
        "effective_on",
        "BEFORE_EFFECTIVE",
        "lies before the day on which the present content became true; correct that content instead",
        "早于现有内容的生效日期",
    );
    violations.into_result(day)
}
