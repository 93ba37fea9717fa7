//! One face for rumqttc's two clients, so that a test is written once for MQTT 3.1.1 and 5. What the client says and
//! hears is left to rumqttc; here its event loop is only turned, and its events are put into one shape.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::mqttbytes::v5 as packets5;
use rumqttc::v5::{self, mqttbytes::v5::DisconnectReasonCode};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) use packets5::{LastWillProperties, PublishProperties};

/// The versions that rumqttc speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V311,
    V5,
}

/// How a client connects: as `id`, with a clean session and without a will unless told otherwise.
#[derive(Clone)]
pub(crate) struct Options {
    version: Version,
    id: &'static str,
    expiry_seconds: Option<u32>,
    receive_max: Option<u16>,
    is_clean: bool,
    acknowledges: bool,
    will: Option<(&'static str, &'static str, u8, bool, Option<LastWillProperties>)>,
}

impl Options {
    pub(crate) fn new(version: Version, id: &'static str) -> Self {
        Self { version, id, expiry_seconds: None, receive_max: None, is_clean: true, acknowledges: true, will: None }
    }

    /// A session that outlives its connection: Clean Session 0, or in MQTT 5 Clean Start 0 and an expiry of five minutes.
    pub(crate) fn lasting(self) -> Self {
        Self { is_clean: false, expiry_seconds: Some(300), ..self }
    }

    /// Receives at QoS 1 and 2 without an answer.
    pub(crate) fn without_acknowledging(self) -> Self {
        Self { acknowledges: false, ..self }
    }

    pub(crate) fn receive_max(self, receive_max: u16) -> Self {
        Self { receive_max: Some(receive_max), ..self }
    }

    pub(crate) fn will(self, topic: &'static str, payload: &'static str, qos: u8, retain: bool) -> Self {
        Self { will: Some((topic, payload, qos, retain, None)), ..self }
    }

    pub(crate) fn will_with(self, topic: &'static str, payload: &'static str, properties: LastWillProperties) -> Self {
        Self { will: Some((topic, payload, 1, false, Some(properties))), ..self }
    }

    fn for_v311(&self, server: SocketAddr) -> rumqttc::MqttOptions {
        let mut options = rumqttc::MqttOptions::new(self.id, server.ip().to_string(), server.port());
        options.set_clean_session(self.is_clean).set_manual_acks(!self.acknowledges);
        if let Some((topic, payload, qos, retain, _)) = &self.will {
            options.set_last_will(rumqttc::LastWill::new(*topic, *payload, rumqttc::qos(*qos).unwrap(), *retain));
        }
        options
    }

    fn for_v5(&self, server: SocketAddr) -> v5::MqttOptions {
        let mut options = v5::MqttOptions::new(self.id, server.ip().to_string(), server.port());
        options.set_clean_start(self.is_clean).set_manual_acks(!self.acknowledges);
        options.set_session_expiry_interval(self.expiry_seconds).set_receive_maximum(self.receive_max);
        if let Some((topic, payload, qos, retain, properties)) = self.will.clone() {
            let qos = v5::mqttbytes::qos(qos).unwrap();
            options.set_last_will(packets5::LastWill::new(topic, payload, qos, retain, properties));
        }
        options
    }
}

/// A message as the application gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    pub(crate) properties: PublishProperties,
}

/// What a test waits for.
#[derive(Debug)]
enum Event {
    Connected {
        session_present: bool,
    },
    /// The granted QoS, or none for a refusal.
    Subscribed(Vec<Option<u8>>),
    /// PUBACK or PUBCOMP.
    Done,
    /// PUBREL, which rumqttc has answered when this comes.
    Released,
    Message(Message),
    /// The connection is over: the reason in the server's DISCONNECT, or what rumqttc says without one.
    Ended(Result<DisconnectReasonCode, String>),
}

enum Requests {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// A client whose event loop turns until its connection ends.
pub(crate) struct Client {
    requests: Requests,
    events: mpsc::Receiver<Event>,
    turning: JoinHandle<()>,
    acknowledges: bool,
    /// QoS 2 messages that the server has not released yet.
    unreleased: usize,
    /// Whether the server had a session for it.
    pub(crate) session_present: bool,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr, options: Options) -> Self {
        let acknowledges = options.acknowledges;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let (requests, turning) = match options.version {
            Version::V311 => {
                let (requests, turned) = rumqttc::AsyncClient::new(options.for_v311(server), REQUESTS_MAX);
                (Requests::V311(requests), tokio::spawn(turn_v311(turned, sender)))
            }
            Version::V5 => {
                let (requests, turned) = v5::AsyncClient::new(options.for_v5(server), REQUESTS_MAX);
                (Requests::V5(requests), tokio::spawn(turn_v5(turned, sender)))
            }
        };
        let mut client = Self { requests, events, turning, acknowledges, unreleased: 0, session_present: false };
        match client.event().await {
            Event::Connected { session_present } => client.session_present = session_present,
            other => panic!("{other:?} instead of CONNACK"),
        }
        client
    }

    /// Subscribes and checks that exactly this QoS is granted; what was retained comes after it.
    pub(crate) async fn subscribe(&mut self, filter: &str, qos: u8) {
        match &self.requests {
            Requests::V311(client) => client.subscribe(filter, rumqttc::qos(qos).unwrap()).await.unwrap(),
            Requests::V5(client) => client.subscribe(filter, v5::mqttbytes::qos(qos).unwrap()).await.unwrap(),
        }
        self.expect_granted(qos).await;
    }

    /// As [`Client::subscribe`], with a subscription identifier (MQTT 5, 3.8.2.1.2).
    pub(crate) async fn subscribe_as(&mut self, filter: &str, qos: u8, id: usize) {
        let Requests::V5(client) = &self.requests else { panic!("MQTT 3.1.1 has no properties") };
        let properties = packets5::SubscribeProperties { id: Some(id), user_properties: Vec::new() };
        client.subscribe_with_properties(filter, v5::mqttbytes::qos(qos).unwrap(), properties).await.unwrap();
        self.expect_granted(qos).await;
    }

    async fn expect_granted(&mut self, qos: u8) {
        match self.event().await {
            Event::Subscribed(granted) => assert_eq!(granted, [Some(qos)]),
            other => panic!("{other:?} instead of SUBACK"),
        }
    }

    /// Publishes; at QoS 1 and 2 the answer has to be awaited with [`Client::done`].
    pub(crate) async fn publish(&self, topic: &str, qos: u8, retain: bool, payload: &str) {
        let payload = payload.to_owned();
        match &self.requests {
            Requests::V311(client) => {
                client.publish(topic, rumqttc::qos(qos).unwrap(), retain, payload).await.unwrap();
            }
            Requests::V5(client) => {
                client.publish(topic, v5::mqttbytes::qos(qos).unwrap(), retain, payload).await.unwrap();
            }
        }
    }

    pub(crate) async fn publish_with(&self, topic: &str, qos: u8, payload: &str, properties: PublishProperties) {
        let Requests::V5(client) = &self.requests else { panic!("MQTT 3.1.1 has no properties") };
        let qos = v5::mqttbytes::qos(qos).unwrap();
        client.publish_with_properties(topic, qos, false, payload.to_owned(), properties).await.unwrap();
    }

    /// Waits for PUBACK or PUBCOMP.
    pub(crate) async fn done(&mut self) {
        match self.event().await {
            Event::Done => {}
            other => panic!("{other:?} instead of an acknowledgement"),
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        match self.event().await {
            Event::Message(message) => message,
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The next message if one comes in time.
    pub(crate) async fn message_within(&mut self, time: Duration) -> Option<Message> {
        timeout(time, self.message()).await.ok()
    }

    /// Waits until the connection ended; answers the reason in the server's DISCONNECT, or what rumqttc says otherwise.
    pub(crate) async fn ended(mut self) -> Result<DisconnectReasonCode, String> {
        match self.event().await {
            Event::Ended(reason) => reason,
            other => panic!("{other:?} instead of the end"),
        }
    }

    /// Ends with DISCONNECT, after what it received at QoS 2 is done with: another client of rumqttc does not know of it,
    /// and takes the rest of the exchange for an error.
    pub(crate) async fn disconnect(mut self) {
        while self.acknowledges && self.unreleased > 0 {
            let event = self.any_event().await;
            assert!(matches!(event, Event::Released), "{event:?} instead of PUBREL");
        }
        match &self.requests {
            Requests::V311(client) => client.disconnect().await.unwrap(),
            Requests::V5(client) => client.disconnect().await.unwrap(),
        }
        assert!(self.ended().await.is_err(), "the server has nothing to say after DISCONNECT");
    }

    /// Ends without DISCONNECT, as a process that is killed does.
    pub(crate) async fn vanish(self) {
        self.turning.abort();
        let _ = self.turning.await;
    }

    /// The next event that a test asks for.
    async fn event(&mut self) -> Event {
        loop {
            match self.any_event().await {
                Event::Released => continue,
                other => return other,
            }
        }
    }

    async fn any_event(&mut self) -> Event {
        let event = timeout(ANSWER, self.events.recv()).await.expect("nothing came").expect("the event loop ended");
        match &event {
            Event::Message(message) if message.qos == 2 => self.unreleased += 1,
            Event::Released => self.unreleased = self.unreleased.checked_sub(1).expect("PUBREL of no message"),
            _ => {}
        }
        event
    }
}

async fn turn_v311(mut turned: rumqttc::EventLoop, events: mpsc::Sender<Event>) {
    use rumqttc::{Packet, SubscribeReasonCode};
    loop {
        let event = match turned.poll().await {
            Ok(rumqttc::Event::Incoming(Packet::ConnAck(connack))) => {
                Event::Connected { session_present: connack.session_present }
            }
            Ok(rumqttc::Event::Incoming(Packet::SubAck(suback))) => {
                let granted = suback.return_codes.iter().map(|code| match code {
                    SubscribeReasonCode::Success(qos) => Some(*qos as u8),
                    SubscribeReasonCode::Failure => None,
                });
                Event::Subscribed(granted.collect())
            }
            Ok(rumqttc::Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => Event::Done,
            Ok(rumqttc::Event::Incoming(Packet::PubRel(_))) => Event::Released,
            Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => Event::Message(Message {
                topic: publish.topic,
                payload: text(&publish.payload),
                qos: publish.qos as u8,
                retain: publish.retain,
                dup: publish.dup,
                properties: PublishProperties::default(),
            }),
            Ok(_) => continue,
            Err(error) => Event::Ended(Err(error.to_string())),
        };
        let is_over = matches!(event, Event::Ended(..));
        if events.send(event).await.is_err() || is_over {
            return;
        }
    }
}

async fn turn_v5(mut turned: v5::EventLoop, events: mpsc::Sender<Event>) {
    use packets5::{Packet, SubscribeReasonCode};
    use v5::{ConnectionError, StateError};
    loop {
        let event = match turned.poll().await {
            Ok(v5::Event::Incoming(Packet::ConnAck(connack))) => {
                Event::Connected { session_present: connack.session_present }
            }
            Ok(v5::Event::Incoming(Packet::SubAck(suback))) => {
                let granted = suback.return_codes.iter().map(|code| match code {
                    SubscribeReasonCode::Success(qos) => Some(*qos as u8),
                    _ => None,
                });
                Event::Subscribed(granted.collect())
            }
            Ok(v5::Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => Event::Done,
            Ok(v5::Event::Incoming(Packet::PubRel(_))) => Event::Released,
            Ok(v5::Event::Incoming(Packet::Publish(publish))) => Event::Message(Message {
                topic: text(&publish.topic),
                payload: text(&publish.payload),
                qos: publish.qos as u8,
                retain: publish.retain,
                dup: publish.dup,
                properties: publish.properties.unwrap_or_default(),
            }),
            Ok(_) => continue,
            Err(ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. })) => {
                Event::Ended(Ok(reason_code))
            }
            Err(error) => Event::Ended(Err(error.to_string())),
        };
        let is_over = matches!(event, Event::Ended(..));
        if events.send(event).await.is_err() || is_over {
            return;
        }
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const ANSWER: Duration = Duration::from_secs(10);
const REQUESTS_MAX: usize = 10;
/// More than any test leaves unread.
const EVENTS_MAX: usize = 2000;
