//! What every service serves beside its registers, through its RPCs: returns, milestones, parameters, history, accesses.
//!
//! Written once; each service's `tests/filings.rs` names its own `DEFINITION` and takes these tests in.

mod filings;
mod parameters;

use chrono::NaiveDate;
use minsheng_kit::{
    clients::DepartmentChannel,
    testing::{TestClock, TestDatabase, TestService, TestSite},
};
use minsheng_proto::common::v1::{self as common, record_service_client::RecordServiceClient};
use tonic::{Code, Status};

use super::DEFINITION;

struct Site {
    files: TestSite,
    clock: TestClock,
    service: TestService,
}

impl Site {
    /// Starts the service on 20 March 2026.
    async fn start(database: TestDatabase) -> Self {
        let files = TestSite::new().expect("certificates");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"));
        let service = files.start(&DEFINITION, database, &clock, &[]).await.expect("starts");
        Self { files, clock, service }
    }

    fn channel(&self, caller: &str) -> DepartmentChannel {
        self.files.channel(caller, &DEFINITION, &self.service).expect("channel")
    }

    fn records(&self) -> RecordServiceClient<DepartmentChannel> {
        RecordServiceClient::new(self.channel(DEFINITION.department))
    }

    async fn stop(self) {
        self.service.stop().await.expect("stops");
    }
}

fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

#[expect(clippy::unnecessary_wraps, reason = "the fields are Options")]
fn date(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, said: &str) {
    let status = answer.expect_err("refused");
    assert_eq!(status.code(), code, "{status:?}");
    assert!(status.message().contains(said), "{said}: {}", status.message());
}

/// Changes one character of a token.
fn tampered(token: &str) -> String {
    let first = if token.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}", &token[1..])
}
