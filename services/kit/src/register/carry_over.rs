//! Carries over what an earlier version wrote: a journal in which later entries overrode earlier ones, and registers that
//! kept the present content of a record, with its former contents sealed among the revisions.
//!
//! Runs after the migrations, because seals must be opened, and before anything is served. It goes record by record in
//! units of some hundreds: what one unit did is not done again, so a start that is cut short goes on where it was, and of
//! several replicas one works at a time. Entries keep their instants; positions are new, and so is the journal's
//! incarnation: readers begin again and find, as known at any earlier instant, what they found before.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, QueryableByName, RunQueryDsl as _};
use prost::Message as _;

use super::{
    Engine, FOREVER, Head, Register, RuleContext, Table,
    engine::revisions_place,
    states::{ACTIVE, ENDED, same_content},
};
use crate::{
    assembly::CarryOver,
    context::Context,
    error::Error,
    insert_rows, on_each,
    store::{
        AnyConnection, Tx, Unit, lock_keys,
        schema::{journal, journal_before, journal_state, revisions},
        window::continue_positions,
    },
};

/// Records of one unit.
const RECORDS_AT_ONCE: i64 = 500;
/// Positions that the entries of one earlier position may take.
const POSITIONS: i64 = 1024;

/// An entry of the earlier journal.
#[derive(Clone, Debug, Queryable)]
struct Before {
    position: i64,
    record: String,
    change: i64,
    valid_on: i64,
    recorded_at: i64,
    area: String,
    payload: Vec<u8>,
}

const CHANGE_ENDED: i64 = 3;
const CHANGE_WITHDRAWN: i64 = 4;

/// An entry of the journal with its position.
#[derive(Clone, Debug, Insertable, PartialEq)]
#[diesel(table_name = journal, treat_none_as_default_value = false)]
struct Carried {
    position: i64,
    dataset: String,
    record: String,
    assertion: i64,
    diff: i64,
    valid_from: i64,
    valid_until: i64,
    ended: bool,
    recorded_at: i64,
    area: String,
    payload: Vec<u8>,
}

/// What an earlier journal held for true on some days.
#[derive(Clone, Debug, PartialEq)]
struct Segment {
    from: i64,
    until: i64,
    ended: bool,
    area: String,
    payload: Vec<u8>,
    /// Place of the entry that said so first of these days.
    entry: usize,
    assertion: i64,
}

/// Turns the entries of a record, in the order of positions, into assertions and retractions with the same instants.
///
/// The earlier journal's rule: of the entries for a day or an earlier one the latest day counts, and of that the last
/// position; what stands before a withdrawal counts for nothing. Returns what holds in the end, too. `contents` says of each
/// entry which content of the record it told: neighbouring days of one content are one state.
fn converted(dataset: &str, entries: &[Before], contents: &[usize]) -> (Vec<Carried>, Vec<Segment>) {
    let mut by_day: BTreeMap<i64, (usize, &Before)> = BTreeMap::new();
    let mut places = 0..;
    let (mut carried, mut live, mut next, mut instant) = (Vec::new(), Vec::<Segment>::new(), 0, i64::MIN);
    for entries in entries.chunk_by(|one, other| one.recorded_at == other.recorded_at) {
        for (entry, place) in entries.iter().zip(places.by_ref()) {
            if entry.change == CHANGE_WITHDRAWN {
                by_day.clear();
            } else {
                by_day.insert(entry.valid_on, (place, entry));
            }
        }
        let Some(first) = entries.first() else { continue };
        instant = instant.max(first.recorded_at);
        let mut now = segments(&by_day, contents);
        let was = std::mem::take(&mut live);
        for segment in &mut now {
            let same = |old: &&Segment| {
                (old.from, old.until, old.ended) == (segment.from, segment.until, segment.ended)
                    && old.area == segment.area
                    && old.payload == segment.payload
            };
            segment.assertion = was.iter().find(same).map_or_else(
                || {
                    next += 1;
                    next - 1
                },
                |old| old.assertion,
            );
        }
        let gone = was.iter().filter(|old| now.iter().all(|new| new.assertion != old.assertion)).map(|old| (-1, old));
        let new = now.iter().filter(|new| was.iter().all(|old| old.assertion != new.assertion)).map(|new| (1, new));
        for (ordinal, (diff, segment)) in (0..).zip(gone.chain(new)) {
            carried.push(Carried {
                position: first.position * POSITIONS + ordinal,
                dataset: dataset.to_owned(),
                record: first.record.clone(),
                assertion: segment.assertion,
                diff,
                valid_from: segment.from,
                valid_until: segment.until,
                ended: segment.ended,
                recorded_at: instant,
                area: segment.area.clone(),
                payload: segment.payload.clone(),
            });
        }
        live = now;
    }
    (carried, live)
}

/// Lays the entries that count side by side.
fn segments(by_day: &BTreeMap<i64, (usize, &Before)>, contents: &[usize]) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    let mut days = by_day.iter().peekable();
    while let Some((from, (place, entry))) = days.next() {
        let until = days.peek().map_or(FOREVER, |(day, _)| **day);
        let ended = entry.change == CHANGE_ENDED;
        let same = |last: &Segment| {
            last.payload == entry.payload && last.area == entry.area && last.ended == ended
                // An end that was told for several days is one, and so is a content.
                && (ended || contents.get(last.entry) == contents.get(*place))
        };
        match found.last_mut() {
            Some(last) if same(last) => last.until = until,
            _ => found.push(Segment {
                from: *from,
                until,
                ended,
                area: entry.area.clone(),
                payload: entry.payload.clone(),
                entry: *place,
                assertion: 0,
            }),
        }
    }
    found
}

/// A content that a record had.
struct Content<Record> {
    /// Instant at which it was written.
    since: i64,
    record: Record,
}

/// Returns the place of the content that was written at an instant, or that was the present one then.
fn written_at<Record>(contents: &[Content<Record>], instant: i64) -> usize {
    let written = contents.iter().rposition(|content| content.since == instant);
    written.or_else(|| contents.iter().rposition(|content| content.since <= instant)).unwrap_or_default()
}

impl<R: Register> Engine<R> {
    /// Carries over the records of this register; says how many.
    pub(crate) async fn carry_over(&self) -> Result<u64, Error> {
        let mut carried = 0;
        loop {
            let engine = self.clone();
            let unit = Unit::of(&self.context.service.replace('_', "-"));
            let some = self.context.store.write(unit, move |tx| engine.carry_over_some(tx)).await?;
            if some == 0 {
                return Ok(carried);
            }
            carried += some;
        }
    }

    fn carry_over_some(&self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        lock_keys(tx.connection, "carry_over", [b"all".as_slice()])?;
        let records = R::Record::not_carried_over(tx.connection, RECORDS_AT_ONCE)?;
        for record in &records {
            self.carry_over_one(tx, record)?;
        }
        u64::try_from(records.len()).map_err(Error::internal)
    }

    fn carry_over_one(&self, tx: &mut Tx<'_>, record: &R::Record) -> Result<(), Error> {
        let head = record.head();
        let dataset = self.register.dataset();
        let entries = entries_of(tx.connection, &dataset, &head.id)?;
        let states = if head.is_withdrawn() { Vec::new() } else { self.told(tx.connection, record, &entries)? };
        let contents: Vec<_> = states.iter().map(|(content, _)| *content).collect();
        let (carried, segments) = converted(&dataset, &entries, &contents);
        insert_rows!(tx.connection, journal::table, carried.as_slice())?;
        let states = if head.is_withdrawn() {
            let last = carried.iter().map(|entry| entry.assertion).max().unwrap_or_default();
            let mut state = record.clone();
            state.set_head(Head { assertion: last, ..head.clone() });
            vec![state]
        } else {
            let state = |(number, segment): (i64, &Segment)| {
                let (_, mut state) = states[segment.entry].clone();
                state.set_head(Head {
                    number,
                    assertion: segment.assertion,
                    effective_on: segment.from,
                    effective_until: segment.until,
                    state: if segment.ended { ENDED } else { ACTIVE },
                    area: segment.area.clone(),
                    ..head.clone()
                });
                state.set_told(segment.payload.clone());
                state
            };
            (0..).zip(&segments).map(state).collect()
        };
        if states.is_empty() {
            return Err(Error::internal(format!(
                "the journal says nothing of {}/{}; restore the database as it was and ask for help",
                R::COLLECTION,
                head.id
            )));
        }
        if !R::Record::write(tx.connection, std::slice::from_ref(record), &states)? {
            return Err(Error::Raced);
        }
        self.context.with_rule_context(tx.now(), |context| self.register.write_children(tx, &states, context))
    }

    /// Makes of each entry the state that it told, and says which content that is: the same number for the same content.
    ///
    /// The content of the entry's day, as it was when the entry was written, says what the entry says. Where it does not, a
    /// correction spoke of days before its own.
    fn told(
        &self,
        connection: &mut AnyConnection,
        record: &R::Record,
        entries: &[Before],
    ) -> Result<Vec<(usize, R::Record)>, Error> {
        let contents = self.contents_of(connection, record)?;
        // What a record was before it was withdrawn is nothing of what it is since it came again.
        let withdrawn = entries.iter().rposition(|entry| entry.change == CHANGE_WITHDRAWN);
        let again = withdrawn.and_then(|withdrawn| entries.get(withdrawn + 1));
        let again = again.map_or(0, |entry| written_at(&contents, entry.recorded_at));
        self.context.with_rule_context(self.context.store.now(), |context| {
            let restored = |place: usize, row: &R::Row| {
                let content = &contents[place].record;
                let resource = self.encode(std::slice::from_ref(content), 0, context, true)?;
                let mut state = content.clone();
                self.register.restore(&mut state, &resource, row);
                Ok::<_, Error>(state)
            };
            let mut told = Vec::with_capacity(entries.len());
            for entry in entries {
                let row = R::Row::decode(entry.payload.as_slice()).map_err(Error::internal)?;
                let written = written_at(&contents, entry.recorded_at);
                let began = |place: &usize| contents[*place].record.head().effective_on <= entry.valid_on;
                let of_day = (again..=written).rev().find(began);
                let mut found = None;
                for candidate in of_day.into_iter().chain([written]).chain((0..contents.len()).rev()) {
                    let state = restored(candidate, &row)?;
                    if self.register.row(&state, context).encode_to_vec() == entry.payload {
                        found = Some((candidate, state));
                        break;
                    }
                }
                let (place, state) = if let Some(found) = found {
                    found
                } else {
                    let likely = of_day.unwrap_or(written);
                    (likely, restored(likely, &row)?)
                };
                let same = |content: &Content<R::Record>| same_content(&content.record, &contents[place].record);
                told.push((contents.iter().position(same).unwrap_or(place), state));
            }
            Ok(told)
        })
    }

    /// Lists all contents that a record had, the first one first: those among the revisions, then the present one.
    fn contents_of(
        &self,
        connection: &mut AnyConnection,
        record: &R::Record,
    ) -> Result<Vec<Content<R::Record>>, Error> {
        let head = record.head();
        if head.version == 1 {
            return Ok(vec![Content { since: i64::MIN, record: record.clone() }]);
        }
        let sealed = revisions::table
            .filter(revisions::register.eq(R::COLLECTION))
            .filter(revisions::record.eq(&head.id))
            .order(revisions::version)
            .select((revisions::version, revisions::effective_on, revisions::replaced_at, revisions::resource));
        let sealed: Vec<(i64, i64, i64, Vec<u8>)> = on_each!(connection, c => sealed.load(c))?;
        let mut contents: Vec<Content<R::Record>> = Vec::with_capacity(sealed.len() + 1);
        let mut since = i64::MIN;
        self.context.with_rule_context(self.context.store.now(), |context| {
            for (version, effective_on, replaced_at, sealed) in sealed {
                let plain = context.keys.open(&revisions_place::<R>(), &sealed)?;
                let resource = R::Resource::decode(plain.as_slice()).map_err(Error::internal)?;
                let head = Head { version, effective_on, ..head.clone() };
                let previous = contents.last().map(|content| &content.record);
                let context = RuleContext { carried_over: true, ..context };
                let decoded = self.register.validate(&resource, head, previous, context);
                let mut state = decoded.map_err(|violations| {
                    let name = R::name(&resource);
                    Error::internal(format!("the content that {name} had as v{version} cannot be kept: {violations}"))
                })?;
                let row = self.register.row(&state, context);
                self.register.restore(&mut state, &resource, &row);
                contents.push(Content { since, record: state });
                since = replaced_at;
            }
            contents.push(Content { since, record: record.clone() });
            Ok(contents)
        })
    }
}

fn entries_of(connection: &mut AnyConnection, dataset: &str, record: &str) -> Result<Vec<Before>, Error> {
    let entries = journal_before::table
        .filter(journal_before::dataset.eq(dataset))
        .filter(journal_before::record.eq(record))
        .order(journal_before::position)
        .select((
            journal_before::position,
            journal_before::record,
            journal_before::change,
            journal_before::valid_on,
            journal_before::recorded_at,
            journal_before::area,
            journal_before::payload,
        ));
    Ok(on_each!(connection, c => entries.load(c))?)
}

#[derive(QueryableByName)]
struct Record {
    #[diesel(sql_type = diesel::sql_types::Text)]
    record: String,
}

/// Carries over a service's registers and its parameters, and begins the journal's new life.
pub(crate) async fn carry_over(context: &Context, registers: Vec<CarryOver>) -> Result<(), Error> {
    let state = journal_state::table.select(journal_state::tells_states);
    if context.store.read(move |c| Ok(on_each!(c, c => state.first::<bool>(c))?)).await? {
        return Ok(());
    }
    tracing::warn!("an earlier version wrote this database: its records are carried over");
    let mut carried = 0;
    for register in registers {
        carried += register.await?;
    }
    let dataset = format!("{}.parameters", context.service);
    let unit = Unit::of(&context.service.replace('_', "-"));
    context.store.write(unit, move |tx| finish(tx, &dataset)).await?;
    tracing::warn!(records = carried, "carried over; the journal begins a new life, readers start again");
    Ok(())
}

fn finish(tx: &mut Tx<'_>, parameters: &str) -> Result<(), Error> {
    lock_keys(tx.connection, "carry_over", [b"all".as_slice()])?;
    let state = journal_state::table.select(journal_state::tells_states);
    if on_each!(tx.connection, c => state.first::<bool>(c))? {
        return Ok(());
    }
    let names = diesel::sql_query("SELECT DISTINCT record FROM journal_before WHERE dataset = $1 ORDER BY record")
        .bind::<diesel::sql_types::Text, _>(parameters);
    let names: Vec<Record> = on_each!(tx.connection, c => names.load(c))?;
    for Record { record } in names {
        let (mut carried, live) = converted(parameters, &entries_of(tx.connection, parameters, &record)?, &[]);
        // Values had names of their own; they are told again as states of a key in an area.
        for (ordinal, segment) in (1..).zip(live) {
            let asserted =
                carried.iter().find(|entry| entry.assertion == segment.assertion && entry.diff == 1).cloned();
            let Some(asserted) = asserted else { continue };
            let position = carried.last().map_or(asserted.position, |last| last.position) + ordinal;
            carried.push(Carried { position, diff: -1, recorded_at: tx.now(), ..asserted });
        }
        insert_rows!(tx.connection, journal::table, carried.as_slice())?;
    }
    let incarnation = uuid::Uuid::new_v4().simple().to_string();
    let begun = diesel::update(journal_state::table)
        .set((journal_state::tells_states.eq(true), journal_state::incarnation.eq(incarnation)));
    on_each!(tx.connection, c => begun.execute(c))?;
    continue_positions(tx.connection)?;
    let emptied = diesel::sql_query("DROP TABLE journal_before");
    on_each!(tx.connection, c => emptied.execute(c))?;
    Ok(())
}

#[cfg(test)]
#[path = "carry_over/tests.rs"]
mod tests;
