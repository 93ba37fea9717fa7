//! A session's intents carried out: publish, subscribe, unsubscribe.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use mqtt_codec::{Packet, PacketId, SubAckCode};
use router::SubscribeOptions;
use session::{Intent, PublishIntent, RequestedFilter, Violation};
use tracing::{info, warn};

use crate::authorize::is_reserved;
use crate::deliver::Client;
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::metrics::count;
use crate::presence::{self, Event};

impl Client {
    pub(crate) fn handle(&mut self, packet: Packet, out: &mut BytesMut, now: Now) -> Progress {
        match self.session.handle(packet, now.instant, out) {
            Ok(None) => Progress::Open,
            Ok(Some(Intent::Publish(intent))) => self.publish(intent, out, now),
            Ok(Some(Intent::Subscribe { packet_id, filters })) => self.subscribe(packet_id, filters, out, now),
            Ok(Some(Intent::Unsubscribe { packet_id, filters })) => self.unsubscribe(packet_id, &filters, out, now),
            Ok(Some(Intent::Disconnect)) => Progress::Close(DisconnectReason::ClientInitiatedDisconnect),
            Err(violation) => self.violated(&violation),
        }
    }

    fn publish(&mut self, intent: PublishIntent, out: &mut BytesMut, now: Now) -> Progress {
        self.messages_received += 1;
        if is_reserved(&intent.topic, self.session.dialect()) {
            warn!(client_id = %self.session.client_id(), topic = %intent.topic, "publish to a reserved topic: closing");
            return Progress::Close(DisconnectReason::ForbiddenAccess);
        }
        if !self.authorizer.may_publish(&intent.topic, intent.retain) {
            // MQTT 3.1.1 has no word for a refused publish; AWS IoT Core closes [MQTT-3.3.5-2].
            return Progress::Close(DisconnectReason::ForbiddenAccess);
        }
        let PublishIntent { topic, payload, qos, retain, packet_id } = intent;
        let origin = Arc::clone(&self.origin);
        self.route(Message { topic, payload, qos, retain, properties: None, received_at: now.timestamp, origin });
        self.session.publish_done(packet_id, out);
        Progress::Open
    }

    fn route(&mut self, message: Message) {
        let published = self.publisher.publish(message);
        self.unsettled.extend(published.retained);
    }

    /// The will goes out as the client's own message, as far as its policies still allow it.
    pub(crate) fn publish_will(&mut self, now: Now) {
        let Some(will) = self.session.take_will() else { return };
        if !self.authorizer.may_publish(&will.topic, will.retain) {
            return;
        }
        count(&self.broker.metrics().wills);
        let origin = Arc::new(Origin { is_will: true, ..Origin::clone(&self.origin) });
        let (topic, payload, qos, retain): (TopicName, Bytes, QoS, bool) =
            (will.topic, will.payload, will.qos, will.retain);
        self.route(Message { topic, payload, qos, retain, properties: None, received_at: now.timestamp, origin });
        self.publisher.wake();
    }

    fn subscribe(
        &mut self,
        packet_id: PacketId,
        filters: Vec<RequestedFilter>,
        out: &mut BytesMut,
        now: Now,
    ) -> Progress {
        let mut granted = Vec::with_capacity(filters.len());
        let mut codes = Vec::with_capacity(filters.len());
        for requested in filters {
            let filter = requested.filter.clone();
            let code = self.subscribe_one(requested);
            if matches!(code, SubAckCode::Granted(_)) {
                granted.push(filter);
            }
            codes.push(code);
        }
        self.session.subscribe_done(packet_id, &codes, out);
        presence::parts(&granted).for_each(|topics| self.announce(&Event::Subscribed { topics }, now));
        Progress::Open
    }

    fn subscribe_one(&mut self, requested: RequestedFilter) -> SubAckCode {
        let RequestedFilter { filter, qos, over_limit } = requested;
        let dialect = self.session.dialect();
        if over_limit {
            warn!(client_id = %self.session.client_id(), filter = %filter, "too many subscriptions: refused");
            return SubAckCode::Failure;
        }
        // Basic Ingest topics reach their rule and nobody else.
        let is_ingest = filter.as_str().starts_with("$aws/rules/");
        if is_ingest || !self.authorizer.may_subscribe(filter.as_str()) {
            return SubAckCode::Failure;
        }
        let options = SubscribeOptions::plain(qos, dialect);
        self.subscriber.subscribe(filter.clone(), options);
        self.retained.extend(self.subscriber.retained(&filter, options).map(|cursor| (filter, cursor)));
        SubAckCode::Granted(qos)
    }

    fn unsubscribe(
        &mut self,
        packet_id: PacketId,
        filters: &[impl AsRef<str>],
        out: &mut BytesMut,
        now: Now,
    ) -> Progress {
        let mut ended = Vec::new();
        for filter in filters.iter().filter_map(|text| TopicFilter::new(text.as_ref()).ok()) {
            self.retained.remove(&filter); // nothing new after the UNSUBACK [MQTT-3.10.4-2]
            if self.subscriber.unsubscribe(&filter) {
                ended.push(filter);
            }
        }
        self.session.unsubscribe_done(packet_id, out);
        presence::parts(&ended).for_each(|topics| self.announce(&Event::Unsubscribed { topics }, now));
        Progress::Open
    }

    fn violated(&self, violation: &Violation) -> Progress {
        count(&self.broker.metrics().violations);
        info!(client_id = %self.session.client_id(), why = %violation, "protocol violation: closing");
        Progress::Close(DisconnectReason::ClientError)
    }
}
