//! What holds for the records of every register, shown by milestones: what was withdrawn can be recorded again, a
//! record that ended is seen by a reader of the feed as the register has it, and units that meet do not stand in each
//! other's way.

use std::sync::{Arc, Barrier};

use chrono::NaiveDate;
use diesel::{
    QueryDsl as _, RunQueryDsl as _,
    sql_types::{BigInt, Text},
};
use minsheng_kit::{
    context::Context,
    error::{Error, ErrorKind},
    filings::Milestones,
    journal::Change,
    keys::Keys,
    on_each,
    register::{Engine, date, day},
    store::{
        Idempotency, KIT_MIGRATIONS, Store, StoreConfig, Tx, Unit,
        schema::{journal, revisions},
    },
    testing::{TestClock, TestDatabase, TestSite, databases},
    values::calendar::epoch_day,
};
use minsheng_proto::{
    common::v1::{EndKind, ItemOutcome, RecordState},
    returns::v1 as pb,
};
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
        Self { _site: site, engine: Engine::new(Milestones { service: "health" }, context), requests: 0 }
    }

    fn key(&mut self) -> Idempotency {
        self.requests += 1;
        Idempotency::new("health", "probe", &self.requests.to_string(), &pb::Milestone::default())
    }

    async fn create(&mut self, milestone: pb::Milestone, effective_on: i64) -> Result<pb::Milestone, Error> {
        let key = self.key();
        self.engine.create(key, milestone, date(effective_on)).await
    }

    async fn end(&mut self, etag: &str, kind: EndKind, ended_on: i64) -> Result<pb::Milestone, Error> {
        let key = self.key();
        self.engine.end(key, NAME, etag, kind.into(), date(ended_on)).await
    }

    /// Reads what the journal says of the one record: change, day, evidence; oldest first.
    async fn told(&self) -> Vec<(i64, i64, String)> {
        let read = self.engine.context().store.read_long(|connection| {
            let rows: Vec<(i64, i64, Vec<u8>)> = journal::table
                .order(journal::position)
                .select((journal::change, journal::valid_on, journal::payload))
                .load(connection)?;
            Ok(rows)
        });
        let rows = read.await.expect("readable").into_iter();
        rows.map(|(change, valid_on, payload)| {
            (change, valid_on, pb::MilestoneRow::decode(payload.as_slice()).expect("a row").evidence)
        })
        .collect()
    }
}

fn step(evidence: &str) -> pb::Milestone {
    pb::Milestone {
        name: NAME.to_owned(),
        area: "540000".to_owned(),
        commitment: "regional-medical-centres".to_owned(),
        subject: "west".to_owned(),
        title: "区域医疗中心".to_owned(),
        milestone_state: pb::MilestoneState::Planned.into(),
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

/// What a reader of the feed takes for true on a day, as `docs/FEED.md` says: the evidence, nothing where there is none.
fn truth(told: &[(i64, i64, String)], on: i64) -> Option<&str> {
    let withdrawn = told.iter().rposition(|(change, ..)| *change == Change::Withdrawn as i64);
    let standing = &told[withdrawn.map_or(0, |index| index + 1)..];
    // `max_by_key` gives the last of equals.
    let row = standing.iter().filter(|(_, valid_on, _)| *valid_on <= on).max_by_key(|(_, valid_on, _)| *valid_on)?;
    (row.0 != Change::Ended as i64).then_some(row.2.as_str())
}

/// What the register says of a day of its present content.
fn kept(milestone: &pb::Milestone, on: i64) -> Option<&str> {
    let meta = milestone.meta.as_ref().expect("meta");
    let ended = meta.ended_on.as_ref().and_then(day).is_some_and(|ended| epoch_day(ended) <= on);
    (meta.state() != RecordState::Withdrawn && !ended).then_some(milestone.evidence.as_str())
}

/// A small generator, so that a failing run can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides).expect("small")
    }
}

#[tokio::test]
async fn register_and_feed_agree_whatever_is_changed_ended_withdrawn_and_recorded_again() {
    for database in databases() {
        let mut probe = Probe::open(database);
        let mut dice = Dice(20_260_320);
        let (mut done, mut refused) = (0, 0);
        probe.create(step("0"), first_day()).await.expect("created");
        for round in 1..240 {
            let there = probe.engine.get(NAME).await.expect("there");
            let on = first_day() + dice.roll(30);
            let said = match dice.roll(12) {
                0 => probe.end(&etag(&there), EndKind::Withdrawn, on).await,
                1 | 2 => probe.create(step(&round.to_string()), on).await,
                3..=6 => probe.end(&etag(&there), EndKind::Ended, on).await,
                choice => {
                    let (key, from) = (probe.key(), (choice % 2 == 0).then(|| date(on)).flatten());
                    probe.engine.update(key, step(&round.to_string()), &etag(&there), None, from).await
                }
            };
            match said {
                Ok(_) => done += 1,
                Err(error) => {
                    let kinds = [ErrorKind::Invalid, ErrorKind::Precondition, ErrorKind::AlreadyExists];
                    assert!(kinds.contains(&error.kind()), "{database:?}, round {round}: {error:?}");
                    refused += 1;
                }
            }
            let (now, told) = (probe.engine.get(NAME).await.expect("there"), probe.told().await);
            let from = now.meta.clone().expect("meta").effective_on.as_ref().and_then(day).map(epoch_day);
            for on in from.expect("a day")..first_day() + 40 {
                assert_eq!(truth(&told, on), kept(&now, on), "{database:?}, round {round}, {:?}", date(on));
            }
        }
        assert!(done > 60 && refused > 20, "{done} done, {refused} refused: the dice show little");
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
        let now = probe.engine.get(NAME).await.expect("there");
        assert_eq!((etag(&now).as_str(), now.evidence.as_str()), ("v5", "corrected"));

        let changes: Vec<i64> = probe.told().await.into_iter().map(|(change, ..)| change).collect();
        assert_eq!(changes, [1, 4, 1, 4, 1]);
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
        let key = probe.key();
        let from = date(first_day() + 10);
        let refused = probe.engine.update(key, step("late"), &etag(&ended), None, from).await.expect_err("refused");
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
            let there = probe.engine.get(&format!("milestones/{name}")).await.expect("there");
            assert_eq!(there.meta.expect("meta").etag, "v3", "raised by both, and by neither twice");
        }
    }
}
