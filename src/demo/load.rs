//! Loads a province: all departments side by side, each register's records in order, then what changed over time.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{TryStreamExt as _, future::try_join_all};
use indicatif::ProgressBar;
use minsheng_kit::clients::DepartmentChannel;
use minsheng_proto::common::v1 as common;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::province::{Batch, Changes, Lane, Province};
use crate::{
    error::Error,
    lang::Lang,
    output::Progress,
    registers,
    site::Endpoints,
    upload::{self, CHUNK, Uploader},
};

/// Chunks that are made ahead of the one being sent.
const CHUNKS_AHEAD: usize = 2;
/// Updates that are under way at the same time.
const UPDATES_AT_ONCE: usize = 32;
/// Different reasons of refusal that are shown.
const REASONS_SHOWN: usize = 20;

/// Why records were refused, once for each register and rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The register.
    pub register: String,
    /// The first record's violation.
    pub violation: common::FieldViolation,
}

impl Reason {
    /// Renders it in a language.
    pub fn text(&self, lang: Lang) -> String {
        let common::FieldViolation { field, reason, description, description_zh } = &self.violation;
        format!("  {}.{field}: {} [{reason}]", self.register, lang.of(description_zh, description))
    }
}

/// What became of a load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// Records that are there now.
    pub accepted: u64,
    /// Changes of records.
    pub changed: u64,
    /// Records that were refused.
    pub refused: u64,
    /// Why, the first of each kind.
    pub reasons: Vec<Reason>,
}

impl Loaded {
    fn add(&mut self, register: &str, results: Vec<common::ItemResult>) {
        for result in results {
            if result.outcome() == common::ItemOutcome::Rejected {
                self.refused += 1;
                for violation in result.violations {
                    let known = |reason: &Reason| {
                        reason.register == register
                            && reason.violation.reason == violation.reason
                            && reason.violation.field == violation.field
                    };
                    if self.reasons.len() < REASONS_SHOWN && !self.reasons.iter().any(known) {
                        self.reasons.push(Reason { register: register.to_owned(), violation });
                    }
                }
            } else {
                self.accepted += 1;
            }
        }
    }

    /// Adds what became of another load.
    pub fn merge(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.changed += other.changed;
        self.refused += other.refused;
        self.reasons.extend(other.reasons);
    }
}

/// Loads a province into the services at these addresses; again, it adds nothing.
pub async fn province(
    endpoints: &Endpoints,
    province: Province,
    progress: &Progress,
    lang: Lang,
) -> Result<Loaded, Error> {
    let mut total = Loaded::default();
    let mut lanes = tokio::task::spawn_blocking(move || province.lanes()).await.map_err(Error::internal)?;
    let asking: Vec<_> = lanes.iter_mut().map(|lane| (lane.department, std::mem::take(&mut lane.cases))).collect();
    let lanes = lanes.into_iter().map(|lane| load_lane(endpoints, province, lane, progress, lang));
    for loaded in try_join_all(lanes).await? {
        total.merge(loaded);
    }
    for (department, cases) in asking {
        let channel = endpoints.channel("operator", department)?;
        for cases in cases {
            total.accepted += change(&channel, department, cases, progress, lang).await?;
        }
    }
    Ok(total)
}

async fn load_lane(
    endpoints: &Endpoints,
    province: Province,
    lane: Lane,
    progress: &Progress,
    lang: Lang,
) -> Result<Loaded, Error> {
    let department = lane.department;
    let channel = endpoints.channel("operator", department)?;
    let registers = async {
        let mut loaded = Loaded::default();
        for batch in lane.batches {
            loaded.merge(
                load_batch(&channel, province.upload_id(department, batch.register), batch, progress, lang).await?,
            );
        }
        for changes in lane.changes {
            loaded.changed += change(&channel, department, changes, progress, lang).await?;
        }
        Ok::<_, Error>(loaded)
    };
    let filings = async {
        let mut loaded = Loaded::default();
        // Filings have a connection of their own: they come from other desks.
        let channel = endpoints.channel("operator", department)?;
        for batch in lane.filings {
            loaded.merge(
                load_batch(&channel, province.upload_id(department, batch.register), batch, progress, lang).await?,
            );
        }
        Ok(loaded)
    };
    let (mut loaded, filed) = futures::try_join!(registers, filings)?;
    loaded.merge(filed);
    Ok(loaded)
}

/// Uploads the records of one register.
pub(super) async fn load_batch(
    channel: &DepartmentChannel,
    upload_id: Uuid,
    batch: Batch,
    progress: &Progress,
    lang: Lang,
) -> Result<Loaded, Error> {
    let register = registers::find(batch.register)?;
    let bar = progress.bar(lang.of(&register.title_zh, &register.collection), batch.expected);
    let (sender, chunks) = tokio::sync::mpsc::channel::<Vec<Bytes>>(CHUNKS_AHEAD);
    let making = tokio::task::spawn_blocking(move || {
        let mut records = batch.records;
        loop {
            let chunk: Vec<Bytes> = records.by_ref().take(CHUNK).collect();
            if chunk.is_empty() || sender.blocking_send(chunk).is_err() {
                return;
            }
        }
    });
    let mut loaded = Loaded::default();
    let uploader = Uploader::new(channel.clone(), register, upload_id);
    let sent = uploader
        .send(0, ReceiverStream::new(chunks), |answer| {
            bar.inc(u64::try_from(answer.results.len()).unwrap_or_default());
            loaded.add(&register.collection, answer.results);
        })
        .await;
    sent.map_err(|status| refused(&register.collection, &register.method("Upload"), status))?;
    making.await.map_err(Error::internal)?;
    finish(&bar);
    Ok(loaded)
}

/// Makes the changes of one register: the first of every record, then the second, and so on.
async fn change(
    channel: &DepartmentChannel,
    department: &str,
    changes: Changes,
    progress: &Progress,
    lang: Lang,
) -> Result<u64, Error> {
    let register = registers::find(changes.register)?;
    let number = u64::try_from(changes.creations.len() + changes.updates.len()).unwrap_or_default();
    let bar = progress.bar(&format!("{} +", lang.of(&register.title_zh, &register.collection)), number);
    futures::stream::iter(changes.creations.into_iter().map(Ok))
        .try_for_each_concurrent(UPDATES_AT_ONCE, |record| {
            let (channel, bar) = (channel.clone(), bar.clone());
            async move {
                upload::create(channel, register, record)
                    .await
                    .map_err(|status| refused(department, &register.method("Create"), status))?;
                bar.inc(1);
                Ok::<_, Error>(())
            }
        })
        .await?;
    let mut rounds: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for update in changes.updates {
        rounds.entry(update.version).or_default().push(update);
    }
    for (_, updates) in rounds {
        futures::stream::iter(updates.into_iter().map(Ok))
            .try_for_each_concurrent(UPDATES_AT_ONCE, |update| {
                let (channel, bar) = (channel.clone(), bar.clone());
                async move {
                    upload::update(channel, register, update)
                        .await
                        .map_err(|status| refused(department, &register.method("Update"), status))?;
                    bar.inc(1);
                    Ok::<_, Error>(())
                }
            })
            .await?;
    }
    finish(&bar);
    Ok(number)
}

fn finish(bar: &ProgressBar) {
    bar.set_length(bar.position());
    bar.finish();
}

fn refused(department: &str, method: &str, status: tonic::Status) -> Error {
    Error::Refused { department: department.to_owned(), method: method.to_owned(), status: Box::new(status) }
}
