//! Outcomes that are decided after evidence: another department is asked, now or as soon as it answers.
//!
//! A record whose outcome needs an answer is never lost because the provider is down: it is kept as waiting, and
//! [`Engine::settle`], run again and again, asks for it later. A creation asks first ([`Engine::create_with_evidence`])
//! and records with the answer where there is one in time; uploads always wait, so that a chunk of thousands does not
//! hang on as many questions.
//!
//! ```ignore
//! let engine = rpc.engine().clone();
//! assembly.every(SETTLE_EVERY, move || {
//!     let engine = engine.clone();
//!     async move { engine.settle().await.map(drop) }
//! })
//! ```

use std::{future::Future, time::Duration};

use futures::StreamExt as _;
use minsheng_proto::common::v1 as pb;
use tonic::Code;
use tracing::Instrument as _;

use super::{Engine, Register, Table, dates};
use crate::{
    context::Context,
    error::{Error, ErrorKind},
    journal::Change,
    register::Facts,
    server::Deadline,
    store::{AnyConnection, Idempotency, Tx, Unit},
    values::calendar::epoch_day,
};

/// How often [`Engine::settle`] is worth calling: a provider that is back is noticed within this time.
pub const SETTLE_EVERY: Duration = Duration::from_secs(5);
/// Waiting records that are read, asked for and written together.
const BATCH: i64 = 200;
/// Questions under way at once; a provider that comes back is not met by a wave.
const QUESTIONS_AT_ONCE: usize = 8;
/// Time of a question that no call's deadline bounds.
const QUESTION_TIME: Duration = Duration::from_secs(3);

/// A register whose outcome may need another department's answer.
pub trait EvidenceRegister: Register {
    /// What the other department answers.
    type Evidence: Send + 'static;

    /// Says whether the record still needs an answer. False once [`decide`](Self::decide) was called on it.
    fn waits(&self, record: &Self::Record) -> bool;

    /// Lists active records that wait, behind an id, in the order of ids.
    fn waiting(&self, connection: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<Self::Record>, Error>;

    /// Asks for a record. The resource carries its name and, opened, its personal fields.
    ///
    /// [`asked`] turns the provider's status into the error.
    fn ask(&self, resource: &Self::Resource) -> impl Future<Output = Result<Self::Evidence, Error>> + Send;

    /// Decides: puts the outcome on a record that waits. Pure; the day of the decision is `facts.today`.
    ///
    /// An answer that decides nothing is an error: the record goes on waiting, and a warning names it.
    fn decide(&self, record: &mut Self::Record, evidence: Self::Evidence, facts: Facts<'_>) -> Result<(), Error>;
}

/// Says what another department's status means for the one that asked. The status' text is not taken over: the
/// provider wrote it, and it could name the person.
pub fn asked(department: &str, status: &tonic::Status) -> Error {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Error::DepartmentUnavailable { department: department.to_owned() }
        }
        Code::PermissionDenied | Code::Unauthenticated => {
            Error::Denied(format!("department {department} does not answer this question"))
        }
        code => Error::internal(format!("department {department} answered {code:?}")),
    }
}

impl<R: EvidenceRegister> Engine<R> {
    /// Records one, with the other department's answer where it comes in time, and as waiting where it does not.
    ///
    /// Nobody is asked about a record that would be refused, or about a repetition of a call.
    pub async fn create_with_evidence(
        &self,
        key: Idempotency,
        resource: R::Resource,
        effective_on: Option<pb::Date>,
    ) -> Result<R::Resource, Error> {
        let now = self.context().store.now();
        let mut record =
            self.context().with_facts(now, |facts| self.decode_new(&resource, effective_on.as_ref(), facts))?;
        if self.register().waits(&record) && self.would_be_recorded(record.clone(), now).await? {
            let decided = self.answer_for(&record, question_time()).await.and_then(|evidence| {
                let mut decided = record.clone();
                self.context().with_facts(now, |facts| self.register().decide(&mut decided, evidence, facts))?;
                Ok(decided)
            });
            match decided {
                Ok(decided) => record = decided,
                Err(error) => {
                    tracing::warn!(register = R::COLLECTION, record = record.head().id, %error, "recorded as waiting");
                }
            }
        }
        self.insert_one(key, record).await
    }

    /// Asks for every record that waits and decides those that are answered; says how many.
    ///
    /// Ends early, without an error, when the provider does not answer: the next call goes on. A record that somebody
    /// changed meanwhile is left as it is.
    pub async fn settle(&self) -> Result<u64, Error> {
        let (mut after, mut settled) = (String::new(), 0);
        loop {
            let (engine, from) = (self.clone(), after.clone());
            let waiting = self
                .context()
                .store
                .read_long(move |connection| engine.register().waiting(connection, &from, BATCH))
                .await?;
            let Some(last) = waiting.last() else { return Ok(settled) };
            last.head().id.clone_into(&mut after);
            let span = tracing::info_span!("settle", register = R::COLLECTION, waiting = waiting.len());
            let (done, answers) = self.settle_batch(waiting).instrument(span).await?;
            settled += done;
            if !answers {
                return Ok(settled);
            }
        }
    }

    /// Asks for a batch and writes what was decided in one unit; says how many, and whether the provider answers.
    async fn settle_batch(&self, waiting: Vec<R::Record>) -> Result<(u64, bool), Error> {
        let mut questions = futures::stream::iter(waiting)
            .map(|record| {
                let engine = self.clone();
                async move {
                    let answer = engine.answer_for(&record, QUESTION_TIME).await;
                    (record, answer)
                }
            })
            .buffered(QUESTIONS_AT_ONCE);
        let (mut answered, mut answers) = (Vec::new(), true);
        while let Some((record, answer)) = questions.next().await {
            match answer {
                Ok(evidence) => answered.push((record, evidence)),
                Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Deadline) => {
                    tracing::debug!(%error, "still waiting");
                    answers = false;
                    break;
                }
                Err(error) => {
                    tracing::warn!(register = R::COLLECTION, record = record.head().id, %error, "cannot be settled");
                }
            }
        }
        drop(questions);
        if answered.is_empty() {
            return Ok((0, answers));
        }
        let engine = self.clone();
        let unit = Unit::of(&own_department(self.context()));
        let settled = self
            .context()
            .store
            .write(unit, move |tx| {
                let mut settled = 0;
                for (record, evidence) in answered {
                    settled += u64::from(engine.settle_one(tx, &record, evidence)?);
                }
                Ok(settled)
            })
            .await?;
        tracing::info!(register = R::COLLECTION, settled, "decided after evidence");
        Ok((settled, answers))
    }

    /// Writes a decided record as a change that is true from the day of the decision on.
    fn settle_one(&self, tx: &mut Tx<'_>, asked_for: &R::Record, evidence: R::Evidence) -> Result<bool, Error> {
        let now = tx.now();
        let Some(old) = R::Record::lock(tx.connection, &asked_for.head().id)? else { return Ok(false) };
        let mut head = old.head();
        if head.version != asked_for.head().version || !self.register().waits(&old) {
            return Ok(false);
        }
        self.context().with_facts(now, |facts| {
            let before = self.encode(&old, facts, true)?;
            head.version += 1;
            head.updated_at = now;
            head.effective_on = head.effective_on.max(epoch_day(dates::today(now)));
            let mut record = old.clone();
            record.set_head(head);
            if let Err(error) = self.register().decide(&mut record, evidence, facts) {
                // One answer that decides nothing must not hold up the others of the batch.
                tracing::warn!(register = R::COLLECTION, record = old.head().id, %error, "cannot be decided");
                return Ok(false);
            }
            self.replace(tx, &old, &before, &record, Change::Changed, None, facts)?;
            Ok(true)
        })
    }

    async fn answer_for(&self, record: &R::Record, time: Duration) -> Result<R::Evidence, Error> {
        let now = self.context().store.now();
        let resource = self.context().with_facts(now, |facts| self.encode(record, facts, true))?;
        tokio::time::timeout(time, self.register().ask(&resource)).await.map_err(|_| Error::Deadline)?
    }
}

/// Gives a question two thirds of what is left of the call's time: the rest is for recording.
fn question_time() -> Duration {
    Deadline::current().map_or(QUESTION_TIME, |deadline| (deadline.remaining() * 2 / 3).min(QUESTION_TIME))
}

/// Names the department itself, which is who settles.
fn own_department(context: &Context) -> String {
    context.service.replace('_', "-")
}
