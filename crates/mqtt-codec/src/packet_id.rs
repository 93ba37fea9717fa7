//! Packet identifiers: what pairs a packet with its acknowledgement.

use std::fmt;
use std::num::NonZeroU16;

/// A packet identifier, 1 to 65,535 [MQTT-2.3.1-1]. The two directions of a connection number independently.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The lowest identifier.
    pub const MIN: Self = Self(NonZeroU16::MIN);

    /// None for 0, which is no identifier.
    pub const fn new(id: u16) -> Option<Self> {
        match NonZeroU16::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The one after this; 65,535 is followed by 1.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.0.checked_add(1) {
            Some(id) => Self(id),
            None => Self::MIN,
        }
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_round_without_zero() {
        assert_eq!(PacketId::new(0), None);
        assert_eq!(PacketId::MIN.get(), 1);
        assert_eq!(PacketId::MIN.next().get(), 2);
        assert_eq!(PacketId::new(65_535).unwrap().next().get(), 1);
    }
}
