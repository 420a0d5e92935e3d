//! Loads a province: all departments side by side, each register's records in order, then what changed over time.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{TryStreamExt as _, future::try_join_all};
use indicatif::ProgressBar;
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::common::v1 as common;
use minsheng_proto::returns::v1::{
    self as pb, milestone_service_client::MilestoneServiceClient, return_service_client::ReturnServiceClient,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use uuid::Uuid;

use super::province::{Approvals, Batch, Changes, Lane, Province};
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
/// Largest answer to a batch of approvals, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// Under it the ids of approvals are made.
const APPROVALS: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d61_7070_726f_7665);
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
    loaded.changed += approve(&channel, department, lane.approvals, progress, lang).await?;
    Ok(loaded)
}

/// Approves filings as they were filed: returns in batches, milestones one by one. Again, it changes nothing.
pub(super) async fn approve(
    channel: &DepartmentChannel,
    department: &str,
    approvals: Approvals,
    progress: &Progress,
    lang: Lang,
) -> Result<u64, Error> {
    let Approvals { officer, returns, milestones, corrections } = approvals;
    let number = u64::try_from(returns.len() + milestones.len() + corrections.len()).unwrap_or_default();
    let bar = progress.bar(lang.of("审核", "approvals"), number);
    // What is approved names itself, so the same approval has the same id.
    let request_id = |names: &str| Uuid::new_v5(&APPROVALS, names.as_bytes()).to_string();
    let etag = || "v1".to_owned();
    let failed = |method| move |status| refused(department, method, status);
    let mut client = ReturnServiceClient::new(channel.clone()).max_decoding_message_size(LARGEST_ANSWER);
    for names in returns.chunks(CHUNK) {
        let approvals = names.iter().map(|name| pb::ReturnApproval { name: name.clone(), etag: etag() }).collect();
        let request_id = request_id(&names.join(" "));
        let request = Request::new(pb::ApproveReturnsRequest { request_id, officer: officer.to_owned(), approvals });
        let answer = client.approve_returns(request.idempotent()).await.map_err(failed("ApproveReturns"))?;
        for result in answer.into_inner().results {
            if result.outcome() == common::ItemOutcome::Rejected {
                return Err(Error::internal(format!("{} was not approved: {:?}", result.name, result.violations)));
            }
        }
        bar.inc(u64::try_from(names.len()).unwrap_or_default());
    }
    for (place, right) in corrections.into_iter().enumerate() {
        let name = right.name.clone();
        let request = pb::CorrectReturnRequest {
            request_id: request_id(&format!("correct {name}")),
            r#return: Some(right),
            etag: "v2".to_owned(),
            reason: "复核发现重复计数 counted twice".to_owned(),
        };
        client.correct_return(Request::new(request).idempotent()).await.map_err(failed("CorrectReturn"))?;
        if place % 2 == 0 {
            let request_id = request_id(&format!("again {name}"));
            let (etag, officer) = ("v3".to_owned(), officer.to_owned());
            let request = pb::ApproveReturnRequest { request_id, name, etag, officer };
            client.approve_return(Request::new(request).idempotent()).await.map_err(failed("ApproveReturn"))?;
        }
        bar.inc(1);
    }
    let mut client = MilestoneServiceClient::new(channel.clone());
    for name in milestones {
        let request_id = request_id(&name);
        let request = pb::ApproveMilestoneRequest { request_id, name, etag: etag(), officer: officer.to_owned() };
        client.approve_milestone(Request::new(request).idempotent()).await.map_err(failed("ApproveMilestone"))?;
        bar.inc(1);
    }
    finish(&bar);
    Ok(number)
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
    let number = changes.creations.len() + changes.updates.len() + changes.ends.len();
    let number = u64::try_from(number).unwrap_or_default();
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
    for ending in changes.ends {
        let failed = |status| refused(department, &register.method("End"), status);
        upload::end(channel.clone(), register, ending).await.map_err(failed)?;
        bar.inc(1);
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
