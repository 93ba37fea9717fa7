//! One client's connection: bytes in, bytes out, and the session's intents carried out in between.
//!
//! The door calls [`Connection::receive`] with what it read and [`Connection::deliver`] when something waits, then
//! awaits [`Connection::settle`], and only then sends the output.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use mqtt_codec::{Packet, Protocol, Publish, connect_protocol, decode};
use names::{Dialect, limits};
use session::{ExpectConnect, Refusal};
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::client::Client;
use crate::clients::Broker;
use crate::connect::{self, Admission, Admitting, Refused, admit};
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::identity::Peer;
use crate::metrics::count;

/// A connection's state on this side of the socket.
pub struct Connection {
    broker: Arc<Broker>,
    peer: Peer,
    session_id: Uuid,
    state: State,
    has_paused: bool,
}

enum State {
    Expecting(ExpectConnect),
    /// CONNECT came, and the decision waits for the disk or for another connection's end.
    Admitting(Admitting),
    /// It has been made.
    Decided(Box<Result<Admission, Box<connect::Refusal>>>),
    Connected(Box<Client>),
    Ended,
}

/// Packets handled before others have their turn; well below [`limits::MAILBOX_MESSAGES_SOFT`].
const PACKETS_PER_TURN: usize = 256;
/// Input above this is that of a packet which came in many reads.
const LARGE_INPUT_BYTES: usize = 128 * 1024;

/// A small message that arrived behind a large packet is copied: in a slow subscriber's mailbox it counts for its own
/// few bytes, and must not keep the large buffer for as long as it waits there.
fn apart(packet: Packet) -> Packet {
    match packet {
        Packet::Publish(publish) if publish.payload.len() < LARGE_INPUT_BYTES / 2 => Packet::Publish(Publish {
            topic: publish.topic.map(|topic| topic.detached()),
            payload: Bytes::copy_from_slice(&publish.payload),
            properties: publish.properties.map(|properties| Arc::new(properties.detached())),
            ..publish
        }),
        packet => packet,
    }
}

impl Connection {
    /// A connection whose transport is up and has sent nothing yet. `session_id` is new and random: it names the
    /// connection in lifecycle events.
    pub fn new(broker: Arc<Broker>, peer: Peer, session_id: Uuid) -> Self {
        let quotas = Arc::clone(broker.quotas(peer.dialect));
        let state = State::Expecting(ExpectConnect { quotas });
        Self { broker, peer, session_id, state, has_paused: false }
    }

    /// Handles the whole packets in `input`; answers are appended to `out`. Stops early, see
    /// [`has_paused`](Self::has_paused), when a service that was published to has to catch up, and after
    /// a bounded number of packets, so that one read does not fill the mailboxes of subscribers who keep up.
    pub fn receive(&mut self, input: &mut BytesMut, out: &mut BytesMut, now: Now) -> Progress {
        let bytes_before = input.len();
        let is_large = bytes_before > LARGE_INPUT_BYTES;
        let mut progress = self.accept_decided(out, now);
        let mut packets = 0;
        self.has_paused = false;
        while progress == Progress::Open && !self.has_paused {
            // A CONNECT that cannot be read is gone from the input, and its answer depends on its version.
            let says = self.is_expecting().then(|| connect_protocol(input)).flatten();
            let packet = match decode(input, self.packet_bytes_max(), self.protocol()) {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(error) => {
                    progress = self.malformed(error, says, out);
                    break;
                }
            };
            progress = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => Progress::Close(DisconnectReason::ClientError),
                State::Expecting(expecting) => match expecting.handle(packet) {
                    Ok(opening) => self.open(opening, out, now),
                    Err(refusal) => self.refuse(&refusal, out),
                },
                State::Connected(mut client) => {
                    let packet = if is_large { apart(packet) } else { packet };
                    let progress = client.handle(packet, out, now);
                    packets += 1;
                    self.has_paused = packets == PACKETS_PER_TURN || client.publisher.is_congested();
                    self.state = State::Connected(client);
                    progress
                }
                undecided @ (State::Admitting(_) | State::Decided(_)) => {
                    self.state = undecided; // not reached: nothing is decoded before the decision is carried out
                    self.has_paused = true;
                    Progress::Open
                }
            };
        }
        let bytes = bytes_before.saturating_sub(input.len()) as u64;
        self.broker.metrics().bytes_received.fetch_add(bytes, Ordering::Relaxed);
        if let State::Connected(client) = &mut self.state {
            client.received();
        }
        if is_large && packets > 0 {
            *input = BytesMut::from(&**input); // what comes next must not share the large buffer either
        }
        progress
    }

    /// Whether packets may be left in the input: call [`receive`](Self::receive) again after
    /// [`settle`](Self::settle) and after others had their turn, without waiting for more to arrive.
    pub fn has_paused(&self) -> bool {
        self.has_paused
    }

    /// Ready when [`deliver`](Self::deliver) has something to do.
    pub fn poll_deliverable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Connected(client) => client.poll_deliverable(context),
            _ => Poll::Pending,
        }
    }

    /// Ready when the client is to be disconnected, even while it takes no output.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        match &mut self.state {
            State::Connected(client) => client.poll_closed(context),
            _ => Poll::Pending,
        }
    }

    /// Appends what waits for the client to `out`, as far as its window and a bounded output allow.
    ///
    /// `clock` is read only where the time matters: most messages never expire, and two clocks are a fiftieth of what a
    /// delivery costs.
    pub fn deliver(&mut self, out: &mut BytesMut, clock: impl Fn() -> Now) -> Progress {
        match &mut self.state {
            State::Connected(client) => client.deliver(out, &clock),
            State::Expecting(_) | State::Admitting(_) | State::Decided(_) => Progress::Open,
            State::Ended => Progress::Close(DisconnectReason::ClientError),
        }
    }

    /// Whether [`settle`](Self::settle) has anything to wait for.
    pub fn is_settled(&self) -> bool {
        match &self.state {
            State::Connected(client) => client.is_settled(),
            State::Admitting(_) => false,
            State::Expecting(_) | State::Decided(_) | State::Ended => true,
        }
    }

    /// Waits until everything that the output acknowledges is durable, or until it is decided about a CONNECT. On
    /// [`Progress::Close`] the output must be thrown away: it acknowledges what was not kept.
    pub async fn settle(&mut self) -> Progress {
        match &mut self.state {
            State::Connected(client) => client.settle().await,
            State::Admitting(admitting) => {
                let decided = admitting.await;
                self.state = State::Decided(Box::new(decided));
                Progress::Open
            }
            State::Expecting(_) | State::Decided(_) | State::Ended => Progress::Open,
        }
    }

    /// So many bytes of output have been handed to the transport.
    pub fn sent(&self, bytes: usize) {
        self.broker.metrics().bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The connection is about to be closed for this reason: a client of MQTT 5 is told why.
    pub fn farewell(&mut self, reason: DisconnectReason, out: &mut BytesMut) {
        if let State::Connected(client) = &mut self.state {
            client.farewell(reason, out);
        }
    }

    /// Whether a service that the client published to cannot take more now.
    pub fn is_congested(&self) -> bool {
        matches!(&self.state, State::Connected(client) if client.publisher.is_congested())
    }

    /// Waits until the services that the client published to can take more. The door bounds the wait: a service that
    /// keeps itself busy must not hold the client for ever.
    pub async fn wait_for_room(&mut self) {
        if let State::Connected(client) = &mut self.state {
            client.publisher.wait_for_room().await;
        }
    }

    /// When the client must have been heard again; none while there is no such time.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Connected(client) => client.session.keep_alive_deadline(),
            _ => None,
        }
    }

    /// What the connection's listener speaks.
    pub fn dialect(&self) -> Dialect {
        self.peer.dialect
    }

    /// Whether the client has been accepted.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected(_))
    }

    /// Gives back what only a busy connection needs. For when nothing is to be read, written or delivered.
    pub fn rest(&mut self) {
        if let State::Connected(client) = &mut self.state {
            client.rest();
        }
    }

    /// The transport is gone or about to be closed: publishes the will, unless a DISCONNECT removed it, and the
    /// disconnected event, and forgets the client.
    pub async fn end(mut self, reason: DisconnectReason, now: Now) {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Connected(client) => client.end(reason, now).await,
            State::Decided(decided) => {
                if let Ok(admission) = *decided {
                    admission.give_up(&self.broker, now);
                }
            }
            State::Expecting(_) | State::Admitting(_) | State::Ended => {}
        }
    }

    fn is_expecting(&self) -> bool {
        matches!(self.state, State::Expecting(_))
    }

    /// What the bytes are read as; a CONNECT says its own version.
    fn protocol(&self) -> Protocol {
        match &self.state {
            State::Connected(client) => client.session.protocol(),
            _ => Protocol::V311,
        }
    }

    fn packet_bytes_max(&self) -> usize {
        match &self.state {
            State::Connected(client) => client.session.quotas().packet_bytes_max,
            _ => limits::CONNECT_BYTES_MAX,
        }
    }

    /// Most decisions need not wait for anything, and are carried out at once.
    fn open(&mut self, opening: session::Opening, out: &mut BytesMut, now: Now) -> Progress {
        let mut admitting = admit(Arc::clone(&self.broker), self.peer.clone(), self.session_id, opening, now);
        match admitting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(decided) => self.carry_out(decided, out, now),
            Poll::Pending => {
                self.state = State::Admitting(admitting);
                self.has_paused = true;
                Progress::Open
            }
        }
    }

    fn accept_decided(&mut self, out: &mut BytesMut, now: Now) -> Progress {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Decided(decided) => self.carry_out(*decided, out, now),
            state => {
                self.state = state;
                Progress::Open
            }
        }
    }

    fn carry_out(
        &mut self,
        decided: Result<Admission, Box<connect::Refusal>>,
        out: &mut BytesMut,
        now: Now,
    ) -> Progress {
        let accepted = match decided {
            Ok(admission) => admission.accept(&self.broker, &self.peer, self.session_id, out, now),
            Err(refusal) => Err(refusal.write(out)),
        };
        match accepted {
            Ok(client) => {
                count(&self.broker.metrics().connects_accepted);
                self.state = State::Connected(Box::new(client));
                Progress::Open
            }
            Err(Refused { client_id, why }) => {
                count(&self.broker.metrics().connects_refused);
                warn!(%client_id, identity = %self.peer.identity, source_ip = %self.peer.source_ip, %why, "connect refused");
                Progress::Close(DisconnectReason::AuthError)
            }
        }
    }

    fn refuse(&self, refusal: &Refusal, out: &mut BytesMut) -> Progress {
        count(&self.broker.metrics().connects_refused);
        info!(source_ip = %self.peer.source_ip, why = %refusal.reason, "connect refused");
        refusal.write(out);
        Progress::Close(DisconnectReason::ClientError)
    }

    fn malformed(&mut self, error: mqtt_codec::DecodeError, says: Option<Protocol>, out: &mut BytesMut) -> Progress {
        match &mut self.state {
            State::Connected(client) => client.violated(&error.into()),
            State::Expecting(_) => {
                count(&self.broker.metrics().violations);
                self.refuse(&Refusal::from_decode_error(error, says), out)
            }
            State::Admitting(_) | State::Decided(_) | State::Ended => {
                debug!(why = %error, "malformed packet after the end");
                Progress::Close(DisconnectReason::ClientError)
            }
        }
    }
}
