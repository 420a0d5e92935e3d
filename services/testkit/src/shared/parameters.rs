//! Dated parameters, and who looked at a person's records.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::{
    RunQueryDsl as _,
    sql_types::{Binary, Text},
};
use minsheng_kit::{
    assembly::Definition,
    clients::DepartmentChannel,
    journal::feed::{self, Cursor},
    on_each,
    register::FOREVER,
    store::{Store, StoreConfig, Tx, Unit, system_clock},
    values::{calendar::epoch_day, identifiers::ResidentId, parameters::EDITION},
};
use minsheng_proto::common::v1::{
    self as common, parameter_service_client::ParameterServiceClient, record_service_client::RecordServiceClient,
};
use prost::Message as _;
use tonic::Code;

use super::{Site, date, refused, request_id, tampered};
use crate::{TestDatabase, TestSite, databases};

fn parameter(key: &str, value: i64) -> common::Parameter {
    common::Parameter {
        key: key.to_owned(),
        area: "540000".to_owned(),
        value,
        unit: "days".to_owned(),
        effective_from: date(2026, 1, 1),
        effective_to: None,
        source: "notice 1".to_owned(),
        confidence: common::Confidence::High.into(),
    }
}

fn set(n: u128, parameter: common::Parameter) -> common::SetParameterRequest {
    common::SetParameterRequest { request_id: request_id(n), parameter: Some(parameter) }
}

async fn listed(client: &mut ParameterServiceClient<DepartmentChannel>, prefix: &str) -> Vec<(String, i64)> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let asked = common::ListParametersRequest {
            key_prefix: prefix.to_owned(),
            on: None,
            page_size: 2,
            page_token: token.clone(),
        };
        if !token.is_empty() {
            let other = common::ListParametersRequest { page_token: tampered(&token), ..asked.clone() };
            refused(client.list_parameters(other).await, Code::InvalidArgument, "page_token");
            let other = common::ListParametersRequest { key_prefix: "other".to_owned(), ..asked.clone() };
            refused(client.list_parameters(other).await, Code::InvalidArgument, "page_token");
        }
        let page = client.list_parameters(asked).await.expect("listed").into_inner();
        assert!(page.parameters.len() <= 2);
        found.extend(page.parameters.into_iter().map(|parameter| (parameter.key, parameter.value)));
        token = page.next_page_token;
        if token.is_empty() {
            return found;
        }
    }
}

/// A parameter is filed corrected and kept and none of those filed at once is lost.
pub async fn a_parameter_is_filed_corrected_and_kept_and_none_of_those_filed_at_once_is_lost(
    definition: &'static Definition,
) {
    for database in databases() {
        let mut site = Site::start(definition, database).await;
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        let key = |n: i64| format!("probe.p{n}_days");
        let filed = (0..5).map(|n| {
            let mut client = client.clone();
            async move { client.set_parameter(set(u128::try_from(n).expect("small") + 1, parameter(&key(n), n))).await }
        });
        for answer in futures_of(filed).await {
            answer.expect("filed");
        }
        let all: Vec<_> = (0..5).map(|n| (key(n), n)).collect();
        assert_eq!(listed(&mut client, "probe.").await, all);
        client.set_parameter(set(11, parameter(&key(2), 200))).await.expect("corrected");
        let mut corrected = all;
        corrected[2].1 = 200;
        assert_eq!(listed(&mut client, "probe.").await, corrected);

        let impossible = common::Parameter { effective_to: date(2026, 2, 31), ..parameter(&key(6), 6) };
        refused(client.set_parameter(set(12, impossible)).await, Code::InvalidArgument, "parameter.effective_to");
        let backwards = common::Parameter { effective_to: date(2025, 12, 31), ..parameter(&key(6), 6) };
        refused(client.set_parameter(set(13, backwards)).await, Code::InvalidArgument, "parameter.effective_to");
        let unit = common::Parameter { unit: "fen".to_owned(), ..parameter(&key(2), 6) };
        refused(client.set_parameter(set(14, unit)).await, Code::InvalidArgument, "parameter.unit");
        let nowhere = common::Parameter { area: "999999".to_owned(), ..parameter(&key(6), 6) };
        refused(client.set_parameter(set(15, nowhere)).await, Code::InvalidArgument, "parameter.area");
        assert_eq!(listed(&mut client, "probe.").await, corrected, "what was refused is not there");

        if database == TestDatabase::Postgres {
            // Another replica on the same database.
            let replica = site.files.start(definition, database, &site.clock, &[]).await.expect("starts");
            let channel = site.files.channel("operator", definition, &replica).expect("channel");
            let mut other = ParameterServiceClient::new(channel);
            client.set_parameter(set(16, parameter(&key(3), 300))).await.expect("corrected here");
            corrected[3].1 = 300;
            assert_eq!(listed(&mut other, "probe.").await, corrected);
            replica.stop().await.expect("stops");
        }
        site.service.stop().await.expect("stops");
        site.service = site.files.start(definition, database, &site.clock, &[]).await.expect("starts again");
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        assert_eq!(listed(&mut client, "probe.").await, corrected);
        site.stop().await;
    }
}

/// What the feed gives of one parameter: record, assertion, sign, days and value.
type Told = Vec<(String, i64, i64, (i64, i64), i64)>;

/// Opens the database of a service that has stopped.
async fn opened(definition: &'static Definition, files: &TestSite, database: TestDatabase) -> Store {
    let url = files.database(database, definition.department).expect("a database");
    let open = move || Store::open(&StoreConfig::new(url), &definition.all_migrations(), system_clock());
    tokio::task::spawn_blocking(open).await.expect("ran").expect("opens")
}

async fn told(definition: &'static Definition, store: &Store, key: &'static str) -> Told {
    let settled = store.settled().await.expect("settled");
    let read = move |connection: &mut _| {
        let (mut told, dataset) = (Told::new(), format!("{}.parameters", definition.service));
        feed::read(connection, settled, &dataset, &Cursor::default(), 100, &mut |rows, _| {
            told.extend(rows.into_iter().filter(|row| row.record.starts_with(key)).map(|row| {
                let value = common::ParameterRow::decode(row.payload.as_slice()).expect("decodes").value;
                (row.record, row.assertion, row.diff, (row.valid_from, row.valid_until), value)
            }));
            true
        })?;
        Ok(told)
    };
    store.read_long(read).await.expect("read")
}

/// The values that hold by what was told, by record and first day.
fn standing(told: &Told) -> BTreeMap<(String, i64), (i64, i64)> {
    let mut standing = BTreeMap::new();
    for (record, _, diff, (from, until), value) in told {
        if *diff > 0 {
            assert_eq!(standing.insert((record.clone(), *from), (*until, *value)), None, "{record} twice on a day");
        } else {
            assert_eq!(standing.remove(&(record.clone(), *from)), Some((*until, *value)), "a retraction of nothing");
        }
    }
    standing
}

fn day_number(year: i32, month: u32, day: u32) -> i64 {
    epoch_day(NaiveDate::from_ymd_opt(year, month, day).expect("a day"))
}

/// A parameter is told as the values of a key in an area from day to day.
pub async fn a_parameter_is_told_as_the_values_of_a_key_in_an_area_from_day_to_day(definition: &'static Definition) {
    for database in databases() {
        let mut site = Site::start(definition, database).await;
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        let from =
            |value, year| common::Parameter { effective_from: date(year, 1, 1), ..parameter("probe.a_days", value) };
        let county = common::Parameter { area: "540102".to_owned(), ..from(3, 2026) };
        let late = common::Parameter { effective_to: date(2027, 6, 30), ..from(4, 2027) };
        for (n, filed) in (1..).zip([from(1, 2026), from(2, 2026), county, late]) {
            client.set_parameter(set(n, filed)).await.expect("filed");
        }
        client.set_parameter(set(1, from(1, 2026))).await.expect("the first answer, and no entry");
        let nowhere = common::Parameter { area: "999999".to_owned(), ..from(4, 2026) };
        refused(client.set_parameter(set(9, nowhere)).await, Code::InvalidArgument, "parameter.area");
        let on = |year, month, day| common::ListParametersRequest {
            key_prefix: "probe.a_days".to_owned(),
            on: date(year, month, day),
            ..common::ListParametersRequest::default()
        };
        for (on, expected) in [
            (on(2025, 12, 31), vec![]),
            (on(2026, 1, 1), vec![2, 3]),
            (on(2027, 6, 30), vec![4, 3]),
            (on(2027, 7, 1), vec![2, 3]),
        ] {
            let listed = client.list_parameters(on.clone()).await.expect("listed").into_inner().parameters;
            assert_eq!(listed.iter().map(|parameter| parameter.value).collect::<Vec<_>>(), expected, "{on:?}");
        }
        site.service.stop().await.expect("stops");

        let store = opened(definition, &site.files, database).await;
        let (region, county) = ("probe.a_days/540000".to_owned(), "probe.a_days/540102".to_owned());
        let (first, second, third) = (day_number(2026, 1, 1), day_number(2027, 1, 1), day_number(2027, 7, 1));
        let told_of_it = told(definition, &store, "probe.a_days").await;
        assert_eq!(
            told_of_it,
            [
                (region.clone(), 0, 1, (first, FOREVER), 1),
                (region.clone(), 0, -1, (first, FOREVER), 1),
                (region.clone(), 1, 1, (first, FOREVER), 2),
                (county, 0, 1, (first, FOREVER), 3),
                (region.clone(), 1, -1, (first, FOREVER), 2),
                (region.clone(), 2, 1, (first, second), 2),
                (region.clone(), 3, 1, (second, third), 4),
                (region, 4, 1, (third, FOREVER), 2),
            ]
        );
        drop(store);
        site.service = site.files.start(definition, database, &site.clock, &[]).await.expect("starts again");
        site.service.stop().await.expect("stops");
        let store = opened(definition, &site.files, database).await;
        assert_eq!(told(definition, &store, "probe.a_days").await, told_of_it, "and nothing twice");
    }
}

/// What the software ships with is told too and by an older version not over a newer one.
pub async fn what_the_software_ships_with_is_told_too_and_by_an_older_version_not_over_a_newer_one(
    definition: &'static Definition,
) {
    for database in databases() {
        let mut site = Site::start(definition, database).await;
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        let all = client.list_parameters(common::ListParametersRequest { page_size: 1000, ..Default::default() }).await;
        let shipped = all.expect("listed").into_inner().parameters;
        site.service.stop().await.expect("stops");
        let store = opened(definition, &site.files, database).await;
        let before = told(definition, &store, "").await;
        drop(store);
        for parameter in &shipped {
            let from = day_number_of(parameter.effective_from.as_ref());
            let record = format!("{}/{}", parameter.key, parameter.area);
            let holds = standing(&before).get(&(record.clone(), from)).map(|(_, value)| *value);
            assert_eq!(holds, Some(parameter.value), "{record} from {from}");
        }

        // As another version left it: one value of today is not there, and one is that is not of today.
        let other_edition = |edition: i64| {
            move |tx: &mut Tx<'_>| {
                let sql = format!("UPDATE journal_state SET parameters_edition = {edition}");
                on_each!(&mut *tx.connection, c => diesel::sql_query(sql).execute(c))?;
                Ok(())
            }
        };
        for (edition, tells) in [(EDITION + 1, false), (EDITION - 1, true)] {
            let store = opened(definition, &site.files, database).await;
            let forget = "UPDATE parameter_states SET told = $1 WHERE record = $2";
            let record = format!("{}/{}", shipped[0].key, shipped[0].area);
            let forgetting = store.write(Unit::of("test"), move |tx| {
                on_each!(&mut *tx.connection, c => {
                    diesel::sql_query(forget).bind::<Binary, _>(vec![0]).bind::<Text, _>(&record).execute(c)
                })?;
                Ok(())
            });
            forgetting.await.expect("another value");
            store.write(Unit::of("test"), other_edition(edition)).await.expect("noted");
            drop(store);
            let known = before.len();
            site.service = site.files.start(definition, database, &site.clock, &[]).await.expect("starts again");
            let mut client = ParameterServiceClient::new(site.channel("operator"));
            let filed = client.set_parameter(set(77, parameter("probe.b_days", 1))).await;
            assert_eq!(filed.is_ok(), tells, "what a newer version told is not judged by an older one: {filed:?}");
            site.service.stop().await.expect("stops");
            let store = opened(definition, &site.files, database).await;
            let count = i64_count(&store, "SELECT count(*) AS number FROM journal").await;
            assert_eq!(count > i64::try_from(known).expect("small"), tells, "edition {edition} on {database:?}");
        }
    }
}

fn day_number_of(date: Option<&common::Date>) -> i64 {
    date.and_then(minsheng_kit::register::day).map(epoch_day).expect("a day")
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

async fn i64_count(store: &Store, sql: &'static str) -> i64 {
    let count = move |connection: &mut _| {
        let count: Count = on_each!(connection, c => diesel::sql_query(sql).get_result(c))?;
        Ok(count.number)
    };
    store.read_long(count).await.expect("read")
}

/// Runs calls at the same time.
async fn futures_of<F>(calls: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let tasks: Vec<_> = calls.map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("ran"));
    }
    answers
}

/// Who looked at a person is told to the keeper page by page and for that person alone.
pub async fn who_looked_at_a_person_is_told_to_the_keeper_page_by_page_and_for_that_person_alone(
    definition: &'static Definition,
) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut records = site.records();
        let person = |sequence| {
            let born = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day");
            ResidentId::synthetic(born, sequence).expect("synthetic").expose().to_owned()
        };
        let asked = |sequence, case: &str, page_token: &str| common::ListAccessesRequest {
            resident_id: person(sequence),
            context: Some(common::QuestionContext {
                purpose: common::Purpose::AccessReview.into(),
                case_number: case.to_owned(),
                officer: "officer-7".to_owned(),
            }),
            page_size: 2,
            page_token: page_token.to_owned(),
        };
        // Each read of the list is a read that the next one shows.
        for case in ["a", "b", "c"] {
            records.list_accesses(asked(1, case, "")).await.expect("listed");
        }
        let first = records.list_accesses(asked(1, "d", "")).await.expect("listed").into_inner();
        let cases = |page: &common::ListAccessesResponse| -> Vec<String> {
            page.accesses.iter().map(|access| access.case_number.clone()).collect()
        };
        let second = records.list_accesses(asked(1, "e", &first.next_page_token)).await.expect("listed").into_inner();
        assert_eq!([cases(&first), cases(&second)].concat(), ["c", "b", "a"]);
        assert_eq!(second.next_page_token, "");
        assert!(first.accesses.iter().all(|access| access.department == definition.department));
        for (sequence, token) in [(2, first.next_page_token.clone()), (1, tampered(&first.next_page_token))] {
            refused(records.list_accesses(asked(sequence, "f", &token)).await, Code::InvalidArgument, "page_token");
        }
        let mut others = RecordServiceClient::new(site.channel("operator"));
        refused(others.list_accesses(asked(1, "g", "")).await, Code::PermissionDenied, "");
        site.stop().await;
    }
}
