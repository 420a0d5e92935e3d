//! Dated parameters, and who looked at a person's records.

use chrono::NaiveDate;
use diesel::RunQueryDsl as _;
use minsheng_kit::{
    clients::DepartmentChannel,
    journal::{
        Change,
        feed::{self, Cursor},
    },
    on_each,
    store::{Store, StoreConfig, Unit, system_clock},
    testing::{TestDatabase, TestSite, databases},
    values::identifiers::ResidentId,
};
use minsheng_proto::common::v1::{
    self as common, parameter_service_client::ParameterServiceClient, record_service_client::RecordServiceClient,
};
use prost::Message as _;
use tonic::Code;

use super::{DEFINITION, Site, date, refused, request_id, tampered};

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

#[tokio::test]
async fn a_parameter_is_filed_corrected_and_kept_and_none_of_those_filed_at_once_is_lost() {
    for database in databases() {
        let mut site = Site::start(database).await;
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
            let replica = site.files.start(&DEFINITION, database, &site.clock, &[]).await.expect("starts");
            let channel = site.files.channel("operator", &DEFINITION, &replica).expect("channel");
            let mut other = ParameterServiceClient::new(channel);
            client.set_parameter(set(16, parameter(&key(3), 300))).await.expect("corrected here");
            corrected[3].1 = 300;
            assert_eq!(listed(&mut other, "probe.").await, corrected);
            replica.stop().await.expect("stops");
        }
        site.service.stop().await.expect("stops");
        site.service = site.files.start(&DEFINITION, database, &site.clock, &[]).await.expect("starts again");
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        assert_eq!(listed(&mut client, "probe.").await, corrected);
        site.stop().await;
    }
}

/// What the feed gives of parameters: record, change, area and value.
type Told = Vec<(String, i64, String, i64)>;

/// Opens the database of a service that has stopped.
async fn opened(files: &TestSite, database: TestDatabase) -> Store {
    let url = files.database(database, DEFINITION.department).expect("a database");
    let open = move || Store::open(&StoreConfig::new(url), &DEFINITION.all_migrations(), system_clock());
    tokio::task::spawn_blocking(open).await.expect("ran").expect("opens")
}

async fn told(store: &Store) -> Told {
    let settled = store.settled().await.expect("settled");
    let read = move |connection: &mut _| {
        let (mut told, dataset) = (Told::new(), format!("{}.parameters", DEFINITION.service));
        feed::read(connection, settled, &dataset, &Cursor::default(), 2, &mut |rows, _| {
            told.extend(rows.into_iter().map(|row| {
                let value = common::ParameterRow::decode(row.payload.as_slice()).expect("decodes").value;
                (row.record, row.change, row.area, value)
            }));
            true
        })?;
        Ok(told)
    };
    store.read_long(read).await.expect("read")
}

#[tokio::test]
async fn what_is_filed_is_in_the_feed_with_its_corrections_and_what_was_filed_before_the_feed_had_it_is_told_once() {
    for database in databases() {
        let mut site = Site::start(database).await;
        let mut client = ParameterServiceClient::new(site.channel("operator"));
        let county = common::Parameter { area: "540102".to_owned(), ..parameter("probe.a_days", 3) };
        for (n, filed) in (1..).zip([parameter("probe.a_days", 1), parameter("probe.a_days", 2), county]) {
            client.set_parameter(set(n, filed)).await.expect("filed");
        }
        client.set_parameter(set(1, parameter("probe.a_days", 1))).await.expect("the first answer, and no entry");
        let nowhere = common::Parameter { area: "999999".to_owned(), ..parameter("probe.a_days", 4) };
        refused(client.set_parameter(set(4, nowhere)).await, Code::InvalidArgument, "parameter.area");
        site.service.stop().await.expect("stops");

        let entry = |area: &str, change: Change, value| {
            (format!("probe.a_days.{area}.2026-01-01"), change as i64, area.to_owned(), value)
        };
        let store = opened(&site.files, database).await;
        let region = [entry("540000", Change::Created, 1), entry("540000", Change::Changed, 2)];
        let county = entry("540102", Change::Created, 3);
        assert_eq!(told(&store).await, [&region[..], std::slice::from_ref(&county)].concat());

        // As a service left it that did not tell its journal.
        let forgetting = store.write(Unit::of("test"), |tx| {
            on_each!(&mut *tx.connection, c => diesel::sql_query("DELETE FROM journal").execute(c))?;
            Ok(())
        });
        forgetting.await.expect("forgotten");
        drop(store);
        for _ in 0..2 {
            site.service = site.files.start(&DEFINITION, database, &site.clock, &[]).await.expect("starts again");
            if database == TestDatabase::Postgres {
                let replica = site.files.start(&DEFINITION, database, &site.clock, &[]).await.expect("starts");
                replica.stop().await.expect("stops");
            }
            site.service.stop().await.expect("stops");
            let store = opened(&site.files, database).await;
            assert_eq!(told(&store).await, [entry("540000", Change::Created, 2), county.clone()], "once, as it is");
        }
    }
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

#[tokio::test]
async fn who_looked_at_a_person_is_told_to_the_keeper_page_by_page_and_for_that_person_alone() {
    for database in databases() {
        let site = Site::start(database).await;
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
        // Each look at the list is a look that the next one shows.
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
        assert!(first.accesses.iter().all(|access| access.department == DEFINITION.department));
        for (sequence, token) in [(2, first.next_page_token.clone()), (1, tampered(&first.next_page_token))] {
            refused(records.list_accesses(asked(sequence, "f", &token)).await, Code::InvalidArgument, "page_token");
        }
        let mut others = RecordServiceClient::new(site.channel("operator"));
        refused(others.list_accesses(asked(1, "g", "")).await, Code::PermissionDenied, "");
        site.stop().await;
    }
}
