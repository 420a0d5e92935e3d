//! Outcomes that are decided after evidence: another department is asked, now or as soon as it answers.
//!
//! A record whose outcome needs an answer is never lost because the provider is down: it is kept as waiting, and
//! [`Engine::settle`], run again and again, asks for it later. A creation asks first ([`Engine::create_with_evidence`])
//! and records with the answer where there is one in time; uploads always wait, so that a chunk of thousands does not
//! hang on as many questions.
//!
//! ```ignore
//! let engine = rpc.engine().clone();
//! assembly.every(|intervals| intervals.settle, move || {
//!     let engine = engine.clone();
//!     async move { engine.settle().await.map(drop) }
//! })
//! ```

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use minsheng_proto::common::v1 as pb;
use tonic::Code;
use tracing::Instrument as _;

use super::{
    Engine, Head, Register, Table,
    engine::rewrite,
    states::{self, Revised, Scope},
};
use crate::{
    context::Context,
    error::{Error, ErrorKind},
    register::RuleContext,
    server::Deadline,
    store::{AnyConnection, Idempotency, Tx, Unit},
};

/// Waiting records that are read, asked for and written together.
const BATCH: i64 = 200;
/// Questions under way at once; a provider that comes back is not met by a wave.
const QUESTIONS_AT_ONCE: usize = 8;
/// Time of a question that no call's deadline bounds.
const QUESTION_TIME: Duration = Duration::from_secs(3);

/// Wait before a record is asked about again whose question was refused or whose answer decided nothing; it doubles with
/// every time, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// Longest such wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A register whose outcome may need another department's answer.
pub trait EvidenceRegister: Register {
    /// What the other department answers.
    type Evidence: Clone + Send + 'static;

    /// Reports whether the record still needs an answer. False once [`decide`](Self::decide) was called on it.
    fn waits(&self, record: &Self::Record) -> bool;

    /// Lists states in force that wait, those of records that ended since included, behind an id, in the order of ids.
    fn waiting(&self, connection: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<Self::Record>, Error>;

    /// Asks for a record. The resource carries its name and, opened, its personal fields.
    ///
    /// [`asked`] turns the provider's status into the error.
    fn ask(&self, resource: &Self::Resource) -> impl Future<Output = Result<Self::Evidence, Error>> + Send;

    /// Decides: puts the outcome on a state that waits, for all its days: that the answer came late costs nobody anything.
    /// Pure; the day of the decision is `context.today`.
    ///
    /// An answer that decides nothing is an error: the record goes on waiting, and a warning names it.
    fn decide(
        &self,
        record: &mut Self::Record,
        evidence: Self::Evidence,
        context: RuleContext<'_>,
    ) -> Result<(), Error>;
}

/// Returns what another department's status means for the one that asked. The status' text is not taken over: the
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
        let mut record = self
            .context()
            .with_rule_context(now, |context| self.validate_new(&resource, effective_on.as_ref(), context))?;
        if self.register().waits(&record) && self.would_be_recorded(record.clone(), now).await? {
            let decided = self.answer_for(&record, question_time()).await.and_then(|evidence| {
                let mut decided = record.clone();
                self.context()
                    .with_rule_context(now, |context| self.register().decide(&mut decided, evidence, context))?;
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
    /// changed meanwhile is left as it is. One whose question was refused is asked about again later and later.
    pub async fn settle(&self) -> Result<u64, Error> {
        let (mut after, mut settled) = (String::new(), 0);
        self.refusals.forget_old(self.context().store.now());
        loop {
            let (engine, from) = (self.clone(), after.clone());
            let waiting = self
                .context()
                .store
                .read_long(move |connection| engine.register().waiting(connection, &from, BATCH))
                .await?;
            let Some(last) = waiting.last() else { return Ok(settled) };
            last.head().id.clone_into(&mut after);
            let now = self.context().store.now();
            let waiting: Vec<_> =
                waiting.into_iter().filter(|record| self.refusals.is_due(&record.head(), now)).collect();
            if waiting.is_empty() {
                continue;
            }
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
                    let head = record.head();
                    tracing::warn!(register = R::COLLECTION, record = head.id, %error, "cannot be settled");
                    self.refusals.note(&head, self.context().store.now());
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
                for (record, evidence) in &answered {
                    settled += u64::from(engine.settle_one(tx, record, evidence.clone())?);
                }
                Ok(settled)
            })
            .await?;
        tracing::info!(register = R::COLLECTION, settled, "decided after evidence");
        Ok((settled, answers))
    }

    /// Writes the decision of a state that waited, for the days for which it holds.
    fn settle_one(&self, tx: &mut Tx<'_>, asked_for: &R::Record, evidence: R::Evidence) -> Result<bool, Error> {
        let asked_for = asked_for.head();
        let was = R::Record::lock(tx.connection, &asked_for.id)?;
        let place = was.iter().position(|state| {
            let head = state.head();
            head.number == asked_for.number && head.version == asked_for.version
        });
        let Some(place) = place.filter(|place| self.register().waits(&was[*place])) else { return Ok(false) };
        self.context().with_rule_context(tx.now(), |context| {
            let mut decided = was[place].clone();
            if let Err(error) = self.register().decide(&mut decided, evidence, context) {
                // One answer that decides nothing must not hold up the others of the batch.
                tracing::warn!(register = R::COLLECTION, record = asked_for.id, %error, "cannot be decided");
                self.refusals.note(&asked_for, tx.now());
                return Ok(false);
            }
            self.refusals.forget(&asked_for.id);
            let mut now = was.clone();
            states::update(&mut now, Scope::On(asked_for.effective_on), |_, _| {
                Ok(Revised { state: decided.clone(), begins_earlier: None })
            })?;
            rewrite(tx, self.register(), &was, now, context)?;
            Ok(true)
        })
    }

    async fn answer_for(&self, record: &R::Record, time: Duration) -> Result<R::Evidence, Error> {
        let now = self.context().store.now();
        let resource = self
            .context()
            .with_rule_context(now, |context| self.encode(std::slice::from_ref(record), 0, context, true))?;
        tokio::time::timeout(time, self.register().ask(&resource)).await.map_err(|_| Error::Deadline)?
    }
}

/// Returns the time for a question: two thirds of what is left of the call's; the rest is for recording.
fn question_time() -> Duration {
    Deadline::current().map_or(QUESTION_TIME, |deadline| (deadline.remaining() * 2 / 3).min(QUESTION_TIME))
}

/// Names the department itself, which is who settles.
fn own_department(context: &Context) -> String {
    context.service.replace('_', "-")
}

/// Records that could not be settled, and when each is due again. Kept in memory: a process that starts asks once more.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<String, Refusal>>);

#[derive(Debug)]
struct Refusal {
    version: i64,
    times: u32,
    due: i64,
}

impl Refusals {
    /// Reports whether a record may be asked about: it was not refused, or long enough ago, or has changed since.
    fn is_due(&self, head: &Head, now: i64) -> bool {
        self.all().get(&head.id).is_none_or(|refusal| refusal.due <= now || refusal.version != head.version)
    }

    /// Notes that a record could not be settled.
    fn note(&self, head: &Head, now: i64) {
        let mut all = self.all();
        let refusal = all.entry(head.id.clone()).or_insert(Refusal { version: head.version, times: 0, due: now });
        if refusal.version != head.version {
            *refusal = Refusal { version: head.version, times: 0, due: now };
        }
        let wait = FIRST_WAIT.saturating_mul(1 << refusal.times.min(16)).min(LONGEST_WAIT);
        refusal.times += 1;
        refusal.due = now.saturating_add(micros(wait));
    }

    /// Forgets a record that is settled.
    fn forget(&self, id: &str) {
        self.all().remove(id);
    }

    /// Forgets records that have long been due: nobody asks about them any more.
    fn forget_old(&self, now: i64) {
        self.all().retain(|_, refusal| refusal.due.saturating_add(micros(LONGEST_WAIT)) > now);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Refusal>> {
        // No note is left half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(id: &str, version: i64) -> Head {
        Head { id: id.to_owned(), version, ..Head::default() }
    }

    #[test]
    fn a_record_that_is_refused_again_and_again_is_asked_about_later_and_later_up_to_an_hour() {
        let (refusals, record) = (Refusals::default(), head("a", 1));
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert!(refusals.is_due(&record, now));
            refusals.note(&record, now);
            let wait =
                (1..=3600).find(|wait| refusals.is_due(&record, now + wait * 1_000_000)).expect("within an hour");
            waits.push(wait);
            now += wait * 1_000_000;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
        assert!(refusals.is_due(&head("b", 1), 0), "another one is not held up");
    }

    #[test]
    fn a_record_that_was_changed_or_settled_is_asked_about_at_once() {
        let refusals = Refusals::default();
        refusals.note(&head("a", 1), 0);
        assert!(!refusals.is_due(&head("a", 1), 1));
        assert!(refusals.is_due(&head("a", 2), 1));
        refusals.forget("a");
        assert!(refusals.is_due(&head("a", 1), 1));
        refusals.note(&head("a", 1), 0);
        refusals.forget_old(micros(FIRST_WAIT + LONGEST_WAIT));
        assert!(refusals.all().is_empty());
    }
}
