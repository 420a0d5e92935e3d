//! The server's limits, with the values that fit a department's service.

use std::time::Duration;

/// What one server allows, and how long it waits. Every value has a default that fits a department's service.
///
/// The longest message is not among them: tonic checks it in each generated service, which sets it when it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Calls that run at the same time; one more is answered `RESOURCE_EXHAUSTED` at once.
    pub concurrent_calls: usize,
    /// Connections that are open at the same time; one more waits to be accepted.
    pub connections: usize,
    /// Calls of one caller that run at the same time, over all its connections.
    pub calls_per_caller: usize,
    /// Calls of one caller that stream at the same time: feeds and uploads.
    pub streams_per_caller: usize,
    /// Connections of one caller that are open at the same time; one more is closed at once.
    pub connections_per_caller: usize,
    /// Questions that one caller may ask in an hour; 0 for any number.
    pub questions_per_hour: u32,
    /// Streams that one connection may have open at the same time.
    pub streams_per_connection: u32,
    /// Longest list of request headers, in bytes.
    pub header_bytes: u32,
    /// Time of a call of a unary method whose caller names none.
    pub default_deadline: Duration,
    /// Longest time of any call, whatever its caller asks; time of a streaming call whose caller names none.
    pub longest_deadline: Duration,
    /// Time in which a reader must take something of an answer that waits for it; what it does not take is not made, and
    /// its place is another call's.
    pub stall: Duration,
    /// Time in which a peer must finish the TLS handshake.
    pub handshake: Duration,
    /// Time after the handshake in which a peer must begin its first call.
    pub first_call: Duration,
    /// Age at which a connection is asked to close, so that callers spread over replicas and renew their identity.
    pub connection_age: Duration,
    /// Time which calls on such a connection have to finish before it is cut.
    pub connection_grace: Duration,
    /// Silence after which a connection is probed.
    pub keepalive: Duration,
    /// Time in which a probe must be answered.
    pub keepalive_timeout: Duration,
    /// Time between health turning `NOT_SERVING` and the listener closing, in which callers take notice.
    pub notice: Duration,
    /// Time which running calls have to finish when the server stops; what still runs then is cut.
    pub drain: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            concurrent_calls: 1_024,
            connections: 4_096,
            calls_per_caller: 512,
            streams_per_caller: 64,
            connections_per_caller: 1_024,
            questions_per_hour: 0,
            streams_per_connection: 256,
            header_bytes: 16 * 1024,
            default_deadline: Duration::from_secs(30),
            longest_deadline: Duration::from_mins(15),
            stall: Duration::from_mins(1),
            handshake: Duration::from_secs(10),
            first_call: Duration::from_secs(30),
            connection_age: Duration::from_mins(30),
            connection_grace: Duration::from_mins(1),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            notice: Duration::from_secs(2),
            drain: Duration::from_secs(20),
        }
    }
}

impl ServerConfig {
    /// Drops the waiting that only a load balancer needs: for tests and for the demo, where nobody balances.
    #[must_use]
    pub fn without_notice(mut self) -> Self {
        self.notice = Duration::ZERO;
        self
    }
}
