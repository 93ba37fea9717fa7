//! What ends a run, in words for the person who started it.

use std::io;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The options contradict each other, or name what is not there.
    #[error("{0}")]
    Setting(String),
    /// A client's connection failed.
    #[error("client {client}: {failure}")]
    Client {
        /// Its client identifier.
        client: String,
        /// What happened to it.
        failure: Failure,
    },
    /// Nothing happened for too long.
    #[error("stalled: no {awaited} for {seconds} s; {missing}")]
    Stalled {
        /// What should have come.
        awaited: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// What is still missing.
        missing: String,
    },
    /// Stopped by the user before there was a figure.
    #[error("stopped before anything was measured")]
    Stopped,
    /// The operating system does not wait for our sockets.
    #[error("cannot wait for sockets: {0}")]
    Poll(#[from] io::Error),
}

/// What happened to one client's connection.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It could not be made.
    #[error("cannot connect to {address}: {source}{}", hint(source))]
    Unreachable {
        /// The broker's address.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is open, and nobody is there.
    #[error("the broker does not answer any more")]
    Silent,
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// The broker closed it.
    #[error("the broker closed the connection{}", before(*accepted))]
    Closed {
        /// Whether the broker had accepted the client.
        accepted: bool,
    },
    /// TLS failed.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// The upgrade to WebSocket failed.
    #[error("WebSocket: {0}")]
    WebSocket(String),
    /// CONNACK with a code of refusal.
    #[error("the broker refused CONNECT: {words} (code {code})")]
    Refused {
        /// Return or reason code.
        code: u8,
        /// Its meaning.
        words: &'static str,
    },
    /// SUBACK with a code of refusal.
    #[error("the broker refused the subscription to {filter}: {words} (code {code})")]
    SubscriptionRefused {
        /// The filter, or the first of a packet's.
        filter: String,
        /// Return or reason code.
        code: u8,
        /// Its meaning.
        words: &'static str,
    },
    /// SUBACK with less than what was asked for.
    #[error("the broker grants QoS {granted} where QoS {asked} was asked for; use --qos {granted}")]
    LowerQos {
        /// What it grants.
        granted: u8,
        /// What was asked for.
        asked: u8,
    },
    /// PUBACK, PUBREC or PUBCOMP with a reason code of failure.
    #[error("the broker refused a publish: {words} (code {code})")]
    PublishRefused {
        /// Reason code.
        code: u8,
        /// Its meaning.
        words: &'static str,
    },
    /// DISCONNECT from the broker (MQTT 5).
    #[error("the broker disconnected the client: {words} (code {code})")]
    Disconnected {
        /// Reason code.
        code: u8,
        /// Its meaning.
        words: &'static str,
    },
    /// What came is no MQTT.
    #[error("what the broker sends is not MQTT {0}")]
    Malformed(&'static str),
}

fn before(accepted: bool) -> &'static str {
    if accepted { "" } else { " before it answered CONNECT: is TLS, a certificate, or a password missing or too much?" }
}

/// What helps where the system's words do not.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => ": is the broker running there?",
        io::ErrorKind::AddrNotAvailable => ": too many connections from this machine",
        _ if source.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => ": raise it with `ulimit -n`",
        _ => "",
    }
}

/// EMFILE on Linux and the BSDs.
const TOO_MANY_OPEN_FILES: i32 = 24;
