//! One client of the broker: answers what MQTT wants answered, and tells the scenario what matters to it.

use std::io::ErrorKind;
use std::net::SocketAddr;

use mio::Registry;

use crate::endpoint::{Endpoint, Login};
use crate::error::Failure;
use crate::inbound::{self, Accepted, Frame, Malformed, next_frame};
use crate::outbound::{self, Connect};
use crate::reason::{connack_words, reason_words};
use crate::socket::Socket;
use crate::{LoadError, Version};

/// A client of the broker under load.
pub struct Link {
    client_id: String,
    version: Version,
    address: SocketAddr,
    socket: Socket,
    /// What is to be sent; the first `sent` bytes of it have been.
    out: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    accepted: Option<Accepted>,
    /// SUBACKs that came.
    subacks: usize,
    /// The first filter that was last subscribed to, and the QoS.
    asked: (String, u8),
    failure: Option<Failure>,
    /// Reads nothing: a client that has stopped listening.
    is_paused: bool,
    /// A PINGREQ went out and nothing came since.
    awaits_pingresp: bool,
    last_packet_id: u16,
}

/// What a scenario counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// A PUBLISH; its acknowledgement is written already.
    Message {
        /// Its topic.
        topic: &'a [u8],
        /// Its payload.
        payload: &'a [u8],
    },
    /// A publish of this client is done: PUBACK, or PUBCOMP at QoS 2.
    Acknowledged,
}

impl Link {
    /// Begins to connect; CONNECT goes out when the socket is ready.
    ///
    /// # Errors
    /// [`Failure`]: the operating system refuses the socket at once.
    pub(crate) fn open(
        endpoint: &Endpoint,
        registry: &Registry,
        token: usize,
        login: Login<'_>,
    ) -> Result<Self, Failure> {
        let socket = Socket::open(endpoint, registry, token)?;
        let mut out = Vec::new();
        let connect = Connect {
            version: endpoint.version,
            client_id: login.client_id,
            is_clean: login.is_clean,
            keep_alive_seconds: endpoint.keep_alive_seconds,
            user_name: endpoint.user_name.as_deref(),
            password: endpoint.password.as_deref(),
        };
        outbound::write_connect(&connect, &mut out);
        Ok(Self {
            client_id: login.client_id.to_owned(),
            version: endpoint.version,
            address: endpoint.address,
            socket,
            out,
            sent: 0,
            received: Vec::new(),
            accepted: None,
            subacks: 0,
            asked: (String::new(), 0),
            failure: None,
            is_paused: false,
            awaits_pingresp: false,
            last_packet_id: 0,
        })
    }

    /// Whether CONNACK came and accepts.
    pub fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// SUBACKs that came.
    pub fn subacks(&self) -> usize {
        self.subacks
    }

    /// Whether the connection ended or was refused.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why it ended, once.
    pub fn take_failure(&mut self) -> Option<LoadError> {
        let failure = self.failure.take()?;
        Some(LoadError::Client { client: self.client_id.clone(), failure })
    }

    /// Messages above QoS 0 that may be unacknowledged at a time.
    pub(crate) fn receive_maximum(&self) -> usize {
        self.accepted.map_or(0, |accepted| usize::from(accepted.receive_maximum))
    }

    /// Stops listening: what comes stays in the socket.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Bytes that the socket did not take yet.
    pub fn unsent_bytes(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Writes a SUBSCRIBE of all filters at one QoS.
    pub fn subscribe<S: AsRef<str>>(&mut self, filters: &[S], qos: u8) {
        self.asked = (filters.first().map(|filter| filter.as_ref().to_owned()).unwrap_or_default(), qos);
        let packet_id = self.next_packet_id();
        outbound::write_subscribe(self.version, packet_id, filters, qos, &mut self.out);
    }

    /// Writes a PUBLISH. A QoS that the broker does not take ends the link (MQTT 5, 3.2.2.3.4).
    pub fn publish(&mut self, qos: u8, topic: &[u8], payload: &[u8]) {
        if let Some(Accepted { maximum_qos: granted, .. }) = self.accepted.filter(|accepted| accepted.maximum_qos < qos)
        {
            self.fail(Failure::LowerQos { granted, asked: qos });
            return;
        }
        let packet_id = (qos > 0).then(|| self.next_packet_id());
        outbound::write_publish(self.version, qos, packet_id, topic, payload, &mut self.out);
    }

    /// Writes a PINGREQ. A broker that has not answered the last one is gone (MQTT 3.1.1, 3.1.2.10).
    pub(crate) fn ping(&mut self) {
        if self.awaits_pingresp && !self.is_paused {
            self.fail(Failure::Silent);
            return;
        }
        self.awaits_pingresp = true;
        self.out.extend_from_slice(&outbound::PINGREQ);
    }

    /// Writes a DISCONNECT, and sends it if the socket takes it.
    pub fn disconnect(&mut self) {
        self.out.extend_from_slice(&outbound::DISCONNECT);
        self.flush();
    }

    /// Sends what the socket takes now.
    pub fn flush(&mut self) {
        if let Err(failure) = self.socket.send(&mut self.out, &mut self.sent) {
            self.fail(failure);
        }
    }

    /// Reads what the socket has.
    pub(crate) fn fill(&mut self, scratch: &mut [u8]) {
        if self.is_paused {
            return;
        }
        let before = self.received.len();
        let received = self.socket.receive(scratch, &mut self.received);
        self.awaits_pingresp &= self.received.len() == before;
        if let Err(failure) = received {
            self.fail(failure);
        }
    }

    /// Reads each whole packet that came, writes the answers, and tells what arrived.
    pub fn receive(&mut self, mut each: impl FnMut(Arrival<'_>)) {
        let mut received = std::mem::take(&mut self.received);
        if self.accepted.is_none() && received.first().is_some_and(|first| first >> 4 != inbound::CONNACK) {
            // MQTT 3.1.1, 3.2: the first packet is CONNACK. Other protocols would be waited for in vain.
            self.fail(Failure::Malformed("(no CONNACK)"));
            return;
        }
        let mut done = 0;
        let handled = loop {
            match next_frame(received.get(done..).unwrap_or_default()) {
                Ok(Some(frame)) => {
                    done += frame.whole.len();
                    if let Err(failure) = self.handle(&frame, &mut each) {
                        break Err(failure);
                    }
                }
                Ok(None) => break Ok(()),
                Err(Malformed) => break Err(Failure::Malformed("(a length of more than four bytes)")),
            }
        };
        received.drain(..done);
        self.received = received;
        if let Err(failure) = handled {
            // What the broker said tells more than that it closed the connection afterwards.
            self.failure = Some(failure);
        }
    }

    fn handle(&mut self, frame: &Frame<'_>, each: &mut impl FnMut(Arrival<'_>)) -> Result<(), Failure> {
        match frame.kind() {
            inbound::PUBLISH => {
                let publish = inbound::publish(frame, self.version).ok_or(Failure::Malformed("(a PUBLISH)"))?;
                if let Some(packet_id) = publish.packet_id {
                    let kind = if frame.qos() == 1 { inbound::PUBACK } else { inbound::PUBREC };
                    outbound::write_acknowledgement(kind, packet_id, &mut self.out);
                }
                each(Arrival::Message { topic: publish.topic, payload: publish.payload });
            }
            kind @ (inbound::PUBACK | inbound::PUBREC | inbound::PUBREL | inbound::PUBCOMP) => {
                let (packet_id, code) = inbound::acknowledgement(frame.body).ok_or(Failure::Malformed("(a PUBACK)"))?;
                if code >= FAILURES {
                    return Err(Failure::PublishRefused { code, words: reason_words(code) });
                }
                match kind {
                    inbound::PUBREC => outbound::write_acknowledgement(inbound::PUBREL, packet_id, &mut self.out),
                    inbound::PUBREL => outbound::write_acknowledgement(inbound::PUBCOMP, packet_id, &mut self.out),
                    _ => each(Arrival::Acknowledged),
                }
            }
            inbound::CONNACK => {
                let answer = inbound::connack(frame.body, self.version).ok_or(Failure::Malformed("(a CONNACK)"))?;
                let refused = |code| Failure::Refused { code, words: connack_words(code) };
                self.accepted = Some(answer.map_err(refused)?);
            }
            inbound::SUBACK => self.take_suback(frame)?,
            inbound::DISCONNECT => {
                let code = frame.body.first().copied().unwrap_or(0);
                return Err(Failure::Disconnected { code, words: reason_words(code) });
            }
            _ => {}
        }
        Ok(())
    }

    fn take_suback(&mut self, frame: &Frame<'_>) -> Result<(), Failure> {
        let codes = inbound::suback_codes(frame.body, self.version).ok_or(Failure::Malformed("(a SUBACK)"))?;
        let (filter, asked) = &self.asked;
        for code in codes {
            if *code >= FAILURES {
                // MQTT 3.1.1 has one code, 0x80, and no reason (3.9.3).
                let words = if self.version == Version::V311 { "no reason given" } else { reason_words(*code) };
                return Err(Failure::SubscriptionRefused { filter: filter.clone(), code: *code, words });
            }
            if code < asked {
                return Err(Failure::LowerQos { granted: *code, asked: *asked });
            }
        }
        self.subacks += 1;
        Ok(())
    }

    fn next_packet_id(&mut self) -> u16 {
        self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
        self.last_packet_id
    }

    /// The first failure is the cause of those that follow.
    fn fail(&mut self, failure: Failure) {
        if self.failure.is_some() {
            return;
        }
        self.failure = Some(match failure {
            Failure::Closed { .. } => Failure::Closed { accepted: self.is_accepted() },
            Failure::Broken(source) if source.kind() == ErrorKind::ConnectionRefused => {
                Failure::Unreachable { address: self.address.to_string(), source }
            }
            Failure::Broken(source) if matches!(source.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                Failure::Closed { accepted: self.is_accepted() }
            }
            other => other,
        });
    }
}

/// Codes from here on are failures (MQTT 5, 2.4; MQTT 3.1.1, 3.9.3).
const FAILURES: u8 = 0x80;
