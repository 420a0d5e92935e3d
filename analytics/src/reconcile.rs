//! Reconciles the lake with the registers: both count the records in force on a day, and the difference is zero.
//!
//! A register counts its own tables and says up to where its feed tells them; the lake is read exactly up to there, so that
//! what departments go on recording meanwhile makes no difference. Then both counts are compared by area. Nothing is put
//! right here: a difference says that a row was lost, repeated or altered somewhere between the two.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::{Datelike as _, NaiveDate};
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::common::v1 as pb;
use minsheng_proto::common::v1::record_service_client::RecordServiceClient;
use minsheng_proto::{Register, registers};
use opentelemetry::{KeyValue, global};
use polars::prelude::{DataFrame, DataType, Engine, IntoLazy as _, PolarsError, PolarsResult, col, lit};
use tonic::{Request, Status};

use crate::feed::{FeedError, FlightFeed, SharedLake, pull};
use crate::lake::{Lake, LakeError, Schema};
use crate::model::REGION;

/// Gauge of the records by which a dataset's lake and register differ, over all areas; 0 where they agree.
pub const DIFFERENCE: &str = "minsheng.analytics.reconciliation.difference";
/// The dataset that a measurement is of.
pub const DATASET: &str = "minsheng.dataset";

/// Time that a register has to count its records.
const COUNTING_TIME: Duration = Duration::from_mins(2);

/// Why a register and the lake could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The service does not count its records.
    #[error("{service} does not count its {collection}")]
    Refused {
        /// The service.
        service: String,
        /// The register.
        collection: String,
        /// What it says.
        #[source]
        source: Box<Status>,
    },
    /// The feed could not be read up to where the service counted.
    #[error("the feed cannot be read")]
    Feed(#[from] FeedError),
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// The lake's rows could not be counted.
    #[error("the rows of {dataset} cannot be counted")]
    Engine {
        /// The dataset.
        dataset: String,
        /// What the engine says.
        #[source]
        source: Box<PolarsError>,
    },
    /// The work was stopped.
    #[error("the work was stopped")]
    Stopped,
}

/// Records in force, by area.
pub type Counts = BTreeMap<String, i64>;

/// What a register and the lake hold of the same records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// The service that keeps the register.
    pub service: String,
    /// The register.
    pub collection: String,
    /// The dataset that tells its states.
    pub dataset: String,
    /// What the register counted.
    pub register: Counts,
    /// What the lake counted.
    pub lake: Counts,
}

impl Reconciliation {
    /// Returns the records of all areas, as the register and as the lake counts them.
    pub fn totals(&self) -> (i64, i64) {
        (self.register.values().sum(), self.lake.values().sum())
    }

    /// Returns the areas in which the counts differ, with the register's and the lake's.
    pub fn differences(&self) -> BTreeMap<&str, (i64, i64)> {
        let areas = self.register.keys().chain(self.lake.keys()).map(String::as_str);
        let of = |counts: &Counts, area: &str| counts.get(area).copied().unwrap_or_default();
        let both = areas.map(|area| (area, (of(&self.register, area), of(&self.lake, area))));
        both.filter(|(_, (register, lake))| register != lake).collect()
    }

    /// Returns by how many records the counts differ; one area's surplus does not make up for another's lack.
    pub fn difference(&self) -> u64 {
        self.differences().values().map(|(register, lake)| register.abs_diff(*lake)).sum()
    }

    /// Records the difference as a metric of this process.
    fn record(&self) {
        let gauge = global::meter(minsheng_kit::telemetry::attributes::SCOPE)
            .u64_gauge(DIFFERENCE)
            .with_unit("{record}")
            .with_description("Records by which the lake and the register differ")
            .build();
        gauge.record(self.difference(), &[KeyValue::new(DATASET, self.dataset.clone())]);
    }
}

/// Compares every register of a service with the lake, one after the other, for the records in force on a day.
pub async fn reconcile(
    service: &str,
    channel: &DepartmentChannel,
    on: NaiveDate,
    lake: &SharedLake,
) -> Result<Vec<Reconciliation>, ReconcileError> {
    let keeps = |register: &&Register| register.keeper.as_deref().is_none_or(|keeper| keeper == service);
    let mut found = Vec::new();
    for register in registers().iter().filter(keeps) {
        let reconciled = compare(service, register, channel, on, lake).await?;
        reconciled.record();
        found.push(reconciled);
    }
    Ok(found)
}

/// Compares one register of a service with the lake, for the records in force on a day.
pub async fn compare(
    service: &str,
    register: &Register,
    channel: &DepartmentChannel,
    on: NaiveDate,
    lake: &SharedLake,
) -> Result<Reconciliation, ReconcileError> {
    let collection = register.collection.clone();
    let number = |part: u32| i32::try_from(part).unwrap_or_default();
    let day = pb::Date { year: on.year(), month: number(on.month()), day: number(on.day()) };
    let asked = pb::CountRecordsRequest { collection: collection.clone(), area: REGION.to_owned(), on: Some(day) };
    let mut request = Request::new(asked).idempotent();
    request.set_timeout(COUNTING_TIME);
    let counted = RecordServiceClient::new(channel.clone()).count_records(request).await;
    let refused = |status: Status| ReconcileError::Refused {
        service: service.to_owned(),
        collection: collection.clone(),
        source: Box::new(status),
    };
    let pb::CountRecordsResponse { counts, dataset, cursor } = counted.map_err(refused)?.into_inner();
    let mut feed = FlightFeed::new(service, channel.clone()).only_until(&dataset, &cursor);
    pull(&mut feed, lake).await?;
    let (shared, of) = (Arc::clone(lake), dataset.clone());
    let count = move || count(&shared.lock().unwrap_or_else(PoisonError::into_inner), &of, on);
    let in_lake = tokio::task::spawn_blocking(count).await.map_err(|_| ReconcileError::Stopped)??;
    let counts = counts.into_iter().map(|count| (count.area, count.records)).collect();
    Ok(Reconciliation { service: service.to_owned(), collection, dataset, register: counts, lake: in_lake })
}

/// Counts the records of a dataset that are in force on a day, by all that the lake knows. Blocks.
pub fn count(lake: &Lake, dataset: &str, on: NaiveDate) -> Result<Counts, ReconcileError> {
    let schema: Schema = vec![
        ("_diff".into(), DataType::Int64),
        ("_from".into(), DataType::Date),
        ("_until".into(), DataType::Date),
        ("_ended".into(), DataType::Boolean),
        ("_area".into(), DataType::String),
    ];
    let rows = lake.read(dataset, &schema)?;
    let counted = crate::engine::on_own_thread(|| sums(rows, on));
    counted.map_err(|source| ReconcileError::Engine { dataset: dataset.to_owned(), source: Box::new(source) })
}

/// What is in force on a day is a sum of what was asserted and retracted.
fn sums(rows: DataFrame, on: NaiveDate) -> PolarsResult<Counts> {
    let on = lit(on.to_epoch_days()).cast(DataType::Date);
    let in_force = rows
        .lazy()
        .filter(col("_from").lt_eq(on.clone()))
        .filter(col("_until").is_null().or(col("_until").gt(on)))
        .filter(col("_ended").not())
        .group_by([col("_area")])
        .agg([col("_diff").sum()]);
    let in_force = in_force.collect_with_engine(Engine::Streaming)?.unwrap_single();
    let (areas, sums) = (in_force.column("_area")?.str()?, in_force.column("_diff")?.i64()?);
    let counts = areas.iter().zip(sums.iter()).filter_map(|(area, sum)| Some((area?.to_owned(), sum?)));
    Ok(counts.filter(|(_, sum)| *sum != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, i64)]) -> Counts {
        of.iter().map(|(area, count)| ((*area).to_owned(), *count)).collect()
    }

    #[test]
    fn surplus_and_lack_do_not_make_up_for_each_other() {
        let cases = [
            (&[("540102", 3), ("540121", 2)][..], &[("540102", 3), ("540121", 2)][..], 0),
            (&[("540102", 3), ("540121", 2)], &[("540102", 2), ("540121", 3)], 2),
            (&[("540102", 3)], &[], 3),
            (&[], &[("540102", -1)], 1),
        ];
        for (register, lake, difference) in cases {
            let (register, lake) = (counts(register), counts(lake));
            let text = String::new;
            let found = Reconciliation { service: text(), collection: text(), dataset: text(), register, lake };
            assert_eq!(found.difference(), difference, "{found:?}");
            assert_eq!(found.differences().is_empty(), difference == 0);
        }
    }
}
