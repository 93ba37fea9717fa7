//! How a subscription wants its messages (MQTT 5, 3.8.3.1; a subscription of MQTT 3.1.1 is one without options).

use names::Dialect;

use crate::QoS;

/// How a subscription wants its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The highest QoS a delivery may have.
    pub qos: QoS,
    /// Whether messages that the same client publishes are left out [MQTT-3.8.3-3].
    pub no_local: bool,
    /// Whether live messages keep the RETAIN flag that they were published with [MQTT-3.3.1-13].
    pub retain_as_published: bool,
    /// Whether subscribing sends the retained messages.
    pub retain_handling: RetainHandling,
    /// Goes with every message that matched, 1 to 268,435,455 [MQTT-3.3.4-3].
    pub subscription_id: Option<u32>,
    /// Whose rules of matching and retained messages hold.
    pub dialect: Dialect,
}

/// Whether subscribing sends the retained messages (MQTT 5, 3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: always [MQTT-3.3.1-9].
    Send = 0,
    /// 1: when the subscription is new [MQTT-3.3.1-10].
    SendIfNew = 1,
    /// 2: never [MQTT-3.3.1-11].
    DoNotSend = 2,
}

impl RetainHandling {
    /// From the two bits on the wire; 3 is a protocol error.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Send),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DoNotSend),
            _ => None,
        }
    }

    /// The two bits on the wire.
    pub const fn bits(self) -> u8 {
        self as u8
    }
}

impl SubscribeOptions {
    /// What a client of MQTT 3.1.1 or a service inside the house asks for: everything at this QoS.
    pub const fn plain(qos: QoS, dialect: Dialect) -> Self {
        Self {
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
            subscription_id: None,
            dialect,
        }
    }
}
