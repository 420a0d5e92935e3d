//! The engine of every register: decode, decide, write, answer.

use std::{collections::BTreeSet, sync::Arc};

use minsheng_proto::common::v1 as pb;

use super::{
    Facts, Head, Register, Table, dates, ends,
    evidence::Refusals,
    intake::{Judged, Outcome},
    resource::merged,
};
use crate::{
    context::Context,
    error::{Error, Violations},
    journal::Change,
    status,
    store::{Idempotency, JournalEntry, Tx, Unit},
    values::divisions::AreaCode,
};

/// Most entries of a page.
const LARGEST_PAGE: usize = 1000;
/// Entries of a page when the caller does not say.
const USUAL_PAGE: usize = 100;

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
    pub(super) register: Arc<R>,
    pub(super) context: Context,
    pub(super) refusals: Arc<Refusals>,
}

impl<R> Clone for Engine<R> {
    fn clone(&self) -> Self {
        Self {
            register: Arc::clone(&self.register),
            context: self.context.clone(),
            refusals: Arc::clone(&self.refusals),
        }
    }
}

impl<R: Register> Engine<R> {
    /// Puts a register to work.
    pub fn new(register: R, context: Context) -> Self {
        Self { register: Arc::new(register), context, refusals: Arc::default() }
    }

    /// Gives the register.
    pub fn register(&self) -> &R {
        &self.register
    }

    /// Gives the department's context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Records one, out of a request that kept the contract.
    pub async fn create(
        &self,
        key: Idempotency,
        resource: R::Resource,
        effective_on: Option<pb::Date>,
    ) -> Result<R::Resource, Error> {
        let now = self.context.store.now();
        let record = self.context.with_facts(now, |facts| self.decode_new(&resource, effective_on.as_ref(), facts))?;
        self.insert_one(key, record).await
    }

    /// Writes one new record and gives it back as its resource.
    pub(super) async fn insert_one(&self, key: Idempotency, record: R::Record) -> Result<R::Resource, Error> {
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let Judged { mut outcomes, records, .. } = engine.insert(tx, vec![Ok(record.clone())])?;
                match (outcomes.pop(), records.as_slice()) {
                    (_, [record]) => engine.context.with_facts(tx.now(), |facts| engine.encode(record, facts, false)),
                    (Some(Outcome::Unchanged(id) | Outcome::Exists(id)), _) => {
                        Err(Error::AlreadyExists(format!("{}/{id}", R::COLLECTION)))
                    }
                    (Some(Outcome::Rejected(violations)), _) => Err(Error::Invalid(under_field::<R>(violations))),
                    (Some(Outcome::Created(_)) | None, _) => Err(Error::internal("one item went in and none came out")),
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
            .read_one(move |connection| {
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
        let id = id_of::<R>(R::name(&resource)).map_err(under_field::<R>)?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let now = tx.now();
                let old = lock::<R>(tx, &id, &etag)?;
                engine.context.with_facts(now, |facts| {
                    let before = engine.encode(&old, facts, true)?;
                    let after = merged(&before, &resource, mask.as_ref())?;
                    status::validate(&after).map_err(under_field::<R>)?;
                    let mut head = old.head();
                    if let Some(date) = &effective_on {
                        head.effective_on = changed_on(&head, date)?;
                        ends::before_end(&head)?;
                    }
                    head.version += 1;
                    head.updated_at = now;
                    let decoded = engine.register.decode(&after, head, Some(&old), facts);
                    let mut records = [decoded.map_err(under_field::<R>)?];
                    for violations in engine.register.check(tx.connection, &records, facts)? {
                        violations.into_result(()).map_err(under_field::<R>)?;
                    }
                    engine.register.complete(tx.connection, &mut records, facts)?;
                    let [record] = records;
                    engine.replace(tx, &old, &before, &record, Change::Changed, None, facts)
                })
            })
            .await
    }

    /// Changes what only the service decides, as an approval: the closure makes the new record out of the old one.
    ///
    /// The head's version is the kit's to count; a head with another `effective_on` makes a new state of the record.
    pub async fn transition<F>(&self, key: Idempotency, name: &str, etag: &str, f: F) -> Result<R::Resource, Error>
    where
        F: Fn(&R::Record, Facts<'_>) -> Result<R::Record, Error> + Send + 'static,
    {
        let id = id_of::<R>(name)?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let now = tx.now();
                let old = lock::<R>(tx, &id, &etag)?;
                engine.context.with_facts(now, |facts| {
                    let before = engine.encode(&old, facts, true)?;
                    let mut record = f(&old, facts)?;
                    let head = record.head();
                    record.set_head(Head { version: old.head().version + 1, updated_at: now, ..head });
                    engine.replace(tx, &old, &before, &record, Change::Changed, None, facts)
                })
            })
            .await
    }

    /// Ends or withdraws one. What ended may be ended again, on another day: earlier, or later where the register's
    /// rules allow the record for the days that it gains.
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
                let old = lock::<R>(tx, &id, &etag)?;
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
                let gains_days = change == Change::Ended && old.head().ended_on.is_some_and(|ended| ended < valid_on);
                let mut record = old.clone();
                record.set_head(head);
                engine.context.with_facts(now, |facts| {
                    if gains_days {
                        for violations in engine.register.check(tx.connection, std::slice::from_ref(&record), facts)? {
                            violations.into_result(()).map_err(|found| Error::State(under_field::<R>(found)))?;
                        }
                    }
                    let before = engine.encode(&old, facts, true)?;
                    engine.replace(tx, &old, &before, &record, change, Some(valid_on), facts)
                })
            })
            .await
    }

    /// Replaces a record: keeps what it was, tells the journal what it is.
    #[expect(clippy::too_many_arguments, reason = "one private step of three callers")]
    pub(super) fn replace(
        &self,
        tx: &mut Tx<'_>,
        old: &R::Record,
        before: &R::Resource,
        record: &R::Record,
        change: Change,
        valid_on: Option<i64>,
        facts: Facts<'_>,
    ) -> Result<R::Resource, Error> {
        let was = old.head();
        if !R::Record::replace(tx.connection, record, was.version)? {
            return Err(Error::EtagMismatch(format!("{}/{}", R::COLLECTION, was.id)));
        }
        let head = record.head();
        let row = self.register.row(record, facts);
        let valid_on = valid_on.unwrap_or(head.effective_on);
        let earlier = match (was.ended_on, change) {
            (None, _) | (_, Change::Created | Change::Withdrawn) => BTreeSet::new(),
            _ => ends::told_earlier::<R>(tx, &was, facts.keys)?,
        };
        let dataset = self.register.dataset();
        for (change, valid_on) in ends::entries(change, valid_on, &head, &earlier) {
            tx.journal(JournalEntry::new(&dataset, &head.id, change, valid_on, &head.area, &row));
        }
        keep::<R>(tx, &was, before, facts);
        self.register.written(tx, std::slice::from_ref(record), facts)?;
        self.encode(record, facts, false)
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
    let sealed = facts.keys.seal(&revisions_place::<R>(), &prost::Message::encode_to_vec(before));
    tx.revision(R::COLLECTION, &was.id, was.version, was.effective_on, sealed);
}

/// Names the place of a register's sealed revisions.
pub(super) fn revisions_place<R: Register>() -> String {
    format!("revisions.{}", R::COLLECTION)
}

/// Reports what is wrong with a resource under its field in the request.
pub(super) fn under_field<R: Register>(found: Violations) -> Violations {
    let mut violations = Violations::new();
    violations.extend_under(R::FIELD, found);
    violations
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

/// Finds a record for a change and compares the etag.
fn lock<R: Register>(tx: &mut Tx<'_>, id: &str, etag: &str) -> Result<R::Record, Error> {
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

/// Gives the etag of a version.
fn etag(head: &Head) -> String {
    format!("v{}", head.version)
}

fn id_of<R: Register>(name: &str) -> Result<String, Violations> {
    let id = name.strip_prefix(R::COLLECTION).and_then(|rest| rest.strip_prefix('/')).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| {
        let mut violations = Violations::new();
        violations.add(
            "name",
            "WRONG_COLLECTION",
            format!("must be {}/{{id}}", R::COLLECTION),
            format!("须为 {}/{{id}}", R::COLLECTION),
        );
        violations
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
