//! What the previous version wrote is carried over: services of this version start on its databases, analytics on its
//! lake, and whoever asks for an earlier day or instant hears what was told then.

mod answers;
mod fixture;
mod journals;
mod members;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Binary, Text},
};
use minsheng::{
    commands::report::{Job, make},
    lang::Lang,
    site::{Endpoints, SERVICES},
};
use minsheng_analytics::job::JobOutcome;
use minsheng_kit::assembly::Definition;
use minsheng_testkit::{TestClock, TestDatabase, TestSite, databases, schema};

use answers::Asked;
use fixture::{Database, Fixture, Report};
use journals::{Before, By, Told};

/// Days after the previous version wrote the last of the fixture.
const TODAY: &str = "2026-12-01";
/// Disagreements that are shown.
const SHOWN: usize = 20;

fn clock() -> TestClock {
    TestClock::on(TODAY.parse().expect("a day"))
}

/// Instants of the fixture in the order of time, in microseconds.
fn instants(fixture: &Fixture) -> Vec<i64> {
    let instants = fixture.told.instants.values();
    instants.map(|text| text.parse::<DateTime<Utc>>().expect("an instant").timestamp_micros()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_previous_version_says_what_it_said_and_says_it_once() {
    for kind in databases() {
        let fixture = Fixture::unpack();
        for definition in SERVICES {
            let mut database = fixture.open_before(kind, definition);
            let before = journals::before(&mut database);
            let members = members::before(&mut database);
            drop(database);
            let service = fixture.site.start(definition, kind, &clock(), &[]).await.expect("carried over");
            let asked = Asked::new(&fixture, definition, &service);
            asked.records_changed_before().await;
            asked.every_day_of(&before).await;
            asked.parameters().await;
            service.stop().await.expect("stops");

            let mut database = fixture.open(kind, definition);
            let told = journals::told(&mut database);
            the_sums_are_what_the_former_rule_said(&before, &told, &instants(&fixture));
            the_tables_hold_what_the_journal_asserts(&mut database, definition, &told);
            members::are_the_same(&members, &mut database);
            let carried = everything(&mut database);
            drop(database);

            let service = fixture.site.start(definition, kind, &clock(), &[]).await.expect("starts again");
            service.stop().await.expect("stops");
            let again = everything(&mut fixture.open(kind, definition));
            assert!(again == carried, "{}: another start changed what was carried over", definition.department);

            // What was carried over goes on like any other record: a withdrawal takes back what the journal asserts.
            let service = fixture.site.start(definition, kind, &clock(), &[]).await.expect("starts again");
            Asked::new(&fixture, definition, &service).withdraws_records().await;
            service.stop().await.expect("stops");
            let mut database = fixture.open(kind, definition);
            let told = journals::told(&mut database);
            the_tables_hold_what_the_journal_asserts(&mut database, definition, &told);
        }
    }
}

/// Compares both journals on the days around those of which the earlier one told, as known at each of its instants.
fn the_sums_are_what_the_former_rule_said(before: &By<Before>, told: &By<Told>, instants: &[i64]) {
    let mut wrong = Vec::new();
    let mut ended = 0;
    for (place, entries) in before {
        let told = told.get(place).map(Vec::as_slice).unwrap_or_default();
        let recorded = entries.iter().map(|entry| entry.recorded_at);
        for instant in recorded.chain(instants.iter().copied()).collect::<BTreeSet<_>>() {
            for day in journals::days(entries) {
                let expected = journals::overridden(entries, instant, day);
                ended += usize::from(expected.as_ref().is_some_and(|said| said.2));
                let expected = Vec::from_iter(expected.map(|said| (said, 1)));
                let found = journals::summed(told, instant, day);
                if found != expected {
                    wrong.push(format!("{place:?} on day {day} at {instant}: {found:?}, not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} disagree: {:#?}", wrong.len(), &wrong[..wrong.len().min(SHOWN)]);
    assert!(ended > 0, "no record of the fixture has ended");
}

/// A state as a register's table holds it.
#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    assertion: i64,
    #[diesel(sql_type = BigInt)]
    effective_on: i64,
    #[diesel(sql_type = BigInt)]
    effective_until: i64,
    #[diesel(sql_type = BigInt)]
    state: i64,
    #[diesel(sql_type = Text)]
    area: String,
    #[diesel(sql_type = Binary)]
    told: Vec<u8>,
}

const ENDED: i64 = 2;
const WITHDRAWN: i64 = 3;

/// Sees to it that each record's states are those that the journal asserts, in the order of days and numbered by it.
fn the_tables_hold_what_the_journal_asserts(database: &mut Database, definition: &Definition, told: &By<Told>) {
    let mut records = 0;
    for table in database.registers() {
        let dataset = minsheng::registers::find(&table).expect("a register").dataset(definition.department);
        let states: Vec<Row> = database.load(&format!(
            "SELECT id, assertion, effective_on, effective_until, state, area, told FROM {table} ORDER BY id, number"
        ));
        for states in states.chunk_by(|one, other| one.id == other.id) {
            records += 1;
            let entries = &told[&(dataset.clone(), states[0].id.clone())];
            let standing = journals::standing(entries);
            if states[0].state == WITHDRAWN {
                let (state, greatest) = (&states[0], entries.iter().map(|entry| entry.assertion).max());
                assert!(standing.is_empty(), "{dataset} {}: withdrawn, and {standing:?} stand", state.id);
                // One that is recorded again goes on with the numbers.
                assert!(
                    states.iter().map(|state| Some(state.assertion)).max() == Some(greatest),
                    "{dataset} {}",
                    state.id
                );
                continue;
            }
            let kept = states.iter().map(|state| {
                let Row { assertion, effective_on, effective_until, ref area, ref told, .. } = *state;
                (assertion, effective_on, effective_until, state.state == ENDED, area, told)
            });
            let asserted = standing.iter().map(|entry| {
                let Told { assertion, valid_from, valid_until, ended, ref area, ref payload, .. } = **entry;
                (assertion, valid_from, valid_until, ended, area, payload)
            });
            assert_eq!(kept.collect::<Vec<_>>(), asserted.collect::<Vec<_>>(), "{dataset} {}", states[0].id);
        }
    }
    let of_registers = told.keys().filter(|(dataset, _)| !dataset.ends_with(".parameters")).count();
    assert_eq!(records, of_registers, "{}", definition.department);
}

/// Reads journal, states and what belongs to them, each row as one text, without what each start may make differently.
fn everything(database: &mut Database) -> BTreeMap<String, Vec<String>> {
    let mut tables = database.registers();
    tables.extend(["journal", "revisions", "parameter_states", "journal_state"].map(str::to_owned));
    if tables.iter().any(|table| table == "assistance_households") {
        tables.push("assistance_members".to_owned());
    }
    let read = |table: String| {
        let columns = database.columns(&table);
        let row: Vec<String> = columns.iter().map(|column| database.as_text(column)).collect();
        let rows = database.texts(&format!("SELECT {} AS text FROM {table} ORDER BY 1", row.join(" || '|' || ")));
        (table, rows)
    };
    tables.into_iter().map(read).collect()
}

#[test]
fn a_database_of_the_previous_version_gets_the_schema_of_a_new_one() {
    for kind in databases() {
        let (fixture, new) = (Fixture::unpack(), TestSite::new().expect("a site"));
        for definition in SERVICES {
            drop(fixture.open_before(kind, definition));
            let schemas = [&fixture.site, &new].map(|site| schema::migrated(site, definition, kind));
            for (name, table) in &schemas[1] {
                assert_eq!(schemas[0].get(name), Some(table), "{}: {name}", definition.department);
            }
            assert_eq!(schemas[0].len(), schemas[1].len(), "{}", definition.department);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_cut_short_goes_on_where_it_was() {
    let definition = &minsheng_health::DEFINITION;
    for kind in databases() {
        let uncut = Fixture::unpack();
        drop(uncut.open_before(kind, definition));
        let service = uncut.site.start(definition, kind, &clock(), &[]).await.expect("carried over");
        service.stop().await.expect("stops");
        let mut expected = everything(&mut uncut.open(kind, definition));

        let cut = Fixture::unpack();
        drop(cut.open_before(kind, definition));
        cut.migrate(kind, definition);
        let mut database = cut.open(kind, definition);
        // The first cut lies between two registers, the second behind the last of them.
        for table in ["quality_certificates", "journal_state"] {
            database.execute(&refuse_writes(kind, table));
            drop(database);
            let refused = cut.site.start(definition, kind, &clock(), &[]).await;
            assert!(refused.is_err(), "the start was not cut at {table}");
            database = cut.open(kind, definition);
            database.execute(&allow_writes(kind, table));
            let carried = |database: &mut Database, table: &str| {
                database.number(&format!("SELECT count(*) AS number FROM {table} WHERE assertion <> -1"))
            };
            assert!(carried(&mut database, "institutions") > 0, "nothing was carried over before the cut at {table}");
            let certificates = carried(&mut database, "quality_certificates");
            assert_eq!(certificates > 0, table == "journal_state", "{certificates} certificates at the cut at {table}");
        }
        drop(database);
        let service = cut.site.start(definition, kind, &clock(), &[]).await.expect("goes on");
        service.stop().await.expect("stops");
        let mut found = everything(&mut cut.open(kind, definition));
        // An incarnation is drawn by lot; what was told at the start itself was told at another instant.
        for tables in [&mut expected, &mut found] {
            tables.remove("journal_state");
            let journal = tables.get_mut("journal").expect("a journal");
            journal.retain(|row| !row.contains("health.parameters"));
        }
        for (table, rows) in &expected {
            assert!(*rows == found[table], "{table} is another after the cut");
        }
    }
}

/// Spells a trigger that refuses what changes the rows of a table.
fn refuse_writes(kind: TestDatabase, table: &str) -> String {
    match kind {
        TestDatabase::Sqlite => {
            format!("CREATE TRIGGER cut_short BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'cut short'); END")
        }
        TestDatabase::Postgres => format!(
            "CREATE FUNCTION cut_short() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut short'; END $$; \
             CREATE TRIGGER cut_short BEFORE UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION cut_short()"
        ),
    }
}

fn allow_writes(kind: TestDatabase, table: &str) -> String {
    match kind {
        TestDatabase::Sqlite => "DROP TRIGGER cut_short".to_owned(),
        TestDatabase::Postgres => format!("DROP TRIGGER cut_short ON {table}; DROP FUNCTION cut_short()"),
    }
}

/// A verdict's figures, or those of a month: by what they are of.
type Figures = BTreeMap<Vec<String>, Vec<String>>;

#[tokio::test(flavor = "multi_thread")]
async fn earlier_reports_from_a_lake_of_the_previous_version_say_the_same() {
    let fixture = Fixture::unpack();
    let clock = clock();
    let mut services = Vec::new();
    let mut addresses = BTreeMap::new();
    for definition in SERVICES {
        let asked = services.first().map(|service| (SERVICES[0].department, service));
        let asked = Vec::from_iter(asked);
        let service = fixture.site.start(definition, TestDatabase::Sqlite, &clock, &asked).await.expect("carried over");
        addresses.insert(definition.department.to_owned(), service.address().to_owned());
        services.push(service);
    }
    let endpoints = Endpoints { pki: fixture.site.path().join("pki"), addresses };
    for (number, report) in fixture.told.reports.iter().enumerate() {
        let job = Job {
            lake: fixture.site.path().join("lake"),
            out: fixture.site.path().join(&report.name),
            on: report.on.parse().expect("a day"),
            as_of: Some(report.as_of.parse().expect("an instant")),
        };
        let outcome = make(&job, Some(&endpoints), Lang::En).await.expect("a report");
        assert!(outcome.unreached.is_empty(), "{:?}", outcome.unreached);
        assert_eq!(outcome.resynced.is_empty(), number > 0, "{:?}", outcome.resynced);
        assert!(number > 0 || outcome.resynced.len() > SERVICES.len() * 4, "{:?}", outcome.resynced);
        says_the_same(&fixture, report, &outcome);
    }
    for (definition, service) in SERVICES.into_iter().zip(&services) {
        Asked::new(&fixture, definition, service).what_waited_is_decided().await;
    }
    for service in services {
        service.stop().await.expect("stops");
    }
}

/// The commitments whose figures are of other rows than in the previous version: three measures became what the notice
/// says, and a milestone is reached only by the subjects that the catalogue names for it, which the fixture's are not.
const MEASURED_ANEW: [&str; 9] = [
    "fitness-three-level",
    "residential-utility-prices",
    "senior-places",
    "pension-transfer-measures",
    "medical-long-term-opinion",
    "regional-medical-centres",
    "flexible-maternity-policy",
    "hospital-reform-application",
    "plateau-medicine-centre",
];

/// Compares what was counted, or filed, with what the previous version said. Verdicts, and the wholes that registers
/// know by now, follow from rules that came since; so do the zeros of registers that are kept.
fn says_the_same(fixture: &Fixture, report: &Report, outcome: &JobOutcome) {
    let mut history = csv::Reader::from_path(&outcome.files.csv).expect("written");
    let columns = history.headers().expect("read").clone();
    let history = history.records().map(|row| {
        let row = row.expect("read");
        let of = |name: &str| row[columns.iter().position(|column| column == name).expect("a column")].to_owned();
        (["commitment", "measure", "area", "month"].map(of).to_vec(), vec![of("numerator")])
    });
    let history: Figures = history.collect();
    let before = fixture.figures(&format!("{}-history.csv", report.name), 4).into_iter();
    let before = before.filter(|(key, value)| !value[0].is_empty() && !MEASURED_ANEW.contains(&key[0].as_str()));
    let before: Figures = before.map(|(key, value)| (key, vec![value[0].clone()])).collect();
    assert!(before.len() > 100, "{}", before.len());
    let found = history.into_iter().filter(|(key, _)| before.contains_key(key)).collect();
    compare(&format!("history of {}", report.name), &before, &found);
}

/// Compares figures by what they are of; those that were added up in another order may differ in the last places.
fn compare(what: &str, expected: &Figures, found: &Figures) {
    let same = |one: &str, other: &str| match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
        _ => one == other,
    };
    let all_same = |one: &[String], other: &[String]| one.iter().zip(other).all(|(one, other)| same(one, other));
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let wrong = keys.into_iter().filter_map(|key| match (expected.get(key), found.get(key)) {
        (Some(one), Some(other)) if all_same(one, other) => None,
        (one, other) => Some(format!("{key:?}: {other:?}, not {one:?}")),
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{what}: {} of {} differ: {:#?}",
        wrong.len(),
        expected.len(),
        &wrong[..wrong.len().min(SHOWN)]
    );
}
