//! Names of attributes and instruments. Dashboards and alert rules under `deploy/` are written against these.

/// The RPC system, always [`GRPC`] (OpenTelemetry, stable).
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// The value of [`RPC_SYSTEM_NAME`].
pub const GRPC: &str = "grpc";
/// The method, as `minsheng.health.v1.InstitutionService/GetInstitution` (OpenTelemetry, stable).
pub const RPC_METHOD: &str = "rpc.method";
/// The value of [`RPC_METHOD`] for methods that the server does not have, so that callers cannot make up series.
pub const OTHER_METHOD: &str = "_OTHER";
/// The outcome's name, as `OK` or `DEADLINE_EXCEEDED` (OpenTelemetry, stable).
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";
/// The outcome's name once more, on calls that failed; absent on others (OpenTelemetry, stable).
pub const ERROR_TYPE: &str = "error.type";
/// The department at the other end of a call: the caller on a server, the provider on a client.
pub const PEER_DEPARTMENT: &str = "minsheng.peer.department";

/// Histogram of how long calls took to answer, in seconds (OpenTelemetry, stable).
pub const RPC_SERVER_CALL_DURATION: &str = "rpc.server.call.duration";
/// Histogram of how long calls took, retries included, in seconds (OpenTelemetry, stable).
pub const RPC_CLIENT_CALL_DURATION: &str = "rpc.client.call.duration";

/// Counter of answers that a server ended because nobody read them.
pub const SERVER_STALLED_ANSWERS: &str = "minsheng.server.stalled_answers";
/// Counter of calls and connections that a limit refused.
pub const SERVER_LIMITED: &str = "minsheng.server.limited";
/// Which limit it was: `server`, `calls`, `streams`, `connections`, `questions`, `silence`.
pub const LIMIT: &str = "minsheng.limit";

/// Upper bounds of both histograms' buckets, in seconds.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Name under which the suite's own instruments and spans are made.
pub const SCOPE: &str = "minsheng";
