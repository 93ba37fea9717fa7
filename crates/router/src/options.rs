//! How a subscription wants its messages.

use message::QoS;
use names::Dialect;

/// How a subscription wants its messages.
#[derive(Debug, Clone, Copy)]
pub struct SubscribeOptions {
    /// The highest QoS a delivery may have.
    pub qos: QoS,
    /// Whose rules of matching and retained messages hold.
    pub dialect: Dialect,
}
