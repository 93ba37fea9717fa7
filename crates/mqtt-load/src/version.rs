//! The two versions of MQTT that are spoken.

use clap::ValueEnum;

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Version {
    /// MQTT 3.1.1
    #[value(name = "3.1.1")]
    V311,
    /// MQTT 5.0
    #[value(name = "5")]
    V5,
}

impl Version {
    /// The protocol level in CONNECT (MQTT 3.1.1, 3.1.2.2; MQTT 5, 3.1.2.2).
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::V311 => 4,
            Self::V5 => 5,
        }
    }

    /// The name that users type and reports carry.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V311 => "3.1.1",
            Self::V5 => "5",
        }
    }
}
