//! What a connected client asks for: PUBLISH, SUBSCRIBE and UNSUBSCRIBE become intents, and the broker's decisions
//! become answers.

use std::sync::Arc;

use bytes::BytesMut;
use bytestring::ByteString;

use message::{Properties, QoS, SharedFilter, SubscribeOptions, TopicFilter};
use mqtt_codec::{
    PacketId, PacketType, Protocol, Publish, ReasonCode, RequestedOptions, Subscribe, Unsubscribe, encode_ack,
    encode_suback, encode_unsuback,
};
use names::Dialect;

use crate::connect::fits;
use crate::connected::Connected;
use crate::intent::{Intent, PublishIntent, RequestedFilter};
use crate::{Violation, checks};

impl Connected {
    /// The broker has the message: nothing at QoS 0, PUBACK at QoS 1, PUBREC at QoS 2 [MQTT-3.3.4-1]. It may have
    /// refused it with a `reason`, which only a client of MQTT 5 can be told; the identifier is free again then
    /// [MQTT-4.3.3-9].
    pub fn publish_done(&mut self, packet_id: Option<PacketId>, qos: QoS, reason: ReasonCode, out: &mut BytesMut) {
        let Some(packet_id) = packet_id else { return };
        let answer = if qos == QoS::ExactlyOnce { PacketType::PubRec } else { PacketType::PubAck };
        if qos == QoS::ExactlyOnce && !reason.is_error() {
            self.inbound.receive(packet_id);
        }
        encode_ack(answer, packet_id, reason, self.protocol, out);
    }

    /// The broker has decided on a SUBSCRIBE: one code for each filter, in their order [MQTT-3.8.4-6]. False when the
    /// client does not take a packet as large as the answer.
    #[must_use]
    pub fn subscribe_done(&mut self, packet_id: PacketId, reasons: &[ReasonCode], out: &mut BytesMut) -> bool {
        self.subscriptions.answered(packet_id, reasons);
        self.write_if_it_fits(out, |protocol, out| encode_suback(packet_id, reasons, protocol, out))
    }

    /// The broker has removed what there was to remove: one code for each filter [MQTT-3.11.3-1]. False when the client
    /// does not take a packet as large as the answer.
    #[must_use]
    pub fn unsubscribe_done(&mut self, packet_id: PacketId, reasons: &[ReasonCode], out: &mut BytesMut) -> bool {
        self.write_if_it_fits(out, |protocol, out| encode_unsuback(packet_id, reasons, protocol, out))
    }

    /// A subscription that the session had before this connection counts towards its limit.
    pub fn hold_subscription(&mut self, filter: TopicFilter) {
        self.subscriptions.hold(filter);
    }

    pub(crate) fn publish(&mut self, publish: Publish, out: &mut BytesMut) -> Result<Option<Intent>, Violation> {
        let Publish { qos, retain, topic, topic_alias, packet_id, payload, mut properties, subscription_ids, .. } =
            publish;
        if qos == QoS::ExactlyOnce && self.dialect() == Dialect::Aws {
            return Err(Violation::QosNotSupported { packet_type: PacketType::Publish, qos });
        }
        if !subscription_ids.is_empty() {
            return Err(Violation::SubscriptionIdentifierInPublish);
        }
        let topic = self.client_aliases.resolve(topic, topic_alias, self.quotas.topic_alias_max)?;
        if let Some(packet_id) = packet_id.filter(|_| qos == QoS::ExactlyOnce) {
            if self.inbound.is_received(packet_id) {
                encode_ack(PacketType::PubRec, packet_id, ReasonCode::Success, self.protocol, out);
                return Ok(None);
            }
            let max = self.quotas.receive_max;
            if self.protocol == Protocol::V5 && self.inbound.count() >= usize::from(max) {
                return Err(Violation::ReceiveMaximumExceeded { max });
            }
        }
        checks::check_publish(&topic, &payload, retain, properties.as_deref(), &self.quotas)?;
        if let Some(properties) = &mut properties {
            self.bound_expiry(properties);
        }
        Ok(Some(Intent::Publish(PublishIntent { topic, payload, qos, retain, properties, packet_id })))
    }

    /// AWS IoT Core takes 0 for 1 and lowers what is above its quota (developer guide, mqtt).
    fn bound_expiry(&self, properties: &mut Arc<Properties>) {
        let max = self.quotas.message_expiry_seconds_max;
        let min = if self.dialect() == Dialect::Aws { 1 } else { 0 };
        if let Some(asked) = properties.expiry_seconds.filter(|&asked| asked < min || asked > max) {
            Arc::make_mut(properties).expiry_seconds = Some(asked.clamp(min, max));
        }
    }

    pub(crate) fn subscribe(&mut self, subscribe: Subscribe) -> Result<Intent, Violation> {
        let Subscribe { packet_id, subscription_id, filters, user_properties_bytes } = subscribe;
        let (count, max) = (filters.len(), self.quotas.filters_per_subscribe_max);
        if count > max {
            return Err(Violation::TooManyFilters { filters: count, max });
        }
        if subscription_id.is_some() && self.dialect() == Dialect::Aws {
            return Err(Violation::SubscriptionIdentifier);
        }
        checks::check_user_properties(user_properties_bytes, &self.quotas)?;
        let check = |(text, asked): &(ByteString, RequestedOptions)| self.requested(text, *asked, subscription_id);
        let mut filters = filters.iter().map(check).collect::<Result<Vec<_>, _>>()?;
        let valid = filters.iter().map(|requested| requested.filter.as_ref());
        let over_limit = self.subscriptions.ask(packet_id, valid);
        for (requested, over_limit) in filters.iter_mut().zip(over_limit) {
            if over_limit {
                requested.refused.get_or_insert(ReasonCode::QuotaExceeded);
            }
        }
        Ok(Intent::Subscribe { packet_id, filters })
    }

    /// AWS closes on QoS 2; the standard serves it.
    fn requested(
        &self,
        text: &str,
        asked: RequestedOptions,
        subscription_id: Option<u32>,
    ) -> Result<RequestedFilter, Violation> {
        let RequestedOptions { qos, no_local, retain_as_published, retain_handling } = asked;
        let dialect = self.dialect();
        if dialect == Dialect::Aws && qos == QoS::ExactlyOnce {
            return Err(Violation::QosNotSupported { packet_type: PacketType::Subscribe, qos });
        }
        let options =
            SubscribeOptions { qos, no_local, retain_as_published, retain_handling, subscription_id, dialect };
        let refused = |reason| Ok(RequestedFilter { filter: None, options, refused: Some(reason) });
        // A client of MQTT 5 is told of each filter; one of 3.1.1 is closed, as for every offence.
        let filter = match TopicFilter::new(text) {
            Ok(filter) => filter,
            Err(_) if self.protocol == Protocol::V5 => return refused(ReasonCode::TopicFilterInvalid),
            Err(error) => return Err(error.into()),
        };
        match SharedFilter::parse(text) {
            Ok(Some(_)) if no_local => return Err(Violation::NoLocalOnShared),
            Ok(Some(shared)) if shared.share_name.chars().count() > self.quotas.share_name_characters_max => {
                return refused(ReasonCode::TopicFilterInvalid);
            }
            Ok(_) => {}
            Err(_) => return refused(ReasonCode::TopicFilterInvalid),
        }
        checks::check_filter(&filter, &self.quotas)?;
        Ok(RequestedFilter { filter: Some(filter), options, refused: None })
    }

    pub(crate) fn unsubscribe(&mut self, unsubscribe: Unsubscribe) -> Result<Intent, Violation> {
        let Unsubscribe { packet_id, filters, user_properties_bytes } = unsubscribe;
        checks::check_user_properties(user_properties_bytes, &self.quotas)?;
        let read = |text: &ByteString| match TopicFilter::new(text) {
            Ok(filter) => Ok(Some(filter)),
            Err(_) if self.protocol == Protocol::V5 => Ok(None),
            Err(error) => Err(Violation::from(error)),
        };
        let filters = filters.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        filters.iter().flatten().for_each(|filter| self.subscriptions.remove(filter));
        Ok(Intent::Unsubscribe { packet_id, filters })
    }

    fn write_if_it_fits(&self, out: &mut BytesMut, write: impl FnOnce(Protocol, &mut BytesMut)) -> bool {
        let before = out.len();
        write(self.protocol, out);
        let fits = fits(out.len() - before, self.packet_bytes_max);
        if !fits {
            out.truncate(before);
        }
        fits
    }
}
