//! What every service serves beside its registers, through its RPCs: returns, milestones, parameters, history, accesses.
//!
//! Written once; each service's `tests/it/filings.rs` has them run against its own definition by
//! [`shared_tests!`](crate::shared_tests).

mod filings;
mod parameters;

pub use filings::*;
pub use parameters::*;

use chrono::NaiveDate;
use minsheng_kit::{assembly::Definition, clients::DepartmentChannel};
use minsheng_proto::common::v1::{self as common, record_service_client::RecordServiceClient};
use tonic::{Code, Status};

use crate::{TestClock, TestDatabase, TestService, TestSite};

/// Has a service run all tests that every service shares: `shared_tests!(DEFINITION)` in a module of its tests.
#[macro_export]
macro_rules! shared_tests {
    ($definition:path) => {
        $crate::shared_tests! { $definition:
            a_batch_is_answered_figure_by_figure_by_the_contract_and_by_the_commitment
            a_figure_is_corrected_with_its_reason_approved_withdrawn_and_filed_again_and_its_history_stays
            a_batch_is_approved_in_one_unit_of_work_and_each_figure_is_answered
            a_milestone_is_reached_on_its_day_and_with_its_evidence
            an_approval_outlasts_the_end_of_a_milestone_and_not_its_withdrawal
            a_batch_and_a_chunk_with_a_bad_envelope_are_refused_with_all_that_is_wrong_in_them
            a_parameter_is_filed_corrected_and_kept_and_none_of_those_filed_at_once_is_lost
            a_parameter_is_told_as_the_values_of_a_key_in_an_area_from_day_to_day
            what_the_software_ships_with_is_told_too_and_by_an_older_version_not_over_a_newer_one
            who_looked_at_a_person_is_told_to_the_keeper_page_by_page_and_for_that_person_alone
        }
    };
    ($definition:path: $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            $crate::shared::$test(&$definition).await;
        }
    )*};
}

struct Site {
    definition: &'static Definition,
    files: TestSite,
    clock: TestClock,
    service: TestService,
}

impl Site {
    /// Starts the service on 20 March 2026.
    async fn start(definition: &'static Definition, database: TestDatabase) -> Self {
        let files = TestSite::new().expect("certificates");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"));
        let service = files.start(definition, database, &clock, &[]).await.expect("starts");
        Self { definition, files, clock, service }
    }

    fn channel(&self, caller: &str) -> DepartmentChannel {
        self.files.channel(caller, self.definition, &self.service).expect("channel")
    }

    fn records(&self) -> RecordServiceClient<DepartmentChannel> {
        RecordServiceClient::new(self.channel(self.definition.department))
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
