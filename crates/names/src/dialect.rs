//! Which contract a session keeps: AWS IoT Core's MQTT or the OASIS standard's.

/// A listener speaks one dialect, and each of its sessions carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// AWS IoT Core: QoS up to 1, AWS's limits, `#` does not match its parent level, no retained messages for
    /// filters with wildcards.
    Aws,
    /// MQTT as OASIS wrote it, with configured limits only.
    Mqtt,
}
