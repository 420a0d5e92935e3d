//! Turns the kit's error into a gRPC status with `google.rpc` details: the one table, the one place.
//!
//! A fault of the service reaches the client as "internal error" and an id; its chain is logged here, once.

use minsheng_proto::Validate;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use crate::{
    access::AccessDenied,
    error::{Error, ErrorKind, Violations},
};

/// Domain of the reasons in `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "minsheng.internal";

/// Gives the gRPC code of a kind.
pub fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Precondition => Code::FailedPrecondition,
        ErrorKind::Conflict => Code::Aborted,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Denied => Code::PermissionDenied,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Deadline => Code::DeadlineExceeded,
        ErrorKind::Unimplemented => Code::Unimplemented,
        ErrorKind::Internal => Code::Internal,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut details = ErrorDetails::new();
        let mut metadata = std::collections::HashMap::new();
        let code = code(error.kind());
        let message = match &error {
            Error::Internal(source) => {
                let id = uuid::Uuid::now_v7().to_string();
                tracing::error!(error.id = %id, error = chain(source.as_ref()), "internal error");
                metadata.insert("error_id".to_owned(), id);
                "internal error".to_owned()
            }
            Error::StoreUnavailable(source) => {
                tracing::warn!(error = chain(source.as_ref()), "store unavailable");
                error.to_string()
            }
            Error::DepartmentUnavailable { department }
            | Error::DepartmentUnreachable { department, .. }
            | Error::DepartmentTooLate { department } => {
                metadata.insert("department".to_owned(), department.clone());
                error.to_string()
            }
            Error::Refused(denied) => {
                metadata.extend(denied.details());
                error.to_string()
            }
            Error::TooManyCalls { retry_after } => {
                details.set_retry_info(Some(*retry_after));
                error.to_string()
            }
            Error::Invalid(violations) => {
                details.set_bad_request(
                    violations
                        .iter()
                        .map(|violation| {
                            FieldViolation::new(
                                &violation.field,
                                format!(
                                    "{} / {} [{}]",
                                    violation.description, violation.description_zh, violation.reason
                                ),
                            )
                        })
                        .collect::<Vec<_>>(),
                );
                error.to_string()
            }
            Error::State(violations) => {
                details.set_precondition_failure(
                    violations
                        .iter()
                        .map(|violation| {
                            PreconditionViolation::new(
                                violation.reason,
                                &violation.field,
                                format!("{} / {}", violation.description, violation.description_zh),
                            )
                        })
                        .collect::<Vec<_>>(),
                );
                error.to_string()
            }
            _ => error.to_string(),
        };
        details.set_error_info(error.reason(), ERROR_DOMAIN, metadata);
        Status::with_error_details(code, message, details)
    }
}

impl From<AccessDenied> for Status {
    fn from(denied: AccessDenied) -> Self {
        Error::Refused(denied).into()
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// Reason of whatever breaks a rule of the contract.
pub(crate) const CONTRACT_RULE: &str = "CONTRACT_RULE";

/// Checks a message by the rules of its contract, all violations at once.
pub fn validate(message: &impl Validate) -> Result<(), Violations> {
    let mut found = Violations::new();
    let Err(error) = message.validate() else { return Ok(()) };
    for violation in error.violations() {
        let text = violation.message();
        let text = if text.is_empty() { violation.rule_id() } else { text };
        found.add(violation.field_path(), CONTRACT_RULE, text, rule_zh(violation.rule_id()));
    }
    Err(found)
}

/// Says in Chinese what a rule of the contract asks.
fn rule_zh(rule: &str) -> &'static str {
    match rule {
        "required" | "string.uuid_empty" | "string.min_len" | "repeated.min_items" => "必填",
        "string.uuid" => "须为UUID",
        "string.pattern" => "格式不正确",
        "string.max_len" => "过长",
        "repeated.max_items" => "条数过多",
        "enum.defined_only" | "enum.not_in" => "取值不在代码表内",
        rule if rule.contains("gte") || rule.contains("lte") => "超出取值范围",
        _ => "不符合接口规范",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_refusal_has_the_code_of_its_kind_and_a_reason_that_machines_can_rely_on() {
        let department = || "health".to_owned();
        let retry_after = Duration::from_secs(1);
        for (error, code, reason) in [
            (Error::invalid("area", "X", "x", "x"), Code::InvalidArgument, "INVALID_REQUEST"),
            (Error::NotFound("a".to_owned()), Code::NotFound, "RECORD_NOT_FOUND"),
            (Error::AlreadyExists("a".to_owned()), Code::AlreadyExists, "RECORD_EXISTS"),
            (Error::Raced, Code::Aborted, "CONCURRENT_CHANGE"),
            (Error::Refused(AccessDenied::Anonymous), Code::Unauthenticated, "CALLER_UNKNOWN"),
            (Error::Denied("a".to_owned()), Code::PermissionDenied, "NOT_PERMITTED"),
            (Error::TooManyCalls { retry_after }, Code::ResourceExhausted, "TOO_MANY_CALLS"),
            (Error::DepartmentUnavailable { department: department() }, Code::Unavailable, "DEPARTMENT_UNAVAILABLE"),
            (
                Error::DepartmentUnreachable { department: department(), what: "x" },
                Code::Unavailable,
                "DEPARTMENT_UNREACHABLE",
            ),
            (Error::DepartmentTooLate { department: department() }, Code::DeadlineExceeded, "DEPARTMENT_TOO_LATE"),
            (Error::Stopping, Code::Unavailable, "SERVER_STOPPING"),
            (Error::ReaderStalled, Code::DeadlineExceeded, "READER_STALLED"),
            (Error::Deadline, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Error::NotOffered("x"), Code::Unimplemented, "NOT_OFFERED"),
            (Error::internal("secret"), Code::Internal, "INTERNAL"),
        ] {
            let status = Status::from(error);
            let info = status.get_details_error_info().expect("an ErrorInfo");
            assert_eq!((status.code(), info.reason.as_str(), info.domain.as_str()), (code, reason, ERROR_DOMAIN));
            assert!(!status.message().contains("secret"));
        }
    }
}
