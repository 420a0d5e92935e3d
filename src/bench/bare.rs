//! The baselines that a database does by itself: single commits, inserts of many rows, a scan of a table.
//!
//! They use the services' own tables and durability in a database beside the service's, through the same driver, with
//! nothing between.

use std::time::{Duration, Instant};

use diesel::{
    Connection as _, ExpressionMethods as _, PgConnection, QueryDsl as _, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
};
use minsheng_health::schema::{
    InstitutionRecord, QualityCertificateRecord, RecognitionItemRecord, institutions, quality_certificates,
    recognition_items,
};
use minsheng_kit::{
    on_each,
    store::{AnyConnection, SQLITE_SETTINGS, Store, StoreConfig, schema::journal, system_clock},
};

use super::{
    measure::per_second,
    site::{AREA, INSTITUTIONS, ITEM, Place},
};
use crate::error::Error;

/// A connection to a database that has the health service's tables.
pub(super) struct Bare(AnyConnection);

/// What a scan of the journal reads: the columns that the feed gives.
type Entry = (i64, String, i64, i64, i64, String, Vec<u8>);

impl Bare {
    /// Makes the tables in an empty database and connects to it.
    pub(super) fn make(place: &Place, url: &str) -> Result<Self, Error> {
        let migrations = minsheng_health::DEFINITION.all_migrations();
        drop(Store::open(&StoreConfig::new(url), &migrations, system_clock()).map_err(Error::internal)?);
        Self::connect(place, url)
    }

    /// Connects to a database that has them.
    pub(super) fn connect(place: &Place, url: &str) -> Result<Self, Error> {
        Ok(Self(match place {
            Place::Sqlite => {
                let path = url.trim_start_matches("sqlite:");
                let mut connection = SqliteConnection::establish(path).map_err(Error::internal)?;
                connection.batch_execute(SQLITE_SETTINGS).map_err(Error::internal)?;
                AnyConnection::Sqlite(connection)
            }
            Place::Postgres(_) => AnyConnection::Postgres(PgConnection::establish(url).map_err(Error::internal)?),
        }))
    }

    /// Commits one row after the other for a time; returns rows per second.
    pub(super) fn commit_singly(&mut self, window: Duration, ids: &mut u64) -> Result<f64, Error> {
        let began = Instant::now();
        let mut rows = 0;
        while began.elapsed() < window {
            *ids += 1;
            let row = record(&format!("s{ids}"));
            let insert = diesel::insert_into(institutions::table).values(&row);
            on_each!(&mut self.0, c => c.transaction(|c| insert.execute(c))).map_err(Error::internal)?;
            rows += 1;
        }
        Ok(per_second(rows, began.elapsed()))
    }

    /// Inserts rows by statements of many rows, a transaction for each chunk; returns rows per second.
    pub(super) fn insert_many(&mut self, records: &[InstitutionRecord], chunk: usize) -> Result<f64, Error> {
        let began = Instant::now();
        for rows in records.chunks(chunk) {
            let insert = diesel::insert_into(institutions::table).values(rows);
            on_each!(&mut self.0, c => c.transaction(|c| insert.execute(c))).map_err(Error::internal)?;
        }
        Ok(per_second(records.len(), began.elapsed()))
    }

    /// Looks up, for a time, what a question about a test result reads, each statement by itself; returns questions per
    /// second.
    pub(super) fn look_up(&mut self, window: Duration) -> Result<f64, Error> {
        let began = Instant::now();
        let mut asked = 0;
        while began.elapsed() < window {
            let ids = [(); 2].map(|()| format!("h{}", fastrand::usize(..INSTITUTIONS)));
            let named = institutions::table.filter(institutions::id.eq_any(&ids)).order(institutions::id);
            let listed = recognition_items::table.filter(recognition_items::code.eq(ITEM));
            let held = quality_certificates::table
                .filter(quality_certificates::item_code.eq(ITEM))
                .filter(quality_certificates::institution.eq(&ids[0]));
            let found = on_each!(&mut self.0, c => {
                let named: Vec<InstitutionRecord> = named.load(c).map_err(Error::internal)?;
                let listed: Vec<RecognitionItemRecord> = listed.load(c).map_err(Error::internal)?;
                let held: Vec<QualityCertificateRecord> = held.load(c).map_err(Error::internal)?;
                !named.is_empty() && !listed.is_empty() && !held.is_empty()
            });
            if !found {
                return Err(Error::internal("what the question is about is not there"));
            }
            asked += 1;
        }
        Ok(per_second(asked, began.elapsed()))
    }

    /// Reads a dataset's entries; returns rows per second.
    pub(super) fn scan_journal(&mut self, dataset: &str) -> Result<f64, Error> {
        let began = Instant::now();
        let entries: Vec<Entry> = journal::table
            .filter(journal::dataset.eq(dataset))
            .order(journal::position)
            .select((
                journal::position,
                journal::record,
                journal::diff,
                journal::valid_from,
                journal::recorded_at,
                journal::area,
                journal::payload,
            ))
            .load(&mut self.0)
            .map_err(Error::internal)?;
        Ok(per_second(entries.len(), began.elapsed()))
    }
}

/// Makes the row of an institution as the register would.
pub(super) fn record(id: &str) -> InstitutionRecord {
    InstitutionRecord {
        id: id.to_owned(),
        area: AREA.to_owned(),
        version: 1,
        effective_on: 18_262,
        state: 1,
        created_at: 1_767_225_600_000_000,
        updated_at: 1_767_225_600_000_000,
        title: format!("演示卫生院{id}"),
        institution_class: 5,
        public: true,
        operating_from: 18_262,
        ..InstitutionRecord::default()
    }
}
