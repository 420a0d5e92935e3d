//! What a refusal says, of a call or of an item.

use std::{collections::HashMap, fmt};

use minsheng_proto::common::v1 as common;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// One rule that was broken.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) field: String,
    pub(super) reason: String,
}

impl Broken {
    fn is_of(&self, field: &str) -> bool {
        let rest = self.field.strip_prefix(field);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// A refused call, or a refused item of one.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) broken: Vec<Broken>,
    pub(super) metadata: HashMap<String, String>,
    /// All that was said, for a search.
    pub(super) said: Vec<u8>,
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let fields = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let states = details.precondition_failure().map(|failure| failure.violations.as_slice()).unwrap_or_default();
        let of_fields = fields.iter().map(|it| Broken { field: it.field.clone(), reason: it.reason.clone() });
        let of_states = states.iter().map(|it| Broken { field: it.subject.clone(), reason: it.r#type.clone() });
        let info = details.error_info();
        Self {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            broken: of_fields.chain(of_states).collect(),
            metadata: info.map(|info| info.metadata.clone()).unwrap_or_default(),
            said: [status.message().as_bytes(), status.details()].concat(),
        }
    }
}

impl Refusal {
    /// Returns an item's answer as the refusal of a call that sends it alone would be; none where it was recorded.
    pub(super) fn of_item(result: &common::ItemResult) -> Option<Self> {
        let broken: Vec<Broken> =
            result.violations.iter().map(|it| Broken { field: it.field.clone(), reason: it.reason.clone() }).collect();
        let exists = broken.iter().any(|broken| broken.reason == "RECORD_EXISTS");
        let (code, reason) = match result.outcome() {
            common::ItemOutcome::Created => return None,
            common::ItemOutcome::Rejected if !exists => (Code::InvalidArgument, "INVALID_REQUEST"),
            _ => (Code::AlreadyExists, "RECORD_EXISTS"),
        };
        let said = format!("{result:?}").into_bytes();
        let (reason, message) = (reason.to_owned(), format!("{} {:?}", result.name, result.outcome()));
        Some(Self { code, reason, message, broken, metadata: HashMap::new(), said })
    }

    /// Reports whether a field, or a part of it, broke a rule.
    pub(super) fn names(&self, field: &str) -> bool {
        self.broken.iter().any(|broken| broken.is_of(field))
    }

    /// Reports whether a field, or a part of it, broke this rule.
    pub(super) fn has(&self, field: &str, reason: &str) -> bool {
        self.broken.iter().any(|broken| broken.is_of(field) && broken.reason == reason)
    }

    /// Reports whether a text stands anywhere in it.
    pub(super) fn repeats(&self, text: &str) -> bool {
        self.said.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.code, self.reason, self.message)?;
        for broken in &self.broken {
            write!(f, " [{} {}]", broken.field, broken.reason)?;
        }
        Ok(())
    }
}
