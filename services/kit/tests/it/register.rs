//! What holds for the records of every register, shown by milestones: what was withdrawn can be recorded again, a
//! reader of the feed sees a record's states as the register has them, and units that meet do not stand in each other's
//! way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Barrier},
};

use chrono::NaiveDate;
use diesel::{
    QueryDsl as _, RunQueryDsl as _,
    sql_types::{BigInt, Text},
};
use minsheng_kit::{
    context::Context,
    error::{Error, ErrorKind},
    filings::Milestones,
    keys::Keys,
    on_each,
    register::{End, Engine, FOREVER, ListRequest, Update, date},
    store::{
        Idempotency, KIT_MIGRATIONS, Store, StoreConfig, Tx, Unit,
        schema::{journal, revisions},
    },
    values::calendar::epoch_day,
};
use minsheng_proto::{
    common::v1::{EndKind, ItemOutcome, ItemResult, RecordState},
    returns::v1 as pb,
};
use minsheng_testkit::{TestClock, TestDatabase, TestSite, databases};
use prost::Message as _;

const NAME: &str = "milestones/step";

/// A register at work in a store of its own, and a counter for its requests.
struct Probe {
    _site: TestSite,
    engine: Engine<Milestones>,
    requests: u64,
}

impl Probe {
    fn open(database: TestDatabase) -> Self {
        let site = TestSite::new().expect("a directory");
        let url = site.database(database, "probe").expect("a database");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day")).clock();
        let store = Store::open(&StoreConfig::new(url), &[KIT_MIGRATIONS], clock).expect("opens");
        let context = Context::new("health", store, Keys::derive(&[7; 32], "health"));
        Self { _site: site, engine: Engine::new(Milestones::of(&context), context), requests: 0 }
    }

    fn key(&mut self) -> Idempotency {
        self.requests += 1;
        Idempotency::new("health", "probe", &self.requests.to_string(), &pb::Milestone::default())
    }

    async fn create(&mut self, milestone: pb::Milestone, effective_on: i64) -> Result<pb::Milestone, Error> {
        let key = self.key();
        self.engine.create(key, milestone, date(effective_on)).await
    }

    async fn end(&mut self, etag: &str, kind: EndKind, day: i64) -> Result<pb::Milestone, Error> {
        let key = self.key();
        let end = End { etag: etag.to_owned(), kind: kind.into(), ended_on: date(day), effective_on: date(day) };
        self.engine.end(key, NAME, end).await
    }

    async fn update(&mut self, milestone: pb::Milestone, update: Update) -> Result<pb::Milestone, Error> {
        let key = self.key();
        self.engine.update(key, milestone, update).await
    }

    /// Reads what the journal says of the one record, oldest first.
    async fn told(&self) -> Vec<Told> {
        let read = self.engine.context().store.read_long(|connection| {
            let rows: Vec<Entry> = journal::table
                .order(journal::position)
                .select((
                    journal::assertion,
                    journal::diff,
                    journal::valid_from,
                    journal::valid_until,
                    journal::ended,
                    journal::recorded_at,
                    journal::payload,
                ))
                .load(connection)?;
            Ok(rows)
        });
        let rows = read.await.expect("readable").into_iter();
        rows.map(|(assertion, diff, from, until, ended, recorded_at, payload)| Told {
            assertion,
            diff,
            days: (from, until),
            ended,
            recorded_at,
            evidence: pb::MilestoneRow::decode(payload.as_slice()).expect("a row").evidence,
        })
        .collect()
    }
}

/// An entry of the journal as stored: assertion, sign, days, whether it ended, instant, row.
type Entry = (i64, i64, i64, i64, bool, i64, Vec<u8>);

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    assertion: i64,
    diff: i64,
    days: (i64, i64),
    ended: bool,
    recorded_at: i64,
    evidence: String,
}

fn step(evidence: &str) -> pb::Milestone {
    pb::Milestone {
        name: NAME.to_owned(),
        area: "540000".to_owned(),
        commitment: "regional-medical-centres".to_owned(),
        subject: "west".to_owned(),
        title: "区域医疗中心".to_owned(),
        milestone_state: pb::MilestoneState::Planned.into(),
        filed_by: "0107".to_owned(),
        evidence: evidence.to_owned(),
        source: "test".to_owned(),
        ..pb::Milestone::default()
    }
}

fn etag(milestone: &pb::Milestone) -> String {
    milestone.meta.clone().expect("meta").etag
}

fn first_day() -> i64 {
    epoch_day(NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day"))
}

/// What a reader of the feed takes for true on a day as known at an instant, as `docs/FEED.md` says: the sum of the signs,
/// by evidence.
fn sum_on(told: &[Told], on: i64, known_at: i64) -> BTreeMap<&str, i64> {
    let mut sums = BTreeMap::new();
    let counts =
        |entry: &&Told| entry.recorded_at <= known_at && entry.days.0 <= on && on < entry.days.1 && !entry.ended;
    for entry in told.iter().filter(counts) {
        *sums.entry(entry.evidence.as_str()).or_default() += entry.diff;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// What a plain reading of the operations makes of a record, day by day.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    /// First days of states, with what they say and whether the record is in force.
    states: BTreeMap<i64, (String, bool)>,
}

impl Model {
    fn of(day: i64, text: &str) -> Self {
        Self { states: BTreeMap::from([(day, (text.to_owned(), true))]) }
    }

    /// What is said on a day, nothing where the record is not in force.
    fn on(&self, day: i64) -> Option<&str> {
        self.place(day).map(|from| &self.states[&from]).filter(|(_, active)| *active).map(|(said, _)| said.as_str())
    }

    /// First day of the state of a day.
    fn place(&self, day: i64) -> Option<i64> {
        self.states.range(..=day).next_back().map(|(from, _)| *from)
    }

    fn active(&self, from: i64) -> bool {
        self.states[&from].1
    }

    /// The state that says what the one from this day on says: the one before, where the record has ended.
    fn said_from(&self, from: i64) -> i64 {
        let before = self.states.range(..from).next_back().map(|(before, _)| *before);
        if self.active(from) { from } else { before.unwrap_or(from) }
    }

    fn say(&mut self, from: i64, text: &str) {
        let from = self.said_from(from);
        text.clone_into(&mut self.states.get_mut(&from).expect("a state").0);
    }

    /// Lifts the end; says whether there was one.
    fn lift(&mut self) -> bool {
        let last = *self.states.keys().next_back().expect("a state");
        if self.active(last) {
            return false;
        }
        if self.states.len() == 1 {
            self.states.get_mut(&last).expect("a state").1 = true;
        } else {
            self.states.remove(&last);
        }
        true
    }

    /// Lets ends say what stands before them, and makes of two ends in a row one.
    fn settle(mut self) -> Self {
        let days: Vec<i64> = self.states.keys().copied().collect();
        for pair in days.windows(2) {
            let Some((said, active)) = self.states.get(&pair[0]).cloned() else { continue };
            if !self.active(pair[1]) {
                self.states.get_mut(&pair[1]).expect("a state").0 = said;
                if !active {
                    let (from, next) = (pair[0], pair[1]);
                    let end = self.states.remove(&next).expect("a state");
                    self.states.insert(from, end);
                }
            }
        }
        self
    }
}

/// A small generator, so that a failing run can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides).expect("small")
    }
}

/// One operation on the record and on the model; says whether it was accepted by both, by none, or panics.
async fn operate(probe: &mut Probe, model: &mut Option<Model>, choice: i64, on: i64, text: &str) -> bool {
    let there = probe.engine.get(NAME, None).await.expect("there");
    let etag = etag(&there);
    let today = first_day() + 78;
    let withdrawn = model.is_none();
    let mut next = model.clone().unwrap_or_default();
    let expected = match choice {
        0 => !withdrawn,
        1 => {
            next = Model::of(on, text);
            withdrawn
        }
        _ if withdrawn => false,
        2 | 3 => {
            let first = *next.states.keys().next().expect("a state");
            let later = |from: i64| next.states.range(from + 1..).next().is_some();
            let in_gap = next.place(on - 1).is_some_and(|from| !next.active(from) && later(from));
            if on < first || on > first && in_gap {
                false
            } else {
                next.lift();
                let said = next.states.get(&first).expect("a state").0.clone();
                next.states.split_off(&on);
                let before = next.states.values().next_back().map_or(said, |(said, _)| said.clone());
                next.states.insert(on, (before, false));
                true
            }
        }
        4 => next.lift(),
        5..=7 => {
            let in_force = next.place(on).is_none_or(|from| next.active(from));
            next.states.insert(on, (text.to_owned(), true));
            // A change is for days in force, a resumption for others.
            in_force == (choice < 7)
        }
        8 => {
            let taken = next.states.remove(&on).is_some_and(|(_, active)| active) && next.place(on).is_some();
            next = next.settle();
            taken
        }
        9 => {
            let place = next.place(on);
            if let Some(from) = place {
                next.say(from, text);
            }
            place.is_some()
        }
        10 => {
            for from in next.states.clone().into_keys() {
                next.say(from, text);
            }
            true
        }
        _ => {
            let first = *next.states.keys().next().expect("a state");
            next.say(next.place(today).unwrap_or(first), text);
            true
        }
    };
    let changed = |update: Update| Update { etag: etag.clone(), ..update };
    let said = match choice {
        0 => probe.end(&etag, EndKind::Withdrawn, on).await,
        1 => probe.create(step(text), on).await,
        2 | 3 => probe.end(&etag, EndKind::Ended, on).await,
        4 => probe.end(&etag, EndKind::Lifted, on).await,
        8 => probe.end(&etag, EndKind::TakenBack, on).await,
        5 | 6 => {
            let update = changed(Update { effective_on: date(on), ..Update::default() });
            probe.update(step(text), update).await
        }
        7 => {
            let update = changed(Update { effective_on: date(on), resume: true, ..Update::default() });
            probe.update(step(text), update).await
        }
        9 => {
            let update = changed(Update { correct_on: date(on), ..Update::default() });
            probe.update(step(text), update).await
        }
        10 => probe.update(step(text), changed(Update { correct_all: true, ..Update::default() })).await,
        _ => probe.update(step(text), changed(Update::default())).await,
    };
    if let Err(error) = &said {
        let kinds = [ErrorKind::Invalid, ErrorKind::Precondition, ErrorKind::AlreadyExists];
        assert!(kinds.contains(&error.kind()), "{error:?}");
    }
    assert_eq!(said.is_ok(), expected, "{choice} from {on}: {said:?}; {model:?}");
    if said.is_ok() {
        *model = (choice != 0).then(|| next.settle());
    }
    said.is_ok()
}

#[tokio::test]
async fn register_and_feed_agree_with_a_plain_reading_whatever_is_done_to_a_record() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let mut dice = Dice(20_260_320);
        let (mut done, mut refused) = (0, 0);
        probe.create(step("0"), first_day()).await.expect("created");
        let mut model = Some(Model::of(first_day(), "0"));
        let mut known: Vec<(i64, Option<Model>)> = Vec::new();
        for round in 1..240 {
            // Few withdrawals, and not long ones: histories are to grow.
            let choice = match (&model, dice.roll(12)) {
                (Some(_), 0) => 0,
                (None, 0..6) => 1,
                _ => 2 + dice.roll(10),
            };
            let on = first_day() + 60 + dice.roll(40);
            if operate(&mut probe, &mut model, choice, on, &round.to_string()).await {
                done += 1;
            } else {
                refused += 1;
            }
            let told = probe.told().await;
            known.push((told.last().expect("told").recorded_at, model.clone()));
            for on in first_day() - 1..first_day() + 110 {
                let expected = model.as_ref().and_then(|model| model.on(on));
                let sum: Vec<_> = sum_on(&told, on, i64::MAX).into_iter().collect();
                let wanted: Vec<_> = expected.into_iter().map(|said| (said, 1)).collect();
                assert_eq!(sum, wanted, "{database:?}, round {round}, {:?}: {model:?}", date(on));
                let kept = probe.engine.get(NAME, date(on)).await.ok();
                let kept = kept.filter(|kept| kept.meta.as_ref().expect("meta").state() == RecordState::Active);
                assert_eq!(kept.as_ref().map(|kept| kept.evidence.as_str()), expected, "{database:?}, round {round}");
            }
        }
        // What was known at each earlier instant is what was so then.
        let told = probe.told().await;
        for (known_at, model) in &known {
            for on in first_day()..first_day() + 110 {
                let sum: Vec<_> = sum_on(&told, on, *known_at).into_keys().collect();
                let said = model.as_ref().and_then(|model| model.on(on));
                assert_eq!(sum, said.into_iter().collect::<Vec<_>>(), "{database:?}");
            }
        }
        assert!(told.is_sorted_by_key(|entry| entry.recorded_at), "instants grow with positions");
        let mut signs: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for entry in &told {
            signs.entry(entry.assertion).or_default().push(entry.diff);
        }
        assert!(signs.values().all(|signs| *signs == [1] || *signs == [1, -1]), "{signs:?}");
        assert!(done > 100 && refused > 20, "{done} done, {refused} refused: the dice show little");
    }
}

#[tokio::test]
async fn a_list_has_each_record_once_with_the_state_of_the_day() {
    for database in databases() {
        let mut probe = Probe::open(database);
        for number in 0..7 {
            let named = pb::Milestone { name: format!("milestones/s{number}"), ..step("first") };
            let created = probe.create(named.clone(), first_day()).await.expect("created");
            if number % 2 == 1 {
                let update =
                    Update { etag: etag(&created), effective_on: date(first_day() + 200), ..Update::default() };
                probe.update(pb::Milestone { evidence: "planned".to_owned(), ..named }, update).await.expect("changed");
            }
        }
        let ended = End {
            etag: "v1".to_owned(),
            kind: EndKind::Ended.into(),
            ended_on: date(first_day() + 10),
            ..End::default()
        };
        let key = probe.key();
        probe.engine.end(key, "milestones/s0", ended).await.expect("ended");
        for (on, in_force_only, expected) in [
            (None, false, "ffffffff"),
            (Some(first_day() + 200), false, "fpfpfpf"),
            (Some(first_day() + 9), true, "fffffff"),
            (Some(first_day() + 10), true, "ffffff"),
            (Some(first_day() - 1), false, ""),
        ] {
            let (mut said, mut token) = (String::new(), String::new());
            loop {
                let asked = ListRequest {
                    area: "540000",
                    page_size: 2,
                    page_token: &token,
                    on: on.and_then(date),
                    in_force_only,
                };
                let page = probe.engine.list(asked).await.expect("listed");
                said.extend(page.items.iter().map(|milestone| milestone.evidence.chars().next().expect("a word")));
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(said, expected[..expected.len().min(7)], "{on:?} on {database:?}");
        }
    }
}

#[tokio::test]
async fn an_end_in_the_future_is_known_and_the_record_is_in_force_until_it_comes() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let created = probe.create(step("first"), first_day()).await.expect("created");
        let far = epoch_day(NaiveDate::from_ymd_opt(2199, 1, 1).expect("a day"));
        let meta = probe.end(&etag(&created), EndKind::Ended, far).await.expect("ended").meta.expect("meta");
        assert_eq!((meta.state(), meta.ended_on, meta.effective_until), (RecordState::Active, date(far), date(far)));
        let lifted = probe.end(&meta.etag, EndKind::Lifted, 0).await.expect("lifted").meta.expect("meta");
        assert_eq!((lifted.state(), lifted.ended_on, lifted.effective_until), (RecordState::Active, None, None));
        let told = probe.told().await;
        let says: Vec<_> = told.iter().map(|entry| (entry.assertion, entry.diff, entry.days, entry.ended)).collect();
        assert_eq!(
            says,
            [
                (0, 1, (first_day(), FOREVER), false),
                (0, -1, (first_day(), FOREVER), false),
                (1, 1, (first_day(), far), false),
                (2, 1, (far, FOREVER), true),
                (1, -1, (first_day(), far), false),
                (2, -1, (far, FOREVER), true),
                (3, 1, (first_day(), FOREVER), false),
            ]
        );
    }
}

#[tokio::test]
async fn what_was_withdrawn_is_recorded_again_as_the_next_version_and_its_history_stays() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let first = probe.create(step("once"), first_day()).await.expect("created");
        probe.end(&etag(&first), EndKind::Withdrawn, 0).await.expect("withdrawn");
        let again = probe.create(step("once"), first_day()).await.expect("recorded again");
        let meta = again.meta.expect("meta");
        assert_eq!((meta.etag.as_str(), meta.state()), ("v3", RecordState::Active));
        assert_eq!(meta.create_time, first.meta.expect("meta").create_time, "first recorded then");

        let taken = probe.create(step("other"), first_day()).await.expect_err("in force");
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        probe.end("v3", EndKind::Withdrawn, 0).await.expect("withdrawn again");
        let key = probe.key();
        let batch = [step("corrected"), step("corrected"), step("yet another")];
        let answers = probe.engine.record_all(key, &batch).await.expect("answered");
        let outcomes: Vec<_> = answers.iter().map(minsheng_proto::common::v1::ItemResult::outcome).collect();
        assert_eq!(outcomes, [ItemOutcome::Created, ItemOutcome::Unchanged, ItemOutcome::Rejected]);
        let now = probe.engine.get(NAME, None).await.expect("there");
        assert_eq!((etag(&now).as_str(), now.evidence.as_str()), ("v5", "corrected"));

        let says: Vec<_> = probe.told().await.iter().map(|entry| (entry.assertion, entry.diff)).collect();
        assert_eq!(says, [(0, 1), (0, -1), (1, 1), (1, -1), (2, 1)]);
        let read = probe.engine.context().store.read_long(|connection| {
            Ok(revisions::table.select(revisions::version).order(revisions::version).load::<i64>(connection)?)
        });
        assert_eq!(read.await.expect("readable"), [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_change_from_the_day_of_the_end_on_is_refused_by_the_name_of_its_field() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let first = probe.create(step("once"), first_day()).await.expect("created");
        let ended = probe.end(&etag(&first), EndKind::Ended, first_day() + 10).await.expect("ended");
        let late = Update { etag: etag(&ended), effective_on: date(first_day() + 10), ..Update::default() };
        let refused = probe.update(step("late"), late).await.expect_err("refused");
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Precondition, "RECORD_ENDED"));
        let status = tonic::Status::from(refused);
        let details = tonic_types::StatusExt::get_error_details(&status);
        let fields: Vec<_> =
            details.precondition_failure().expect("said").violations.iter().map(|v| v.subject.clone()).collect();
        assert_eq!(fields, ["effective_on"]);
    }
}

#[tokio::test]
async fn an_identity_number_is_no_id_and_is_not_repeated_in_the_answer() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let number = minsheng_kit::values::identifiers::ResidentId::synthetic(
            NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day"),
            1,
        )
        .expect("synthetic");
        for name in [number.expose().to_owned(), format!("case-{}", number.expose().to_lowercase())] {
            let named = pb::Milestone { name: format!("milestones/{name}"), ..step("once") };
            let refused = probe.create(named, first_day()).await.expect_err("refused");
            assert_eq!(refused.kind(), ErrorKind::Invalid);
            let said = format!("{refused} {refused:?}");
            assert!(said.contains("milestone.name") && !said.contains(number.expose()), "{said}");
        }
        // Eighteen digits that are no identity number are an id like another.
        let named = pb::Milestone { name: "milestones/123456789012345678".to_owned(), ..step("once") };
        probe.create(named, first_day()).await.expect("created");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_resource_is_reported_under_its_field_and_with_an_item_as_it_stands() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let bad = pb::Milestone { milestone_state: pb::MilestoneState::Done.into(), ..step("") };
        let refused = probe.create(bad.clone(), first_day()).await.expect_err("refused");
        let Error::Invalid(violations) = refused else { panic!("{refused:?}") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.clone()).collect();
        assert_eq!(fields, ["milestone.happened_on", "milestone.evidence"]);
        let key = probe.key();
        let answers = probe.engine.record_all(key, &[bad]).await.expect("answered");
        let fields: Vec<_> = answers[0].violations.iter().map(|violation| violation.field.clone()).collect();
        assert_eq!(fields, ["happened_on", "evidence"]);
    }
}

fn reasons(error: Error) -> Vec<(String, &'static str)> {
    let Error::Invalid(violations) = error else { panic!("{error:?}") };
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

#[tokio::test]
async fn another_area_is_refused_where_the_update_means_it_and_nowhere_else() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let created = probe.create(step("planned"), first_day()).await.expect("created");
        let moved = |text: &str| pb::Milestone { area: "540100".to_owned(), ..step(text) };
        let mask = |paths: &[&str]| {
            Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
        };
        let update = |etag: &str, update_mask| Update { etag: etag.to_owned(), update_mask, ..Update::default() };
        for update_mask in [None, mask(&["*"]), mask(&["evidence", "area"])] {
            let refused = probe.update(moved("moved"), update(&etag(&created), update_mask)).await.expect_err("moved");
            assert_eq!(reasons(refused), [("milestone.area".to_owned(), "IMMUTABLE")]);
        }
        let renamed =
            probe.update(step("named"), update(&etag(&created), mask(&["name"]))).await.expect_err("no field");
        assert_eq!(reasons(renamed), [("update_mask".to_owned(), "UNKNOWN_PATH")]);
        // The mask leaves it out, it is empty, or it is the same.
        let masked = probe.update(moved("one"), update(&etag(&created), mask(&["evidence"]))).await.expect("updated");
        let unsaid = pb::Milestone { area: String::new(), ..step("two") };
        let unsaid = probe.update(unsaid, update(&etag(&masked), None)).await.expect("updated");
        let same =
            probe.update(step("three"), update(&etag(&unsaid), mask(&["evidence", "area"]))).await.expect("same");
        assert_eq!((same.area.as_str(), same.evidence.as_str()), ("540000", "three"));
    }
}

#[tokio::test]
async fn an_item_whose_name_exists_in_another_area_is_refused_and_not_taken_for_the_same() {
    use ItemOutcome::{Created, Rejected, Unchanged};
    for database in databases() {
        let mut probe = Probe::open(database);
        probe.create(step("planned"), first_day()).await.expect("created");
        let elsewhere = pb::Milestone { area: "540100".to_owned(), ..step("planned") };
        let new = pb::Milestone { name: "milestones/new".to_owned(), ..step("planned") };
        let new_elsewhere = pb::Milestone { area: "540100".to_owned(), ..new.clone() };
        let key = probe.key();
        let items = [elsewhere.clone(), step("planned"), new, new_elsewhere];
        let answers = probe.engine.record_all(key, &items).await.expect("answered");
        let outcomes: Vec<_> = answers.iter().map(ItemResult::outcome).collect();
        assert_eq!(outcomes, [Rejected, Unchanged, Created, Rejected]);
        for answer in [&answers[0], &answers[3]] {
            let violation = &answer.violations[0];
            assert_eq!((violation.field.as_str(), violation.reason.as_str()), ("area", "IMMUTABLE"));
            assert!(violation.description.contains("540000"), "{violation:?}");
        }
        assert_eq!(answers[0].name, NAME);
        // Whoever creates is told that the name is taken.
        let taken = probe.create(elsewhere, first_day()).await.expect_err("taken");
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    }
}

#[tokio::test]
async fn a_stale_etag_is_answered_with_the_one_that_the_record_has() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let created = probe.create(step("planned"), first_day()).await.expect("created");
        let update = Update { etag: etag(&created), ..Update::default() };
        let changed = probe.update(step("changed"), update.clone()).await.expect("updated");
        let refused = probe.update(step("late"), update).await.expect_err("stale");
        let Error::EtagMismatch { name, etag: present } = refused else { panic!("{refused:?}") };
        assert_eq!((name.as_str(), present), (NAME, etag(&changed)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_with_the_same_records_in_any_order_all_come_in_or_are_told_to_come_again() {
    for database in databases() {
        let probe = Probe::open(database);
        let named = |n: u32| pb::Milestone { name: format!("milestones/s{n:02}"), ..step("once") };
        let mut batches = Vec::new();
        for batch in 0..16_u32 {
            let mut items: Vec<pb::Milestone> = (batch / 2..batch / 2 + 12).map(named).collect();
            if batch % 2 == 1 {
                items.reverse();
            }
            let engine = probe.engine.clone();
            batches.push(tokio::spawn(async move {
                loop {
                    let id = format!("{batch}");
                    let key = Idempotency::new("health", "probe", &id, &pb::Milestone::default());
                    match engine.record_all(key, &items).await {
                        Ok(answers) => return answers,
                        Err(error) => assert_eq!(error.reason(), "CONCURRENT_CHANGE", "{error:?}"),
                    }
                }
            }));
        }
        for batch in batches {
            for answer in batch.await.expect("ran") {
                assert!([ItemOutcome::Created, ItemOutcome::Unchanged].contains(&answer.outcome()), "{answer:?}");
            }
        }
        assert_eq!(probe.told().await.len(), 19, "{database:?}: each is told once");
    }
}

/// Touches two records of a table, each unit in its own order, both in the middle when the other is: when it runs for
/// the first time. Gives how often it ran.
async fn cross(store: &Store, order: [&'static str; 2], middle: Arc<Barrier>) -> i64 {
    let mut runs = 0;
    let unit = move |tx: &mut Tx<'_>| {
        runs += 1;
        for (index, id) in order.into_iter().enumerate() {
            if index == 1 && runs == 1 {
                middle.wait();
            }
            let sql = "UPDATE milestones SET version = version + $1 WHERE id = $2";
            on_each!(tx.connection, c => {
                diesel::sql_query(sql).bind::<BigInt, _>(1).bind::<Text, _>(id).execute(c)
            })?;
        }
        Ok(pb::ReturnRow { commitment: runs.to_string(), ..pb::ReturnRow::default() })
    };
    let answer = store.write(Unit::of("probe"), unit).await.expect("passed in the end");
    answer.commitment.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_units_that_wait_for_each_other_one_runs_again_and_both_pass() {
    for database in databases() {
        if database == TestDatabase::Sqlite {
            // One unit runs at a time: nobody waits in a circle.
            continue;
        }
        let mut probe = Probe::open(database);
        for name in ["a", "b"] {
            let named = pb::Milestone { name: format!("milestones/{name}"), ..step("once") };
            probe.create(named, first_day()).await.expect("created");
        }
        let (store, middle) = (&probe.engine.context().store, Arc::new(Barrier::new(2)));
        let (one, other) =
            tokio::join!(cross(store, ["a", "b"], Arc::clone(&middle)), cross(store, ["b", "a"], middle));
        assert_eq!(one + other, 3, "one of them ran twice");
        for name in ["a", "b"] {
            let there = probe.engine.get(&format!("milestones/{name}"), None).await.expect("there");
            assert_eq!(there.meta.expect("meta").etag, "v3", "raised by both, and by neither twice");
        }
    }
}
