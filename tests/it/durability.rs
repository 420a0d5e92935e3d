//! What was acknowledged is kept: a service is killed in the middle of uploads, started again, and the uploads are
//! resumed; every record is there exactly once, and journal and register agree, after every restart and at the end.
//!
//! Five kills per database that cut an upload, and those besides that fell behind the last answer; `MINSHENG_SOAK=1`
//! makes it fifty. A failing run prints its seed; `MINSHENG_SEED` repeats
//! its instants as far as the machine lets them be repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::support::{Process, endpoints, environment, free_port};
use arrow::array::{Array as _, AsArray as _, types::Int64Type};
use futures::{StreamExt as _, future::join_all};
use minsheng::site::Endpoints;
use minsheng_analytics::feed::{Feed as _, FlightFeed};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::{TestDatabase, TestSite, databases};
use pb::institution_service_client::InstitutionServiceClient;
use tokio::sync::mpsc;
use tonic::Request;
use uuid::Uuid;

/// Kills that cut an upload, in the short form and in the full one.
const KILLS: (usize, usize) = (5, 50);
/// How many kills may be tried for each one that is wanted.
const TRIES: usize = 4;
/// Uploads that run at the same time.
const UPLOADS: usize = 3;
const CHUNKS: usize = 12;
const ITEMS: usize = 40;
const AREA: &str = "540102";
const DEPARTMENT: &str = "health";

/// One upload: its chunks, and what the service has acknowledged of them.
struct Upload {
    id: Uuid,
    chunks: Vec<Vec<pb::Institution>>,
    acknowledged: BTreeMap<i64, Vec<common::ItemResult>>,
}

impl Upload {
    /// Makes new records. Half of them are named by the caller; for the others only the upload's id stands between a
    /// resumed upload and a record that is there twice.
    fn new(round: usize, number: usize) -> Self {
        let institution = |chunk: usize, item: usize| {
            let key = format!("{round}-{number}-{chunk}-{item}");
            let named = item.is_multiple_of(2);
            pb::Institution {
                name: if named { format!("institutions/k{key}") } else { String::new() },
                area: AREA.to_owned(),
                title: format!("演示卫生院{key}"),
                institution_class: pb::InstitutionClass::TownshipHealthCentre.into(),
                public: true,
                operating_from: Some(common::Date { year: 2020, month: 1, day: 1 }),
                ..pb::Institution::default()
            }
        };
        let chunks = (0..CHUNKS).map(|chunk| (0..ITEMS).map(|item| institution(chunk, item)).collect()).collect();
        Self { id: Uuid::new_v4(), chunks, acknowledged: BTreeMap::new() }
    }

    /// Sends all chunks from the first on, and keeps what is acknowledged until the connection is cut. A chunk that
    /// was acknowledged before must get the same answer again.
    async fn send(
        &mut self,
        endpoints: &Endpoints,
        acknowledged: mpsc::UnboundedSender<()>,
    ) -> Result<(), tonic::Status> {
        let id = self.id.to_string();
        let chunks: Vec<_> = (0..)
            .zip(&self.chunks)
            .map(|(chunk, institutions)| pb::UploadInstitutionsRequest {
                upload_id: id.clone(),
                chunk,
                validate_only: false,
                institutions: institutions.clone(),
            })
            .collect();
        let mut client = InstitutionServiceClient::new(endpoints.channel("operator", DEPARTMENT).expect("a channel"));
        let mut request = Request::new(futures::stream::iter(chunks));
        request.set_timeout(Duration::from_mins(1));
        let mut answers = client.upload_institutions(request).await?.into_inner();
        while let Some(answer) = answers.message().await? {
            match self.acknowledged.get(&answer.chunk) {
                Some(first) => assert_eq!(*first, answer.results, "the first answer to chunk {} changed", answer.chunk),
                None => {
                    self.acknowledged.insert(answer.chunk, answer.results);
                }
            }
            let _ = acknowledged.send(());
        }
        Ok(())
    }

    /// Returns title and name of every acknowledged record.
    fn records(&self) -> impl Iterator<Item = (String, String)> {
        self.acknowledged.iter().flat_map(|(chunk, results)| {
            let items = &self.chunks[usize::try_from(*chunk).expect("from 0")];
            items.iter().zip(results).map(|(item, result)| {
                assert_eq!(result.outcome(), common::ItemOutcome::Created, "{result:?}");
                (item.title.clone(), result.name.clone())
            })
        })
    }
}

/// Sends uploads side by side while something else goes on; says how many were cut.
async fn send_all(uploads: &mut [Upload], endpoints: &Endpoints, sender: &mpsc::UnboundedSender<()>) -> usize {
    let sent = join_all(uploads.iter_mut().map(|upload| upload.send(endpoints, sender.clone()))).await;
    sent.into_iter().filter(Result::is_err).count()
}

/// Reads the register: name by title; a title that is there twice is a record that was made twice.
async fn register(endpoints: &Endpoints) -> BTreeMap<String, String> {
    let mut client = InstitutionServiceClient::new(endpoints.channel("operator", DEPARTMENT).expect("a channel"));
    let mut found = BTreeMap::new();
    let mut page_token = String::new();
    loop {
        let question = pb::ListInstitutionsRequest {
            area: AREA.to_owned(),
            page_size: 1000,
            page_token,
            ..pb::ListInstitutionsRequest::default()
        };
        let page = client.list_institutions(question).await.expect("listed").into_inner();
        for institution in page.institutions {
            let twice = found.insert(institution.title, institution.name);
            assert_eq!(twice, None, "a record was made twice");
        }
        if page.next_page_token.is_empty() {
            return found;
        }
        page_token = page.next_page_token;
    }
}

/// Reads the journal as analytics does: record and sign of every entry, in the order of positions.
async fn journal(endpoints: &Endpoints) -> Vec<(String, i64)> {
    let mut feed = FlightFeed::new(DEPARTMENT, endpoints.channel("analytics", DEPARTMENT).expect("a channel"));
    let mut pieces = feed.changes("health.institutions", "").await.expect("a feed");
    let mut entries = Vec::new();
    let mut last = 0;
    while let Some(piece) = pieces.next().await {
        let Some(rows) = piece.expect("a piece").rows else { continue };
        let column = |name: &str| Arc::clone(rows.column_by_name(name).expect("a column of every feed"));
        let (positions, records, signs) = (column("_position"), column("_record"), column("_diff"));
        for row in 0..rows.num_rows() {
            let position = positions.as_primitive::<Int64Type>().value(row);
            assert!(position > last, "position {position} comes after {last}");
            last = position;
            assert!(records.is_valid(row) && signs.is_valid(row));
            entries
                .push((records.as_string::<i32>().value(row).to_owned(), signs.as_primitive::<Int64Type>().value(row)));
        }
    }
    entries
}

/// Reads the register, and checks that the journal asserts each of its records once, retracts none and knows no other.
async fn kept(database: TestDatabase, endpoints: &Endpoints) -> BTreeMap<String, String> {
    let registered = register(endpoints).await;
    let journal = journal(endpoints).await;
    assert_eq!(journal.len(), registered.len(), "{database:?}: not one entry for each record");
    assert!(journal.iter().all(|(_, diff)| *diff == 1), "{database:?}");
    let told: BTreeSet<String> = journal.into_iter().map(|(record, _)| format!("institutions/{record}")).collect();
    let there: BTreeSet<String> = registered.values().cloned().collect();
    assert_eq!(told, there, "{database:?}: journal and register do not agree");
    registered
}

/// Sees to it, before anything is sent again, that all that was acknowledged is there, and that of what was not only
/// whole chunks are: those whose answer was lost on its way.
fn nothing_lost(registered: &BTreeMap<String, String>, acknowledged: &BTreeMap<String, String>, uploads: &[Upload]) {
    let mut expected = acknowledged.clone();
    expected.extend(uploads.iter().flat_map(Upload::records));
    for (title, name) in &expected {
        assert_eq!(registered.get(title), Some(name), "{title} was acknowledged");
    }
    let mut unanswered = 0;
    for upload in uploads {
        for (number, chunk) in (0..).zip(&upload.chunks) {
            if !upload.acknowledged.contains_key(&number) {
                let there = chunk.iter().filter(|item| registered.contains_key(&item.title)).count();
                assert!(there == 0 || there == ITEMS, "{there} of {ITEMS} records of chunk {number} are there");
                unanswered += there;
            }
        }
    }
    assert_eq!(registered.len(), expected.len() + unanswered, "there are records that nobody sent");
}

async fn survives(database: TestDatabase, kills: usize, dice: &mut fastrand::Rng) {
    let site = TestSite::new().expect("certificates");
    let url = site.database(database, DEPARTMENT).expect("a database");
    let port = free_port();
    let variables = environment(site.path(), &url, port);
    let endpoints = endpoints(site.path(), DEPARTMENT, port);
    let mut process = Process::start(DEPARTMENT, &variables);
    process.serving(&endpoints).await;

    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    let (mut rounds, mut cut) = (0, 0);
    while cut < kills {
        assert!(rounds < kills * TRIES, "{database:?}: only {cut} of {rounds} kills cut an upload");
        let mut uploads: Vec<_> = (0..UPLOADS).map(|number| Upload::new(rounds, number)).collect();
        let (sender, mut acknowledgements) = mpsc::unbounded_channel();
        // After so many acknowledgements and a little more, so that it falls between two steps of the next chunk.
        let after = dice.usize(0..UPLOADS * CHUNKS);
        let more = Duration::from_micros(dice.u64(0..20_000));
        let ((), interrupted) = tokio::join!(
            async {
                for _ in 0..after {
                    acknowledgements.recv().await;
                }
                tokio::time::sleep(more).await;
                process.kill();
            },
            send_all(&mut uploads, &endpoints, &sender),
        );
        rounds += 1;
        cut += usize::from(interrupted > 0);
        process = Process::start(DEPARTMENT, &variables);
        process.serving(&endpoints).await;
        nothing_lost(&kept(database, &endpoints).await, &acknowledged, &uploads);
        let interrupted = send_all(&mut uploads, &endpoints, &sender).await;
        assert_eq!(interrupted, 0, "a resumed upload was cut");
        for upload in &uploads {
            assert_eq!(upload.acknowledged.len(), CHUNKS, "a chunk was not answered");
            acknowledged.extend(upload.records());
        }
    }

    assert_eq!(acknowledged.len(), rounds * UPLOADS * CHUNKS * ITEMS);
    let registered = kept(database, &endpoints).await;
    assert_eq!(registered, acknowledged, "{database:?}: the register is not what was acknowledged");
    let records = registered.len();
    eprintln!("{database:?}: {rounds} kills, {cut} of them within uploads; {records} records, each there once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_is_there_exactly_once_and_journal_and_register_agree() {
    let kills = if std::env::var_os("MINSHENG_SOAK").is_some() { KILLS.1 } else { KILLS.0 };
    let seed =
        std::env::var("MINSHENG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("MINSHENG_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    for database in databases() {
        survives(database, kills, &mut dice).await;
    }
}
