//! The kit's error, blind to transport: one closed set of kinds that every layer above speaks.
//!
//! `status` turns it into a gRPC status; nothing else does.

use std::{fmt, time::Duration};

use minsheng_proto::common::v1 as pb;

use crate::access::AccessDenied;

/// One rule that a field broke, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field.
    pub field: String,
    /// The rule, in upper snake case.
    pub reason: &'static str,
    /// What is wrong, in English.
    pub description: String,
    /// What is wrong, in Chinese.
    pub description_zh: String,
}

/// Every rule that a message broke; empty when it broke none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Starts with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        reason: &'static str,
        description: impl Into<String>,
        description_zh: impl Into<String>,
    ) {
        self.0.push(Violation {
            field: field.into(),
            reason,
            description: description.into(),
            description_zh: description_zh.into(),
        });
    }

    /// Notes a field that differs from what the record says and never changes (AIP-203).
    pub fn add_immutable(&mut self, field: &str, there: &str) {
        self.add(field, "IMMUTABLE", format!("cannot be changed: it is {there}"), format!("不可更改，现为 {there}"));
    }

    /// Notes one when the condition does not hold.
    pub fn require(&mut self, holds: bool, field: &str, reason: &'static str, description: &str, description_zh: &str) {
        if !holds {
            self.add(field, reason, description, description_zh);
        }
    }

    /// Leaves out those of fields that are judged elsewhere.
    #[must_use]
    pub fn without(mut self, elsewhere: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|violation| !elsewhere(&violation.field));
        self
    }

    /// Reports whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them in the order in which they were noted.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }

    /// Appends those of another message, under a prefix.
    pub fn extend_under(&mut self, prefix: &str, others: Self) {
        for mut violation in others.0 {
            violation.field = if prefix.is_empty() {
                violation.field
            } else if violation.field.is_empty() {
                prefix.to_owned()
            } else {
                format!("{prefix}.{}", violation.field)
            };
            self.0.push(violation);
        }
    }

    /// Returns the value when there is none, the violations otherwise.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns them as messages of the contract.
    pub fn into_messages(self) -> Vec<pb::FieldViolation> {
        self.0
            .into_iter()
            .map(|violation| pb::FieldViolation {
                field: violation.field,
                reason: violation.reason.to_owned(),
                description: violation.description,
                description_zh: violation.description_zh,
            })
            .collect()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

/// What kind of failure it was: closed, and all that transport needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request breaks a rule of the contract or of the register.
    Invalid,
    /// The record does not exist.
    NotFound,
    /// A record of that name exists already.
    AlreadyExists,
    /// The state of the record does not allow it.
    Precondition,
    /// The record changed since the caller saw it, or the `request_id` was used for another request.
    Conflict,
    /// Nobody is known to be calling.
    Unauthenticated,
    /// The caller may not do that.
    Denied,
    /// There is no place for another call.
    Exhausted,
    /// Another department, the store or a server that stops does not answer.
    Unavailable,
    /// The time given was not enough.
    Deadline,
    /// The method is part of a contract of others, and this service has no use for it.
    Unimplemented,
    /// A fault of this service.
    Internal,
}

/// A failure of the kit or of a service built from it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks rules; all of them are listed.
    #[error("invalid request: {0}")]
    Invalid(Violations),
    /// No such record.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The name is taken.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The record's state does not allow it.
    #[error("{reason}: {description}")]
    Precondition {
        /// The rule, in upper snake case.
        reason: &'static str,
        /// What stands in the way.
        description: String,
    },
    /// The record's state does not allow what these fields ask.
    #[error("not in this state: {0}")]
    State(Violations),
    /// Another request wrote the same records at the same instant; sent again, this one sees what that one wrote.
    #[error("another request was writing the same records; send the request again")]
    Raced,
    /// Another unit is recorded after the instant that this one took: it runs again from there.
    #[error("the record was changed at a later instant than this unit")]
    ClockBehind {
        /// When the other one is recorded, microseconds UTC.
        instant: i64,
    },
    /// Somebody changed the record meanwhile.
    #[error("{name} has changed since it was read; its etag is now {etag}")]
    EtagMismatch {
        /// Name of the record.
        name: String,
        /// The etag that it has now.
        etag: String,
    },
    /// The `request_id` belongs to another request.
    #[error("request_id {0} was used for a different request")]
    RequestIdReused(String),
    /// The caller may not.
    #[error("not permitted: {0}")]
    Denied(String),
    /// No access policy permits it.
    #[error(transparent)]
    Refused(#[from] AccessDenied),
    /// Another department does not answer.
    #[error("department {department} does not answer")]
    DepartmentUnavailable {
        /// The department.
        department: String,
    },
    /// Another department cannot be reached, or not any more.
    #[error("the department {department} does not answer: {what}")]
    DepartmentUnreachable {
        /// The department.
        department: String,
        /// What is known of it.
        what: &'static str,
    },
    /// Another department has not answered in time.
    #[error("the department {department} does not answer: it has not answered in time")]
    DepartmentTooLate {
        /// The department.
        department: String,
    },
    /// The service answers as many calls as it can.
    #[error("the service is answering as many calls as it can")]
    TooManyCalls {
        /// Time after which another try is worth it.
        retry_after: Duration,
    },
    /// One caller holds as much as one may hold.
    #[error("the caller has too many {what}")]
    TooManyOfCaller {
        /// What, as `calls`.
        what: &'static str,
        /// Time after which another try is worth it.
        retry_after: Duration,
    },
    /// Nothing of an answer was read for too long.
    #[error("nothing of the answer was read for too long")]
    ReaderStalled,
    /// The server ends what does not end by itself.
    #[error("the server is stopping")]
    Stopping,
    /// The service does not have the method, for a reason.
    #[error("{0}")]
    NotOffered(&'static str),
    /// The server has no service of that name.
    #[error("there is no service {0:?} here")]
    UnknownService(String),
    /// The service has no method of that name.
    #[error("the service {service} has no method {method:?}")]
    UnknownMethod {
        /// The service.
        service: String,
        /// The method that was called.
        method: String,
    },
    /// The bytes of a request are no message of the contract.
    #[error("the request cannot be read as a message of the contract: {0}")]
    Undecodable(String),
    /// The store cannot take the request now.
    #[error("the store is not available")]
    StoreUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The time given was not enough.
    #[error("deadline exceeded")]
    Deadline,
    /// A fault of this service.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps a fault of this service.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// Refuses a request for one field.
    pub fn invalid(
        field: &str,
        reason: &'static str,
        description: impl Into<String>,
        description_zh: impl Into<String>,
    ) -> Self {
        let mut violations = Violations::new();
        violations.add(field, reason, description, description_zh);
        Self::Invalid(violations)
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Undecodable(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::AlreadyExists(_) => ErrorKind::AlreadyExists,
            Self::Precondition { .. } | Self::State(_) => ErrorKind::Precondition,
            Self::EtagMismatch { .. } | Self::Raced | Self::ClockBehind { .. } | Self::RequestIdReused(_) => {
                ErrorKind::Conflict
            }
            Self::Refused(AccessDenied::Anonymous) => ErrorKind::Unauthenticated,
            Self::Denied(_) | Self::Refused(_) => ErrorKind::Denied,
            Self::TooManyCalls { .. } | Self::TooManyOfCaller { .. } => ErrorKind::Exhausted,
            Self::DepartmentUnavailable { .. }
            | Self::DepartmentUnreachable { .. }
            | Self::StoreUnavailable(_)
            | Self::Stopping => ErrorKind::Unavailable,
            Self::Deadline | Self::DepartmentTooLate { .. } | Self::ReaderStalled => ErrorKind::Deadline,
            Self::NotOffered(_) | Self::UnknownService(_) | Self::UnknownMethod { .. } => ErrorKind::Unimplemented,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// Returns the reason in upper snake case, stable for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_REQUEST",
            Self::NotFound(_) => "RECORD_NOT_FOUND",
            Self::AlreadyExists(_) => "RECORD_EXISTS",
            Self::Precondition { reason, .. } => reason,
            Self::State(violations) => violations.iter().next().map_or("RECORD_STATE", |first| first.reason),
            Self::Raced | Self::ClockBehind { .. } => "CONCURRENT_CHANGE",
            Self::EtagMismatch { .. } => "ETAG_MISMATCH",
            Self::RequestIdReused(_) => "REQUEST_ID_REUSED",
            Self::Denied(_) => "NOT_PERMITTED",
            Self::Refused(AccessDenied::Anonymous) => "CALLER_UNKNOWN",
            Self::Refused(_) => "ACCESS_DENIED",
            Self::TooManyCalls { .. } => "TOO_MANY_CALLS",
            Self::TooManyOfCaller { .. } => "TOO_MANY_OF_CALLER",
            Self::DepartmentUnavailable { .. } => "DEPARTMENT_UNAVAILABLE",
            Self::DepartmentUnreachable { .. } => "DEPARTMENT_UNREACHABLE",
            Self::DepartmentTooLate { .. } => "DEPARTMENT_TOO_LATE",
            Self::StoreUnavailable(_) => "STORE_UNAVAILABLE",
            Self::Stopping => "SERVER_STOPPING",
            Self::ReaderStalled => "READER_STALLED",
            Self::NotOffered(_) => "NOT_OFFERED",
            Self::UnknownService(_) => "UNKNOWN_SERVICE",
            Self::UnknownMethod { .. } => "UNKNOWN_METHOD",
            Self::Undecodable(_) => "UNDECODABLE_REQUEST",
            Self::Deadline => "DEADLINE_EXCEEDED",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error as Diesel};
        match error {
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => Self::StoreUnavailable(Box::new(error)),
            // Two units raced for one key, or stood in each other's way: none of this one is there, and sent again it
            // sees what the other wrote.
            Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure, _) => {
                Self::Raced
            }
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, ref told) if is_deadlock(told.message()) => Self::Raced,
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// Recognises PostgreSQL's message of SQLSTATE 40P01, in its English and its Chinese: diesel hands the code of this one
/// error to nobody.
fn is_deadlock(message: &str) -> bool {
    message.contains("deadlock detected") || message.contains("死锁")
}
