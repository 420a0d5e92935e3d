use diesel::sql_types::BigInt;
use minsheng_proto::returns::v1::ReturnRow;

use super::*;
use crate::store::{KIT_MIGRATIONS, Store, Unit, system_clock};

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn open(directory: &Path) -> Store {
    let url = format!("sqlite:{}", directory.join("probe.db").display());
    Store::open(&StoreConfig::new(url), &[KIT_MIGRATIONS], system_clock()).expect("opens")
}

async fn run(store: &Store, sql: &'static str) -> Result<ReturnRow, Error> {
    let run = move |tx: &mut crate::store::Tx<'_>| {
        tx.connection.batch_execute(sql)?;
        Ok(ReturnRow::default())
    };
    store.write(Unit::of("probe"), run).await
}

async fn rows(store: &Store) -> i64 {
    let count = |connection: &mut AnyConnection| {
        let found: Count = diesel::sql_query("SELECT count(*) AS number FROM probe").get_result(connection)?;
        Ok(found.number)
    };
    store.read(count).await.expect("counted")
}

/// Holds the writer in a unit until it is released.
async fn held(store: &Store) -> (std::sync::mpsc::Sender<()>, tokio::task::JoinHandle<Result<ReturnRow, Error>>) {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = oneshot::channel();
    let mut entered = Some(entered);
    let holding = {
        let store = store.clone();
        tokio::spawn(async move {
            let hold = move |_: &mut crate::store::Tx<'_>| {
                let _ = entered.take().map(|entered| entered.send(()));
                held.recv().map_err(Error::internal)?;
                Ok(ReturnRow::default())
            };
            store.write(Unit::of("probe"), hold).await
        })
    };
    inside.await.expect("the writer is held");
    (release, holding)
}

#[tokio::test]
async fn a_full_disk_fails_the_units_that_met_it_and_no_later_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    run(&store, "CREATE TABLE probe (id INTEGER PRIMARY KEY, content BLOB)").await.expect("made");
    // No page more than there are now, until the connection is recreated or the limit is lifted.
    run(&store, "PRAGMA max_page_count = 1").await.expect("limited");
    run(&store, "INSERT INTO probe (content) VALUES (zeroblob(4000000))").await.expect_err("full");
    run(&store, "PRAGMA max_page_count = 1000000").await.expect("space again");
    run(&store, "INSERT INTO probe (content) VALUES (zeroblob(4000000))").await.expect("written");
    assert_eq!(rows(&store).await, 1);
}

#[tokio::test]
async fn a_transaction_that_ends_behind_the_writer_s_back_costs_its_group_and_not_the_writer() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    run(&store, "CREATE TABLE probe (id INTEGER PRIMARY KEY)").await.expect("made");
    // What SQLite does by itself after an I/O fault.
    run(&store, "INSERT INTO probe VALUES (1); ROLLBACK; SELECT no_such_function()").await.expect_err("a fault");
    run(&store, "INSERT INTO probe VALUES (2)").await.expect("the writer goes on");
    // And in the instant of the commit: the unit ended well, the commit finds nothing to commit.
    let error = run(&store, "INSERT INTO probe VALUES (3); COMMIT; BEGIN; ROLLBACK").await.expect_err("a fault");
    assert!(matches!(error, Error::StoreUnavailable(_) | Error::Internal(_)), "{error:?}");
    run(&store, "INSERT INTO probe VALUES (4)").await.expect("the writer goes on");
}

/// Queues units while the writer is held, so that one group holds all of them.
#[tokio::test]
async fn a_unit_that_fails_takes_no_other_of_its_group_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    run(&store, "CREATE TABLE probe (id INTEGER PRIMARY KEY)").await.expect("made");
    let (release, holding) = held(&store).await;
    let units = (0..60_i64).map(|number| {
        let unit = move |tx: &mut crate::store::Tx<'_>| {
            diesel::sql_query("INSERT INTO probe VALUES (?)").bind::<BigInt, _>(number).execute(tx.connection)?;
            match number % 10 {
                3 => Err(Error::Deadline),
                5 => panic!("a unit panics"),
                // The key is taken.
                7 => Ok(diesel::sql_query("INSERT INTO probe VALUES (0)")
                    .execute(tx.connection)
                    .map(|_| ReturnRow::default())?),
                _ => Ok(ReturnRow::default()),
            }
        };
        store.write(Unit::of("probe"), unit)
    });
    let mut units = Box::pin(futures::future::join_all(units));
    // One poll puts all of them into the queue.
    assert!(futures::poll!(&mut units).is_pending());
    release.send(()).expect("the writer waits");
    holding.await.expect("no panic").expect("written");
    for (number, written) in units.await.into_iter().enumerate() {
        assert_eq!(written.is_err(), matches!(number % 10, 3 | 5 | 7), "unit {number}: {written:?}");
    }
    assert_eq!(rows(&store).await, 42);
}

#[test]
fn callers_are_answered_although_the_runtime_of_the_first_of_them_is_gone() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let gone = runtime.handle().clone();
    drop(runtime);
    for callers in [None, Some(&gone)] {
        let (send, answered) = std::sync::mpsc::channel();
        let done = Done { recorded_at: None, answer: Box::new(move |fault| drop(send.send(fault.map(str::to_owned)))) };
        Answers { done: vec![done], fault: Some("the disk is full".to_owned()) }.give(callers);
        assert_eq!(answered.try_recv(), Ok(Some("the disk is full".to_owned())));
    }
}

#[tokio::test]
async fn for_a_caller_that_went_away_while_it_waited_nothing_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    run(&store, "CREATE TABLE probe (id INTEGER PRIMARY KEY)").await.expect("made");
    let (release, holding) = held(&store).await;
    let mut gone = Box::pin(run(&store, "INSERT INTO probe VALUES (1)"));
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    release.send(()).expect("held");
    holding.await.expect("no panic").expect("ran");
    run(&store, "INSERT INTO probe VALUES (2)").await.expect("the writer goes on");
    assert_eq!(rows(&store).await, 1);
}
