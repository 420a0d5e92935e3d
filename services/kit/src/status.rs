//! Turns the kit's error into a gRPC status with `google.rpc` details: the one table, the one place.
//!
//! A fault of the service reaches the client as "internal error" and an id; its chain is logged here, once.

mod rules;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use crate::{
    access::AccessDenied,
    error::{Error, ErrorKind, Violation, Violations},
};

pub(crate) use rules::CONTRACT_RULE;
pub use rules::{validate, validate_outside};

/// Domain of the reasons in `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "minsheng.internal";

/// Bytes that an error's details weigh at the most before they are written as text, which makes 6 KiB of them. A stock
/// client takes 8 KiB of trailers, and the message travels beside the details.
const DETAILS: usize = 4608;
/// Bytes of a message at the most; it travels by itself and once more in the details.
const MESSAGE: usize = 512;
/// Bytes of the details that are kept for `ErrorInfo` and what frames a message.
const INFO: usize = 256;
/// Bytes of one violation's text at the most, in each language.
const DESCRIPTION: usize = 400;
/// Bytes that frame one violation.
const FRAME: usize = 16;

/// Returns the gRPC code of a kind.
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
        let mut message = error.to_string();
        match &error {
            Error::Internal(source) => {
                let id = uuid::Uuid::now_v7().to_string();
                tracing::error!(error.id = %id, error = chain(source.as_ref()), "internal error");
                metadata.insert("error_id".to_owned(), id);
            }
            Error::StoreUnavailable(source) => {
                tracing::warn!(error = chain(source.as_ref()), "store unavailable");
            }
            Error::DepartmentUnavailable { department }
            | Error::DepartmentUnreachable { department, .. }
            | Error::DepartmentTooLate { department } => {
                metadata.insert("department".to_owned(), department.clone());
            }
            Error::EtagMismatch { etag, .. } => {
                metadata.insert("etag".to_owned(), etag.clone());
            }
            Error::Refused(denied) => metadata.extend(denied.details()),
            Error::TooManyCalls { retry_after } => {
                details.set_retry_info(Some(*retry_after));
            }
            Error::TooManyOfCaller { what, retry_after } => {
                details.set_retry_info(Some(*retry_after));
                metadata.insert("limit".to_owned(), (*what).to_owned());
            }
            Error::Invalid(violations) | Error::State(violations) => {
                let told = Told::of(violations);
                if let Error::Invalid(_) = error {
                    details.set_bad_request(told.violations.iter().map(ToldViolation::of_field).collect::<Vec<_>>());
                    message = told.message("invalid request");
                } else {
                    let told_of_state = told.violations.iter().map(ToldViolation::of_state);
                    details.set_precondition_failure(told_of_state.collect::<Vec<_>>());
                    message = told.message("not in this state");
                }
                if told.left_out > 0 {
                    metadata.insert("violations_left_out".to_owned(), told.left_out.to_string());
                }
            }
            _ => {}
        }
        details.set_error_info(error.reason(), ERROR_DOMAIN, metadata);
        Status::with_error_details(code(error.kind()), shortened(&message, MESSAGE), details)
    }
}

/// What of violations fits into the trailers of a call.
struct Told {
    violations: Vec<ToldViolation>,
    left_out: usize,
}

/// One violation, each of its texts of bounded length.
struct ToldViolation {
    reason: &'static str,
    field: String,
    english: String,
    both: String,
}

impl Told {
    fn of(all: &Violations) -> Self {
        let mut room = DETAILS - MESSAGE - INFO;
        let mut violations = Vec::new();
        for violation in all.iter() {
            let told = ToldViolation::of(violation);
            let Some(left) = room.checked_sub(told.weight()) else { break };
            room = left;
            violations.push(told);
        }
        Self { left_out: all.iter().count() - violations.len(), violations }
    }

    /// Returns a message that names the violations as far as it goes, and how many it leaves out.
    fn message(&self, what: &str) -> String {
        let all = self.violations.len() + self.left_out;
        // Room for the words that say what is left out.
        let most = MESSAGE - 96;
        let (mut text, mut named) = (format!("{what}:"), 0);
        for violation in &self.violations {
            let piece = format!("{} {}: {}", if named > 0 { ";" } else { "" }, violation.field, violation.english);
            if named > 0 && text.len() + piece.len() > most {
                break;
            }
            text.push_str(&shortened(&piece, most - text.len().min(most)));
            named += 1;
        }
        let more = if named < all { format!("; and {} more", all - named) } else { String::new() };
        let nowhere = match self.left_out {
            0 => String::new(),
            left_out => format!(", of which {left_out} are not in the details either"),
        };
        text + &more + &nowhere
    }
}

impl ToldViolation {
    fn of(violation: &Violation) -> Self {
        let english = shortened(&violation.description, DESCRIPTION);
        let both = format!("{english} / {}", shortened(&violation.description_zh, DESCRIPTION));
        Self { reason: violation.reason, field: shortened(&violation.field, DESCRIPTION), english, both }
    }

    fn weight(&self) -> usize {
        self.reason.len() + self.field.len() + self.both.len() + FRAME
    }

    fn of_field(&self) -> FieldViolation {
        let reason = self.reason.to_owned();
        FieldViolation { reason, ..FieldViolation::new(self.field.as_str(), self.both.as_str()) }
    }

    fn of_state(&self) -> PreconditionViolation {
        PreconditionViolation::new(self.reason, self.field.as_str(), self.both.as_str())
    }
}

/// Returns a text of so many bytes at the most: a longer one ends where a character ends, with an ellipsis.
fn shortened(text: &str, most: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len()));
    format!("{}{ELLIPSIS}", &text[..end])
}

impl From<AccessDenied> for Status {
    fn from(denied: AccessDenied) -> Self {
        Error::Refused(denied).into()
    }
}

/// Converts a status that the transport made of a request: bytes that it could not read as a message are the caller's
/// fault and no fault of the service. What an [`Error`] became has details, and stays.
pub(crate) fn of_transport(status: Status) -> Status {
    if status.code() == Code::Internal && status.details().is_empty() {
        Error::Undecodable(status.message().to_owned()).into()
    } else {
        status
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
            (Error::EtagMismatch { name: "a".to_owned(), etag: "v2".to_owned() }, Code::Aborted, "ETAG_MISMATCH"),
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
            (Error::UnknownService("a".to_owned()), Code::Unimplemented, "UNKNOWN_SERVICE"),
            (Error::Undecodable("a".to_owned()), Code::InvalidArgument, "UNDECODABLE_REQUEST"),
            (Error::internal("secret"), Code::Internal, "INTERNAL"),
        ] {
            let status = Status::from(error);
            let info = status.get_details_error_info().expect("an ErrorInfo");
            assert_eq!((status.code(), info.reason.as_str(), info.domain.as_str()), (code, reason, ERROR_DOMAIN));
            assert!(!status.message().contains("secret"));
        }
    }
    #[test]
    fn a_stale_etag_is_answered_with_the_present_one() {
        let status = Status::from(Error::EtagMismatch { name: "schools/a".to_owned(), etag: "v7".to_owned() });
        let info = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!(info.metadata["etag"], "v7");
        assert!(status.message().contains("schools/a") && status.message().contains("v7"), "{}", status.message());
    }

    #[test]
    fn a_field_violation_has_its_reason_and_both_languages() {
        let status = Status::from(Error::invalid("area", "UNKNOWN_AREA", "is no division", "不是区划"));
        let found = status.get_details_bad_request().expect("a BadRequest").field_violations;
        assert_eq!((found[0].field.as_str(), found[0].reason.as_str()), ("area", "UNKNOWN_AREA"));
        assert_eq!(found[0].description, "is no division / 不是区划");
        assert_eq!(status.message(), "invalid request: area: is no division");
    }

    /// Sends a status as a server does; returns the bytes of its header fields that name it.
    fn weight_as_sent(status: &Status) -> usize {
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).expect("a header");
        headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
    }

    #[test]
    fn violations_that_do_not_fit_are_counted_and_the_first_ones_stay() {
        for error in [Error::Invalid, Error::State] {
            let mut violations = Violations::new();
            for number in 0..500 {
                violations.add(format!("items[{number}].unit"), "WRONG_UNIT", "must be kilometres", "单位应为公里");
            }
            let status = Status::from(error(violations));
            let details = status.get_error_details();
            let fields: Vec<String> = match (details.bad_request(), details.precondition_failure()) {
                (Some(bad), _) => bad.field_violations.iter().map(|found| found.field.clone()).collect(),
                (_, Some(failure)) => failure.violations.iter().map(|found| found.subject.clone()).collect(),
                _ => Vec::new(),
            };
            assert_eq!(fields[0], "items[0].unit");
            assert!(fields.len() > 30, "{}", fields.len());
            let left_out = (500 - fields.len()).to_string();
            let info = details.error_info().expect("an ErrorInfo");
            assert_eq!(info.metadata["violations_left_out"], left_out);
            assert!(status.message().contains(&left_out), "{}", status.message());
            assert!(status.message().len() <= MESSAGE);
            assert!(status.details().len() <= DETAILS, "{}", status.details().len());
            assert!(weight_as_sent(&status) < 7 << 10, "{}", weight_as_sent(&status));
        }
    }

    #[test]
    fn one_violation_of_any_length_is_told_within_bounds() {
        let long = "长".repeat(10_000);
        let status = Status::from(Error::invalid(&long, "UNKNOWN_PATH", long.as_str(), long.as_str()));
        let bad = status.get_details_bad_request().expect("a BadRequest");
        assert_eq!(bad.field_violations.len(), 1);
        assert!(bad.field_violations[0].description.contains('…'));
        assert!(status.message().len() <= MESSAGE, "{}", status.message().len());
        let status = Status::from(Error::NotFound(long));
        assert!(status.message().len() <= MESSAGE && status.message().ends_with('…'));
    }
}
