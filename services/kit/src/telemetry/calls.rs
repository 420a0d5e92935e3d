//! What is recorded about one call, on either side.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::metrics::{Counter, Histogram, Meter};
use opentelemetry::trace::Status as SpanStatus;
use opentelemetry::{KeyValue, global};
use tonic::Code;
use tracing::field::Empty;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::attributes::{
    DURATION_BUCKETS, ERROR_TYPE, GRPC, LIMIT, PEER_DEPARTMENT, RPC_CLIENT_CALL_DURATION, RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE, RPC_SERVER_CALL_DURATION, RPC_SYSTEM_NAME, SCOPE, SERVER_LIMITED, SERVER_STALLED_ANSWERS,
};

/// The end of a call that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that answers.
    Server,
    /// The one that asks.
    Client,
}

impl Side {
    /// Reports whether an outcome is a failure of this side. To a server, a caller's mistake is none of its own
    /// (OpenTelemetry's rule for gRPC).
    fn failed(self, code: Code) -> bool {
        match self {
            Self::Client => code != Code::Ok,
            Self::Server => matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ),
        }
    }
}

/// The instruments for calls.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    server: Histogram<f64>,
    client: Histogram<f64>,
    stalled: Counter<u64>,
    limited: Counter<u64>,
}

impl Default for CallMetrics {
    /// Makes them from the process's meter provider, which [`super::init`] has set by then.
    fn default() -> Self {
        Self::new(&global::meter(SCOPE))
    }
}

impl CallMetrics {
    /// Makes them from a meter.
    pub fn new(meter: &Meter) -> Self {
        let histogram = |name, description| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(DURATION_BUCKETS.to_vec())
                .build()
        };
        Self {
            server: histogram(RPC_SERVER_CALL_DURATION, "How long calls took to answer"),
            client: histogram(RPC_CLIENT_CALL_DURATION, "How long calls to others took, retries included"),
            stalled: meter
                .u64_counter(SERVER_STALLED_ANSWERS)
                .with_unit("{answer}")
                .with_description("Answers that were ended because nobody read them")
                .build(),
            limited: meter
                .u64_counter(SERVER_LIMITED)
                .with_unit("{refusal}")
                .with_description("Calls and connections that a limit refused, by the limit")
                .build(),
        }
    }

    /// Counts a call or a connection that a limit refused: `server`, or what its caller has too many of.
    pub(crate) fn limited(&self, limit: &'static str) {
        self.limited.add(1, &[KeyValue::new(LIMIT, limit)]);
    }

    /// Counts an answer that was ended because nobody read it.
    pub(crate) fn stalled(&self) {
        self.stalled.add(1, &[]);
    }
}

/// One call that is going on. Recorded when it ends, or as `CANCELLED` when it is dropped before.
#[derive(Debug)]
pub(super) struct Call {
    side: Side,
    method: Arc<str>,
    span: Span,
    begun: Instant,
    duration: Histogram<f64>,
    over: bool,
}

impl Call {
    pub(super) fn begin(metrics: &CallMetrics, side: Side, method: &str, peer: Option<&str>) -> Self {
        // Levels and field names of spans are fixed when compiled, hence two calls that differ in the kind alone.
        macro_rules! span {
            ($name:literal, $kind:literal) => {
                info_span!(
                    $name,
                    "otel.name" = method,
                    "otel.kind" = $kind,
                    { RPC_SYSTEM_NAME } = GRPC,
                    { RPC_METHOD } = method,
                    { PEER_DEPARTMENT } = peer,
                    { RPC_RESPONSE_STATUS_CODE } = Empty,
                    { ERROR_TYPE } = Empty,
                )
            };
        }
        let (span, duration) = match side {
            Side::Server => (span!("answer", "server"), metrics.server.clone()),
            Side::Client => (span!("call", "client"), metrics.client.clone()),
        };
        Self { side, method: method.into(), span, begun: Instant::now(), duration, over: false }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let name = code_name(code);
        let mut attributes = vec![
            KeyValue::new(RPC_SYSTEM_NAME, GRPC),
            KeyValue::new(RPC_METHOD, Arc::clone(&self.method)),
            KeyValue::new(RPC_RESPONSE_STATUS_CODE, name),
        ];
        self.span.record(RPC_RESPONSE_STATUS_CODE, name);
        if self.side.failed(code) {
            attributes.push(KeyValue::new(ERROR_TYPE, name));
            self.span.record(ERROR_TYPE, name);
            self.span.set_status(SpanStatus::error(name));
        }
        self.duration.record(self.begun.elapsed().as_secs_f64(), &attributes);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// Names a code as the protocol does.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
