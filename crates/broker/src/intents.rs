//! A session's intents carried out: publish, subscribe, unsubscribe, and what the client acknowledges.

use std::sync::Arc;

use bytes::BytesMut;
use message::{BASIC_INGEST_PREFIX, Message, QoS, RetainHandling, SubscribeOptions, TopicFilter};
use mqtt_codec::{Packet, PacketId, Protocol, ReasonCode};
use names::Dialect;
use session::{Intent, PublishIntent, RequestedFilter, Violation};
use store::StoreError;
use tracing::{info, warn};

use crate::authorize::is_reserved;
use crate::client::Client;
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::metrics::count;
use crate::presence::{self, Event};
use crate::unsettled::Unsettled;

impl Client {
    pub(crate) fn handle(&mut self, packet: Packet, out: &mut BytesMut, now: Now) -> Progress {
        match self.session.handle(packet, now.instant, out) {
            Ok(None) => Progress::Open,
            Ok(Some(Intent::Publish(intent))) => self.publish(intent, out, now),
            Ok(Some(Intent::Acknowledged(packet_id))) => self.acknowledged(packet_id),
            Ok(Some(Intent::Received(packet_id))) => self.received_by_client(packet_id),
            Ok(Some(Intent::Released(packet_id))) => self.released(packet_id),
            Ok(Some(Intent::Subscribe { packet_id, filters })) => self.subscribe(packet_id, filters, out, now),
            Ok(Some(Intent::Unsubscribe { packet_id, filters })) => self.unsubscribe(packet_id, filters, out, now),
            Ok(Some(Intent::Disconnect)) => Progress::Close(DisconnectReason::ClientInitiatedDisconnect),
            Err(violation) => self.violated(&violation),
        }
    }

    fn publish(&mut self, intent: PublishIntent, out: &mut BytesMut, now: Now) -> Progress {
        self.messages_received += 1;
        let is_reserved = is_reserved(&intent.topic, self.session.dialect());
        if is_reserved {
            warn!(client_id = %self.session.client_id(), topic = %intent.topic, "publish to a reserved topic: refused");
        }
        if is_reserved || !self.authorizer.may_publish(&intent.topic, intent.retain) {
            return self.refuse_publish(&intent, out);
        }
        let PublishIntent { topic, payload, qos, retain, properties, packet_id } = intent;
        let origin = Arc::clone(&self.origin);
        let message = Message { topic, payload, qos, retain, properties, received_at: now.timestamp, origin };
        let published = self.publisher.publish(message);
        let mut received = packet_id.filter(|_| qos == QoS::ExactlyOnce);
        if published.handled.is_empty()
            && let (Some(packet_id), Some(stored)) = (received.take(), &self.stored)
        {
            self.publisher.receive(stored.id, packet_id.get());
        }
        self.unsettled.extend(Unsettled::of(published, received));
        if self.publisher.must_flush() {
            self.flush();
        }
        self.session.publish_done(packet_id, qos, ReasonCode::Success, out);
        Progress::Open
    }

    /// MQTT 5 has a word for a refused message of QoS 1 and 2, and the connection stays. For all others there is none,
    /// and AWS IoT Core closes [MQTT-3.3.5-2].
    fn refuse_publish(&mut self, intent: &PublishIntent, out: &mut BytesMut) -> Progress {
        if self.session.protocol() == Protocol::V5 && intent.qos > QoS::AtMostOnce {
            self.session.publish_done(intent.packet_id, intent.qos, ReasonCode::NotAuthorized, out);
            return Progress::Open;
        }
        Progress::Close(DisconnectReason::ForbiddenAccess)
    }

    fn acknowledged(&mut self, packet_id: PacketId) -> Progress {
        if let Some(outstanding) = self.outstanding.remove(&packet_id) {
            if let (Some(seq), Some(stored)) = (outstanding.seq, &mut self.stored) {
                stored.acknowledge(seq);
            }
            outstanding.delivery.iter().for_each(router::Delivery::confirm);
        }
        Progress::Open
    }

    fn received_by_client(&mut self, packet_id: PacketId) -> Progress {
        if let Some(outstanding) = self.outstanding.get_mut(&packet_id) {
            outstanding.is_received = true;
            if let (Some(seq), Some(stored)) = (outstanding.seq, &mut self.stored) {
                stored.release(seq, packet_id);
            }
        }
        Progress::Open
    }

    fn released(&mut self, packet_id: PacketId) -> Progress {
        if let Some(stored) = &mut self.stored {
            stored.forget(packet_id);
        }
        Progress::Open
    }

    fn subscribe(
        &mut self,
        packet_id: PacketId,
        filters: Vec<RequestedFilter>,
        out: &mut BytesMut,
        now: Now,
    ) -> Progress {
        let mut granted: Vec<(TopicFilter, SubscribeOptions)> = Vec::with_capacity(filters.len());
        let mut reasons = Vec::with_capacity(filters.len());
        for requested in filters {
            let reason = self.subscribe_one(&requested);
            if let Some(filter) = requested.filter.filter(|_| !reason.is_error()) {
                granted.push((filter, requested.options));
            }
            reasons.push(reason);
        }
        let stored = match self.store_subscriptions(&granted) {
            Err(StoreError::TooLarge(_)) => self.store_one_by_one(&mut granted, &mut reasons),
            stored => stored,
        };
        if let Err(error) = stored {
            warn!(client_id = %self.session.client_id(), %error, "subscriptions cannot be stored: closing");
            return Progress::Close(DisconnectReason::ServerError);
        }
        let is_written = self.session.subscribe_done(packet_id, &reasons, out);
        let topics: Vec<TopicFilter> = granted.into_iter().map(|(filter, _)| filter).collect();
        presence::parts(&topics).for_each(|topics| self.announce(&Event::Subscribed { topics }, now));
        if is_written { Progress::Open } else { self.answer_too_large() }
    }

    /// Some of the filters cannot be kept: only those are refused. One that the session has already always can be, so that
    /// what the disk has and what the router knows stay the same.
    fn store_one_by_one(
        &mut self,
        granted: &mut Vec<(TopicFilter, SubscribeOptions)>,
        reasons: &mut [ReasonCode],
    ) -> Result<(), StoreError> {
        let mut kept = Vec::with_capacity(granted.len());
        let answers = reasons.iter_mut().filter(|reason| !reason.is_error());
        for (subscription, reason) in granted.drain(..).zip(answers) {
            match self.store_subscriptions(std::slice::from_ref(&subscription)) {
                Ok(()) => kept.push(subscription),
                Err(StoreError::TooLarge(why)) => {
                    warn!(client_id = %self.session.client_id(), why, "subscription refused");
                    self.forget_subscription(&subscription.0);
                    *reason = ReasonCode::QuotaExceeded;
                }
                Err(error) => return Err(error),
            }
        }
        *granted = kept;
        Ok(())
    }

    fn forget_subscription(&mut self, filter: &TopicFilter) {
        self.retained.remove(filter);
        self.subscriber.unsubscribe(filter);
    }

    fn store_subscriptions(&mut self, granted: &[(TopicFilter, SubscribeOptions)]) -> Result<(), StoreError> {
        let Some(stored) = &self.stored else { return Ok(()) };
        if granted.is_empty() {
            return Ok(());
        }
        let ticket = self.broker.router().sessions().subscribe(self.session.client_id(), stored.id, granted)?;
        self.unsettled.push(Unsettled::Session(ticket));
        Ok(())
    }

    fn subscribe_one(&mut self, requested: &RequestedFilter) -> ReasonCode {
        let RequestedFilter { filter: Some(filter), options, refused: None } = requested else {
            let reason = requested.refused.unwrap_or(ReasonCode::TopicFilterInvalid);
            let filter = requested.filter.as_ref().map(TopicFilter::as_str).unwrap_or_default();
            warn!(client_id = %self.session.client_id(), filter, why = %reason, "subscription refused");
            return reason;
        };
        // Basic Ingest topics reach their rule and nobody else.
        let is_ingest = filter.as_str().starts_with(BASIC_INGEST_PREFIX);
        if is_ingest || !self.authorizer.may_subscribe(filter.as_str()) {
            return ReasonCode::NotAuthorized;
        }
        let is_new = self.subscriber.subscribe(filter.clone(), *options);
        let sends_retained = match options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        if sends_retained {
            let owed = self.subscriber.retained(filter, *options);
            self.retained.extend(owed.map(|cursor| (filter.clone(), cursor)));
        }
        ReasonCode::granted(options.qos)
    }

    fn unsubscribe(
        &mut self,
        packet_id: PacketId,
        filters: Vec<Option<TopicFilter>>,
        out: &mut BytesMut,
        now: Now,
    ) -> Progress {
        let mut ended = Vec::new();
        let mut reasons = Vec::with_capacity(filters.len());
        for filter in filters {
            let Some(filter) = filter else {
                reasons.push(ReasonCode::TopicFilterInvalid);
                continue;
            };
            self.retained.remove(&filter); // nothing new after the UNSUBACK [MQTT-3.10.4-2]
            let was_subscribed = self.subscriber.unsubscribe(&filter);
            // AWS IoT Core has no word for a subscription that was not there (developer guide, mqtt).
            let is_told = !was_subscribed && self.session.dialect() == Dialect::Mqtt;
            reasons.push(if is_told { ReasonCode::NoSubscriptionExisted } else { ReasonCode::Success });
            if was_subscribed {
                ended.push(filter);
            }
        }
        if let Err(error) = self.store_unsubscriptions(&ended) {
            warn!(client_id = %self.session.client_id(), %error, "subscriptions cannot be removed: closing");
            return Progress::Close(DisconnectReason::ServerError);
        }
        let is_written = self.session.unsubscribe_done(packet_id, &reasons, out);
        presence::parts(&ended).for_each(|topics| self.announce(&Event::Unsubscribed { topics }, now));
        if is_written { Progress::Open } else { self.answer_too_large() }
    }

    fn store_unsubscriptions(&mut self, ended: &[TopicFilter]) -> Result<(), StoreError> {
        let Some(stored) = &self.stored else { return Ok(()) };
        if ended.is_empty() {
            return Ok(());
        }
        let ticket = self.broker.router().sessions().unsubscribe(self.session.client_id(), stored.id, ended)?;
        self.unsettled.push(Unsettled::Session(ticket));
        Ok(())
    }

    /// The client wants no packet as large as the answer that it asked for [MQTT-3.1.2-24].
    fn answer_too_large(&mut self) -> Progress {
        let why = "the answer is larger than the client takes".to_owned();
        self.last_words = Some(Box::new((ReasonCode::PacketTooLarge, why)));
        Progress::Close(DisconnectReason::ClientError)
    }

    pub(crate) fn violated(&mut self, violation: &Violation) -> Progress {
        count(&self.broker.metrics().violations);
        info!(client_id = %self.session.client_id(), why = %violation, "protocol violation: closing");
        self.last_words = Some(Box::new((violation.reason(), violation.to_string())));
        Progress::Close(DisconnectReason::ClientError)
    }
}
