//! What the tests of both registers share: a started service, invented people, what the store really holds.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use diesel::{
    Connection as _, ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _, SqliteConnection,
    pg::PgConnection,
};
use minsheng_kit::{
    clients::DepartmentChannel,
    store::{
        AnyConnection,
        schema::{accesses, journal},
    },
    values::{calendar::epoch_day, identifiers::ResidentId},
};
use minsheng_proto::common::v1 as common;
use minsheng_social_security::DEFINITION;
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};

/// An entry of the journal.
#[derive(Debug, Queryable)]
pub(crate) struct Told {
    pub(crate) record: String,
    pub(crate) assertion: i64,
    pub(crate) diff: i64,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) ended: bool,
    pub(crate) payload: Vec<u8>,
}

/// A started service.
pub(crate) struct Started {
    pub(crate) site: TestSite,
    pub(crate) database: TestDatabase,
    pub(crate) service: TestService,
}

/// Starts the service on 1 September 2025.
pub(crate) async fn start(database: TestDatabase) -> Started {
    let site = TestSite::new().expect("certificates");
    let clock = TestClock::on(day(2025, 9, 1));
    let service = site.start(&DEFINITION, database, &clock, &[]).await.expect("starts");
    Started { site, database, service }
}

impl Started {
    /// Opens a channel as a department.
    pub(crate) fn channel(&self, caller: &str) -> DepartmentChannel {
        self.site.channel(caller, &DEFINITION, &self.service).expect("channel")
    }

    /// Opens the service's database beside it.
    pub(crate) fn store(&self) -> AnyConnection {
        let url = self.site.database(self.database, "social-security").expect("known");
        match self.database {
            TestDatabase::Sqlite => {
                let path = url.strip_prefix("sqlite:").expect("of SQLite");
                AnyConnection::Sqlite(SqliteConnection::establish(path).expect("opens"))
            }
            TestDatabase::Postgres => AnyConnection::Postgres(PgConnection::establish(&url).expect("opens")),
        }
    }

    /// Reads the access log: department, purpose, case, method.
    pub(crate) fn accesses(&self) -> Vec<(String, i64, String, String)> {
        accesses::table
            .order(accesses::position)
            .select((accesses::department, accesses::purpose, accesses::case_number, accesses::method))
            .load(&mut self.store())
            .expect("readable")
    }

    /// Reads what the journal says of the registers; it tells the parameters, too.
    pub(crate) fn journal(&self) -> Vec<Told> {
        journal::table
            .filter(journal::dataset.ne("social_security.parameters"))
            .order(journal::position)
            .select((
                journal::record,
                journal::assertion,
                journal::diff,
                journal::valid_from,
                journal::valid_until,
                journal::ended,
                journal::payload,
            ))
            .load(&mut self.store())
            .expect("readable")
    }

    /// Returns what the journal says of a record on a day: the row whose assertions and retractions add up to one.
    pub(crate) fn told<Row: prost::Message + Default>(&self, record: &str, on: NaiveDate) -> Option<Row> {
        let on = epoch_day(on);
        let mut sums: BTreeMap<i64, (i64, Vec<u8>)> = BTreeMap::new();
        let entries = self.journal().into_iter().filter(|told| told.record == record && !told.ended);
        for told in entries.filter(|told| told.from <= on && on < told.until) {
            sums.entry(told.assertion).or_insert((0, told.payload)).0 += told.diff;
        }
        let rows: Vec<_> = sums.into_values().filter(|(sum, _)| *sum != 0).collect();
        assert!(rows.len() <= 1 && rows.iter().all(|(sum, _)| *sum == 1), "{record} on day {on}");
        rows.first().map(|(_, payload)| Row::decode(payload.as_slice()).expect("a row"))
    }
}

pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// Makes the contract's date, as its fields take it.
#[expect(clippy::unnecessary_wraps, reason = "every field that takes a date is an Option")]
pub(crate) fn date(year: i32, month: u32, of_month: u32) -> Option<common::Date> {
    let day = day(year, month, of_month);
    Some(common::Date {
        year: day.year(),
        month: i32::try_from(day.month()).expect("small"),
        day: i32::try_from(day.day()).expect("small"),
    })
}

/// Returns the identity number of an invented person.
pub(crate) fn person(sequence: u16) -> String {
    ResidentId::synthetic(day(1990, 1, 1), sequence).expect("synthetic").expose().to_owned()
}

pub(crate) fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

/// Makes a question's context, as its field takes it.
#[expect(clippy::unnecessary_wraps, reason = "the field is an Option")]
pub(crate) fn asked(purpose: common::Purpose, case_number: &str) -> Option<common::QuestionContext> {
    Some(common::QuestionContext {
        purpose: purpose.into(),
        case_number: case_number.to_owned(),
        officer: "officer-7".to_owned(),
    })
}

/// Returns the outcomes of an upload's chunk.
pub(crate) fn outcomes(results: &[common::ItemResult]) -> Vec<common::ItemOutcome> {
    results.iter().map(common::ItemResult::outcome).collect()
}

/// Returns the reasons for which an item of a chunk was rejected.
pub(crate) fn reasons(result: &common::ItemResult) -> Vec<&str> {
    result.violations.iter().map(|violation| violation.reason.as_str()).collect()
}
