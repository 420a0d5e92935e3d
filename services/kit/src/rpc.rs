//! The steps that every handler takes: who calls, is the message right, is it a repetition, in what pieces does it
//! come.

use std::pin::Pin;

use futures::Stream;
use minsheng_proto::{Validate, common::v1 as pb};
use tonic::{Request, Status};

use crate::{
    access::{Access, AccessDenied},
    context::Context,
    error::Error,
    identity::Caller,
    register::List,
    status,
    store::{AccessEntry, Idempotency, Tx, Unit},
    values::identifiers::ResidentId,
};

/// Largest message that a service takes or gives, in bytes.
pub const LARGEST_MESSAGE: usize = 16 << 20;
/// The answers to an upload's chunks.
pub type AnswerStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Names the department that calls.
pub fn caller<T>(request: &Request<T>) -> Result<String, Error> {
    Caller::of(request).map(|caller| caller.department.to_string()).map_err(|_| AccessDenied::Anonymous.into())
}

/// Checks a message by its contract and takes it out of the request.
pub fn checked<T: Validate + prost::Name>(request: Request<T>) -> Result<T, Error> {
    let message = request.into_inner();
    status::validate(&message)?;
    Ok(message)
}

/// Checks a message that may be repeated, and makes the key under which its first answer is kept.
pub fn repeatable<T: Validate + prost::Name>(
    service: &str,
    method: &str,
    request: Request<T>,
    request_id: impl Fn(&T) -> &str,
) -> Result<(Idempotency, T), Error> {
    let department = caller(&request)?;
    let message = checked(request)?;
    let key = Idempotency::new(&department, &format!("{service}/{method}"), request_id(&message), &message);
    Ok((key, message))
}

/// As [`repeatable`], where what lies inside a part of the message is checked elsewhere: an update's resource after the
/// merge.
pub fn repeatable_partial<T: Validate + prost::Name>(
    service: &str,
    method: &str,
    part: &str,
    request: Request<T>,
    request_id: impl Fn(&T) -> &str,
) -> Result<(Idempotency, T), Error> {
    let department = caller(&request)?;
    let message = request.into_inner();
    status::validate_outside(&message, part)?;
    let key = Idempotency::new(&department, &format!("{service}/{method}"), request_id(&message), &message);
    Ok((key, message))
}

/// As [`repeatable`], for a batch: gives its items, of which each is still to be checked.
pub fn repeatable_list<T: Validate + prost::Name, Item: Validate + prost::Name>(
    service: &str,
    method: &str,
    request: Request<T>,
    list: List<T, Item>,
    request_id: impl Fn(&T) -> &str,
) -> Result<(Idempotency, Vec<Item>), Error> {
    let department = caller(&request)?;
    let mut message = request.into_inner();
    let key = Idempotency::new(&department, &format!("{service}/{method}"), request_id(&message), &message);
    Ok((key, list.take(&mut message)?))
}

/// Returns a field that the contract requires.
pub fn required<T>(field: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::invalid(field, "REQUIRED", "is required", "必填"))
}

/// A question from another department whose purpose the access policy allows.
#[derive(Clone, Debug)]
pub struct Question {
    department: String,
    method: String,
    context: pb::QuestionContext,
}

impl Question {
    /// Checks the message and the purpose of a question, and takes both out of the request.
    pub fn take<T: Validate + prost::Name>(
        request: Request<T>,
        context: impl Fn(&T) -> Option<&pb::QuestionContext>,
    ) -> Result<(Self, T), Error> {
        let access = Access::of(&request)?.clone();
        let message = checked(request)?;
        let context = required("context", context(&message).cloned())?;
        let purpose = pb::Purpose::try_from(context.purpose).unwrap_or_default();
        access.authorise_question(purpose.as_str_name())?;
        let question =
            Self { department: access.caller().department.to_string(), method: access.method().to_owned(), context };
        Ok((question, message))
    }

    /// Answers about a person: the answer and the entry in the access log are one unit of work.
    pub async fn answer_about<A, F>(self, context: &Context, resident_id: &str, f: F) -> Result<A, Error>
    where
        A: prost::Message + Default + 'static,
        F: Fn(&mut Tx<'_>, &ResidentId) -> Result<A, Error> + Send + 'static,
    {
        let today = crate::register::today(context.store.now());
        let resident = ResidentId::parse(resident_id, today)
            .map_err(|error| Error::invalid("resident_id", error.reason(), error.to_string(), error.message_zh()))?;
        let entry = AccessEntry {
            recorded_at: 0,
            officer: self.context.officer.clone(),
            purpose: i64::from(self.context.purpose),
            case_number: self.context.case_number.clone(),
            method: self.method.clone(),
            department: self.department.clone(),
            subject: context.keys.blind(&resident),
        };
        context
            .store
            .write(Unit::of(&self.department), move |tx| {
                tx.access(entry.clone());
                f(tx, &resident)
            })
            .await
    }
}
