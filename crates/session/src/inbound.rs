//! The QoS 2 messages from the client that are received and not released: each is taken once, however often it comes
//! (MQTT 5, 4.3.3).

use std::collections::BTreeSet;

use mqtt_codec::PacketId;

/// The identifiers that PUBREC went out for and PUBREL has not come for. This direction numbers for itself.
#[derive(Debug, Default)]
pub(crate) struct Inbound(BTreeSet<PacketId>);

impl Inbound {
    /// Those of the session before this connection.
    pub(crate) fn resume(ids: impl IntoIterator<Item = PacketId>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether a PUBLISH with this identifier came before [MQTT-4.3.3-10].
    pub(crate) fn is_received(&self, id: PacketId) -> bool {
        self.0.contains(&id)
    }

    /// The server owns the message.
    pub(crate) fn receive(&mut self, id: PacketId) {
        self.0.insert(id);
    }

    /// PUBREL: whether the identifier was received; it stands for a new message from here on [MQTT-4.3.3-12].
    pub(crate) fn release(&mut self, id: PacketId) -> bool {
        self.0.remove(&id)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
