//! The engine of every register: validate, write, answer.

use std::sync::Arc;

use minsheng_proto::common::v1 as pb;

use super::{
    Head, Register, RuleContext, Table,
    batch_insert::{BatchOutcome, KeptResults, Outcome, validate_against_store},
    dates,
    evidence::Refusals,
    references::{self, Lookup},
    requests::{End, ListRequest, Update},
    resource::{merged, selects},
    states::{self, Revised, Scope},
};
use crate::{
    context::Context,
    error::{Error, Violations},
    status,
    store::{Idempotency, JournalEntry, Tx, Unit},
    values::{calendar::epoch_day, divisions::AreaCode},
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

/// The engine of a register: its rules, its table and the department's context.
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
    /// Makes the engine of a register.
    pub fn new(register: R, context: Context) -> Self {
        Self { register: Arc::new(register), context, refusals: Arc::default() }
    }

    /// Returns the register.
    pub fn register(&self) -> &R {
        &self.register
    }

    /// Returns the department's context.
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
        let record = self
            .context
            .with_rule_context(now, |context| self.validate_new(&resource, effective_on.as_ref(), context))?;
        self.insert_one(key, record).await
    }

    /// Writes one new record and returns it as its resource.
    pub(super) async fn insert_one(&self, key: Idempotency, record: R::Record) -> Result<R::Resource, Error> {
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let BatchOutcome { mut outcomes, records, .. } = engine.insert(tx, vec![Ok(record.clone())])?;
                match (outcomes.pop(), records.as_slice()) {
                    (_, states @ [_]) => {
                        engine.context.with_rule_context(tx.now(), |context| engine.encode(states, 0, context, false))
                    }
                    (Some(Outcome::Unchanged(id) | Outcome::Exists(id) | Outcome::OtherArea(id, _)), _) => {
                        Err(Error::AlreadyExists(format!("{}/{id}", R::COLLECTION)))
                    }
                    (Some(Outcome::Rejected(violations)), _) => Err(Error::Invalid(under_field::<R>(violations))),
                    (Some(Outcome::Created(_)) | None, _) => Err(Error::internal("one item went in and none came out")),
                }
            })
            .await
    }

    /// Returns one by name: the state of a day, or today's, else the next one, else the last.
    pub async fn get(&self, name: &str, on: Option<pb::Date>) -> Result<R::Resource, Error> {
        let id = id_of::<R>(name)?;
        let on = day_asked(on.as_ref())?;
        let engine = self.clone();
        self.context
            .store
            .read_one(move |connection| {
                let states = R::Record::find(connection, std::slice::from_ref(&id))?;
                let now = engine.context.store.now();
                engine.context.with_rule_context(now, |context| {
                    let shown = shown(&states, on, context);
                    let shown = shown.ok_or_else(|| Error::NotFound(format!("{}/{id}", R::COLLECTION)))?;
                    engine.encode(&states, shown, context, false)
                })
            })
            .await
    }

    /// Lists those of an area, of each the state of a day, or today's, else the next one, else the last.
    ///
    /// With `in_force_only` a page holds fewer records than were read for it.
    pub async fn list(&self, asked: ListRequest<'_>) -> Result<ListPage<R::Resource>, Error> {
        let area = AreaCode::parse(asked.area).map_err(|error| unknown_area(&error))?;
        let on = day_asked(asked.on.as_ref())?;
        let size = match usize::try_from(asked.page_size) {
            Ok(0) | Err(_) => USUAL_PAGE,
            Ok(size) => size.min(LARGEST_PAGE),
        };
        let in_force_only = asked.in_force_only;
        let scope = format!("{}/{}/{on:?}/{in_force_only}", R::COLLECTION, area.as_str());
        let after = if asked.page_token.is_empty() {
            String::new()
        } else {
            self.context.keys.read_page_token(&scope, asked.page_token)?
        };
        let engine = self.clone();
        self.context
            .store
            .read_long(move |connection| {
                let (low, high) = area.range();
                let limit = i64::try_from(size + 1).map_err(Error::internal)?;
                let states = R::Record::page(connection, (&low, &high), &after, limit)?;
                let mut records: Vec<&[R::Record]> = states.chunk_by(|one, next| one.id() == next.id()).collect();
                let more = records.len() > size;
                records.truncate(size);
                let next_page_token = match records.last().and_then(|states| states.first()) {
                    Some(last) if more => engine.context.keys.page_token(&scope, last.id()),
                    _ => String::new(),
                };
                let now = engine.context.store.now();
                let items = engine.context.with_rule_context(now, |context| {
                    let today = on.unwrap_or_else(|| epoch_day(context.today));
                    let listed = records.into_iter().filter_map(|states| Some((states, shown(states, on, context)?)));
                    let in_force = |states: &[R::Record]| {
                        let head = states::state_on(states, today).map(Table::head);
                        head.is_some_and(|head| head.is_active())
                    };
                    listed
                        .filter(|(states, _)| !in_force_only || in_force(states))
                        .map(|(states, shown)| engine.encode(states, shown, context, false))
                        .collect::<Result<_, _>>()
                })?;
                Ok(ListPage { items, next_page_token })
            })
            .await
    }

    /// Changes one from a day on, or corrects a state of it, or all; returns the state that was changed.
    pub async fn update(&self, key: Idempotency, resource: R::Resource, update: Update) -> Result<R::Resource, Error> {
        let id = id_of::<R>(R::name(&resource)).map_err(under_field::<R>)?;
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let was = lock::<R>(tx, &id, &update.etag)?;
                if let Some(head) =
                    was.first().map(Table::head).filter(|_| selects(update.update_mask.as_ref(), "area"))
                {
                    check_area::<R>(&head, &resource).map_err(under_field::<R>)?;
                }
                engine.context.with_rule_context(tx.now(), |context| {
                    let mut now = was.clone();
                    let scope = update.scope(epoch_day(context.today))?;
                    let changed = states::update(&mut now, scope, |old, head| {
                        engine.revised(old, head, &resource, &update, context)
                    })?;
                    let day = now[changed].period().from;
                    let now = engine.replace(tx, &was, now, context, Error::Invalid)?;
                    let changed = now.iter().position(|state| state.period().contains(day)).unwrap_or_default();
                    engine.encode(&now, changed, context, false)
                })
            })
            .await
    }

    /// Makes the content that an update puts in a state's place.
    fn revised(
        &self,
        old: &R::Record,
        head: Head,
        resource: &R::Resource,
        update: &Update,
        context: RuleContext<'_>,
    ) -> Result<Revised<R::Record>, Error> {
        let before = self.encode(std::slice::from_ref(old), 0, context, true)?;
        let mut changed = Violations::new();
        self.register.check_immutable(&before, resource, &mut changed);
        changed.into_result(()).map_err(under_field::<R>)?;
        let mut after = merged::<R::Record>(&before, resource, update.update_mask.as_ref())?;
        self.register.take_always(resource, &mut after);
        status::validate(&after).map_err(under_field::<R>)?;
        let natural = |resource: &R::Resource| epoch_day(self.register.effective_on(resource, context.today));
        // A state whose content named no day before it begins where the corrected content says, if that is earlier.
        let (begins, corrects) = (head.effective_on, update.effective_on.is_none());
        let (named, names) = (natural(&before), natural(&after));
        let begins_earlier = (corrects && named >= begins && names < begins).then_some(names);
        let head = Head { effective_on: begins_earlier.unwrap_or(head.effective_on), ..head };
        let state = self.register.validate(&after, head, Some(old), context).map_err(under_field::<R>)?;
        Ok(Revised { state, begins_earlier })
    }

    /// Changes what only the service decides, as an approval, in today's state, else the next one, else the last: the
    /// closure makes the new content out of the old one.
    pub async fn transition<F>(&self, key: Idempotency, name: &str, etag: &str, f: F) -> Result<R::Resource, Error>
    where
        F: Fn(&R::Record, RuleContext<'_>) -> Result<R::Record, Error> + Send + 'static,
    {
        let id = id_of::<R>(name)?;
        let (engine, etag) = (self.clone(), etag.to_owned());
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let was = lock::<R>(tx, &id, &etag)?;
                engine.context.with_rule_context(tx.now(), |context| {
                    let mut now = was.clone();
                    let scope = Scope::Present(epoch_day(context.today));
                    let changed = states::update(&mut now, scope, |old, _| {
                        Ok(Revised { state: f(old, context)?, begins_earlier: None })
                    })?;
                    let now = rewrite(tx, &*engine.register, &was, now, context)?;
                    engine.encode(&now, changed, context, false)
                })
            })
            .await
    }

    /// Changes what only the service decides in many records, each named with the version that the caller saw: one unit of
    /// work, one answer for each, in order. The closure returns none for what is so already.
    pub async fn transition_all<F>(
        &self,
        key: Idempotency,
        items: Vec<(String, String)>,
        f: F,
    ) -> Result<Vec<pb::ItemResult>, Error>
    where
        F: Fn(&R::Record, RuleContext<'_>) -> Result<Option<R::Record>, Error> + Send + 'static,
    {
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                // In the order of names, so that two batches never wait for each other in a circle.
                let mut order: Vec<usize> = (0..items.len()).collect();
                order.sort_by_key(|place| &items[*place].0);
                let mut results = vec![pb::ItemResult::default(); items.len()];
                for place in order {
                    let (name, etag) = &items[place];
                    let (outcome, violations) = match engine.transition_one(tx, name, etag, &f) {
                        Ok(true) => (pb::ItemOutcome::Created, Violations::new()),
                        Ok(false) => (pb::ItemOutcome::Unchanged, Violations::new()),
                        Err(error) => (pb::ItemOutcome::Rejected, of_item(error)?),
                    };
                    results[place] = pb::ItemResult {
                        index: i32::try_from(place).unwrap_or(i32::MAX),
                        name: name.clone(),
                        outcome: outcome.into(),
                        violations: violations.into_messages(),
                    };
                }
                Ok(KeptResults { results })
            })
            .await
            .map(|kept| kept.results)
    }

    /// Changes one record of a batch; reports whether it changed.
    fn transition_one<F>(&self, tx: &mut Tx<'_>, name: &str, etag: &str, f: &F) -> Result<bool, Error>
    where
        F: Fn(&R::Record, RuleContext<'_>) -> Result<Option<R::Record>, Error>,
    {
        let was = lock::<R>(tx, &id_of::<R>(name)?, etag)?;
        self.context.with_rule_context(tx.now(), |context| {
            let (mut now, mut changes) = (was.clone(), false);
            states::update(&mut now, Scope::Present(epoch_day(context.today)), |old, _| {
                let new = f(old, context)?;
                changes = new.is_some();
                Ok(Revised { state: new.unwrap_or_else(|| old.clone()), begins_earlier: None })
            })?;
            if changes {
                rewrite(tx, &*self.register, &was, now, context)?;
            }
            Ok(changes)
        })
    }

    /// Ends or withdraws one, lifts or moves its end, or takes back a change; returns its present state.
    pub async fn end(&self, key: Idempotency, name: &str, end: End) -> Result<R::Resource, Error> {
        let id = id_of::<R>(name)?;
        let engine = self.clone();
        self.context
            .store
            .write(Unit::repeatable(key), move |tx| {
                let was = lock::<R>(tx, &id, &end.etag)?;
                let mut now = was.clone();
                end.carry_out(&mut now)?;
                engine.context.with_rule_context(tx.now(), |context| {
                    let now = engine.replace(tx, &was, now, context, Error::State)?;
                    let shown = states::present(&now, epoch_day(context.today));
                    engine.encode(&now, shown, context, false)
                })
            })
            .await
    }

    /// Writes a record's states in place of others, after the register has checked those that are new, changed or hold on
    /// more days, and completed those that are new or changed. `refused` says what kind of error a violation is.
    fn replace(
        &self,
        tx: &mut Tx<'_>,
        was: &[R::Record],
        mut now: Vec<R::Record>,
        context: RuleContext<'_>,
        refused: fn(Violations) -> Error,
    ) -> Result<Vec<R::Record>, Error> {
        let (mut gaining, mut places) = (Vec::new(), Vec::new());
        for (place, state) in now.iter().enumerate().filter(|(_, state)| state.head().is_active()) {
            let alike = || was.iter().filter(|old| old.head().is_active() && states::same_content(*old, state));
            let period = state.period();
            if !alike().any(|old| old.period().from <= period.from && period.until <= old.period().until) {
                gaining.push(state.clone());
                places.push((place, alike().next().is_none()));
            }
        }
        for violations in validate_against_store(&*self.register, tx.connection, &gaining, Lookup::Locked, context)? {
            violations.into_result(()).map_err(|found| refused(under_field::<R>(found)))?;
        }
        // What a record says that ended on its first day holds on no day, so that no rule judges it; it is told all the same.
        let ended_at_once = now.first().filter(|first| first.head().is_ended());
        if let Some(first) = ended_at_once.filter(|first| !was.iter().any(|old| states::same_content(old, *first))) {
            gaining.push(first.clone());
            places.push((0, true));
        }
        let mut changed: Vec<R::Record> =
            gaining.into_iter().zip(&places).filter(|(_, (_, new))| *new).map(|(state, _)| state).collect();
        self.register.complete(tx.connection, &mut changed, context)?;
        for (state, (place, _)) in changed.into_iter().zip(places.iter().filter(|(_, new)| *new)) {
            now[*place] = state;
        }
        self.register.align(tx.connection, &mut now, context)?;
        let between = self.register.validate_states(&now);
        between.into_result(()).map_err(|found| Error::Invalid(under_field::<R>(found)))?;
        rewrite(tx, &*self.register, was, now, context)
    }

    /// Makes the resource of a record's state, with its envelope.
    pub(super) fn encode(
        &self,
        states: &[R::Record],
        shown: usize,
        context: RuleContext<'_>,
        reveal: bool,
    ) -> Result<R::Resource, Error> {
        resource_of(&*self.register, states, shown, context, reveal)
    }
}

/// Writes a record's states in place of others, and tells the journal: every assertion that no longer stands is retracted,
/// what is new is asserted, and what neither changed its content nor its days is left as it was told.
///
/// The one way in which a record changes, for the engine and for a register that changes another register's record in its
/// own unit. `was` are all states of the record, locked in this unit; `now` are all that it will have, in the order of
/// their days and without a hole. Version, numbers and instants are given here.
pub fn rewrite<R: Register>(
    tx: &mut Tx<'_>,
    register: &R,
    was: &[R::Record],
    mut now: Vec<R::Record>,
    context: RuleContext<'_>,
) -> Result<Vec<R::Record>, Error> {
    let Some(first) = was.first().map(Table::head) else { return Err(Error::internal("a record without a state")) };
    let dataset = register.dataset();
    tx.follow(&dataset, &first.id, first.updated_at)?;
    states::repeat_in_ended(&mut now);
    let mut next = was.iter().map(|state| state.head().assertion).max().unwrap_or_default() + 1;
    let mut stands = vec![false; was.len()];
    for (number, state) in (0..).zip(&mut now) {
        let mut head = Head {
            number,
            version: first.version + 1,
            created_at: first.created_at,
            updated_at: tx.now(),
            ..state.head()
        };
        if !head.is_withdrawn() {
            // The same content is told by the same bytes, whatever the software would make of it today.
            let told = match was.iter().find(|old| states::same_content(*old, state)) {
                Some(old) => old.told().to_vec(),
                None => prost::Message::encode_to_vec(&register.row(state, context)),
            };
            let same = |old: &R::Record| {
                let (old_head, told_before) = (old.head(), old.told());
                old_head.period() == head.period()
                    && old_head.state == head.state
                    && old_head.area == head.area
                    && told_before == told
            };
            let standing = was.iter().position(same);
            head.assertion = standing.map_or(next, |place| was[place].head().assertion);
            match standing {
                Some(place) => stands[place] = true,
                None => next += 1,
            }
            state.set_told(told);
        }
        state.set_head(head);
    }
    if !R::Record::write(tx.connection, was, &now)? {
        // Whoever names an etag has compared it under the record's lock; this one did not lock, and another unit was faster.
        return Err(Error::Raced);
    }
    for (state, stands) in was.iter().zip(&stands).filter(|(state, _)| !state.head().is_withdrawn()) {
        if !stands {
            tx.journal(JournalEntry::retracts(&dataset, &state.head(), state.told()));
        }
    }
    let told_before = |head: &Head| was.iter().any(|old| old.head().assertion == head.assertion);
    for state in &now {
        let head = state.head();
        if !head.is_withdrawn() && !told_before(&head) {
            tx.journal(JournalEntry::asserts(&dataset, &head, state.told()));
        }
    }
    keep::<R>(tx, register, was, &now, context)?;
    references::keep::<R>(tx.connection, &now)?;
    register.after_write(tx, &now, context)?;
    Ok(now)
}

/// Keeps, sealed, the states that a record had and has no longer with the same content and days.
fn keep<R: Register>(
    tx: &mut Tx<'_>,
    register: &R,
    was: &[R::Record],
    now: &[R::Record],
    context: RuleContext<'_>,
) -> Result<(), Error> {
    let mut kept = false;
    for (place, state) in was.iter().enumerate() {
        let head = state.head();
        let stays = |new: &R::Record| {
            let new_head = new.head();
            new_head.period() == head.period() && new_head.state == head.state && states::same_content(state, new)
        };
        let last = place + 1 == was.len();
        // An ended state repeats the one before it; a version leaves at least one state.
        let stands = now.iter().any(stays) && (kept || !last);
        if stands || head.is_ended() && place > 0 && kept {
            continue;
        }
        let before = resource_of(register, was, place, context, true)?;
        let sealed = context.keys.seal(&revisions_place::<R>(), &prost::Message::encode_to_vec(&before));
        tx.revision(R::COLLECTION, &head, sealed);
        kept = true;
    }
    Ok(())
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

/// Makes the resource of a record's state, with its envelope.
fn resource_of<R: Register>(
    register: &R,
    states: &[R::Record],
    shown: usize,
    context: RuleContext<'_>,
    reveal: bool,
) -> Result<R::Resource, Error> {
    let head = states[shown].head();
    // Of a record that has ended, what it said last is shown, with its days.
    let content = if head.is_ended() && shown > 0 { &states[shown - 1] } else { &states[shown] };
    let mut resource = register.encode(content, context, reveal)?;
    let content = content.head();
    let meta = pb::RecordMeta {
        etag: etag(&head),
        create_time: Some(dates::timestamp(head.created_at)),
        update_time: Some(dates::timestamp(head.updated_at)),
        effective_on: dates::date(content.effective_on),
        effective_until: dates::date(content.effective_until),
        state: i32::try_from(head.state).unwrap_or_default(),
        ended_on: states::ended_on(states, shown).and_then(dates::date),
    };
    R::set_envelope(&mut resource, format!("{}/{}", R::COLLECTION, head.id), head.area, meta);
    Ok(resource)
}

/// Returns the place of the state that is shown: that of the day, where one is asked for and the record counts for it;
/// today's otherwise, else the next one, else the last.
fn shown<Record: Table>(states: &[Record], on: Option<i64>, context: RuleContext<'_>) -> Option<usize> {
    let first = states.first()?.head();
    match on {
        Some(day) if !first.is_withdrawn() => states.iter().position(|state| state.period().contains(day)),
        Some(_) => None,
        None => Some(states::present(states, epoch_day(context.today))),
    }
}

/// Finds the states of a record for a change and compares the etag.
fn lock<R: Register>(tx: &mut Tx<'_>, id: &str, etag: &str) -> Result<Vec<R::Record>, Error> {
    let name = || format!("{}/{id}", R::COLLECTION);
    let states = R::Record::lock(tx.connection, id)?;
    let head = states.first().map(Table::head).ok_or_else(|| Error::NotFound(name()))?;
    if self::etag(&head) != etag {
        return Err(Error::EtagMismatch { name: name(), etag: self::etag(&head) });
    }
    if head.is_withdrawn() {
        return Err(Error::Precondition {
            reason: "RECORD_WITHDRAWN",
            description: format!("{} was withdrawn", name()),
        });
    }
    Ok(states)
}

/// Returns what is wrong with one item of a batch, where an error says that; any other fails the batch.
fn of_item(error: Error) -> Result<Violations, Error> {
    let mut violations = Violations::new();
    match error {
        Error::Invalid(found) | Error::State(found) => return Ok(found),
        Error::NotFound(name) => {
            violations.add("name", "NOT_FOUND", format!("{name} does not exist"), format!("{name} 不存在"));
        }
        Error::EtagMismatch { etag, .. } => {
            violations.add("etag", "ETAG_MISMATCH", format!("the version is {etag}"), format!("现为版本 {etag}"));
        }
        Error::Precondition { reason: "RECORD_WITHDRAWN", description } => {
            violations.add("name", "RECORD_WITHDRAWN", description, "记录已撤回");
        }
        other => return Err(other),
    }
    Ok(violations)
}

/// Refuses another area than the record's (AIP-203, IMMUTABLE); an empty one says nothing.
pub(super) fn check_area<R: Register>(there: &Head, resource: &R::Resource) -> Result<(), Violations> {
    let area = R::area(resource);
    let mut violations = Violations::new();
    if !area.is_empty() && area != there.area {
        violations.add_immutable("area", &there.area);
    }
    violations.into_result(())
}

/// Returns the etag of a version.
fn etag(head: &Head) -> String {
    format!("v{}", head.version)
}

/// Reads the day that is asked for, where one is.
fn day_asked(on: Option<&pb::Date>) -> Result<Option<i64>, Violations> {
    let mut violations = Violations::new();
    let day = dates::optional_day("on", on, &mut violations);
    violations.into_result(day)
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
