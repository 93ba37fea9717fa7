//! One client's connection: bytes in, bytes out, and the session's intents carried out in between.
//!
//! The door calls [`Connection::receive`] with what it read and [`Connection::deliver`] when something waits, then
//! awaits [`Connection::settle`], and only then sends the output.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use mqtt_codec::{Packet, Publish, decode};
use names::{Dialect, limits};
use session::{ExpectConnect, Refusal};
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::clients::Broker;
use crate::connect::{Refused, connect};
use crate::deliver::Client;
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
            topic: publish.topic.detached(),
            payload: Bytes::copy_from_slice(&publish.payload),
            ..publish
        }),
        packet => packet,
    }
}

impl Connection {
    /// A connection whose transport is up and has sent nothing yet. `session_id` is new and random: it names the
    /// connection in lifecycle events.
    pub fn new(broker: Arc<Broker>, peer: Peer, session_id: Uuid) -> Self {
        let state = State::Expecting(ExpectConnect { dialect: peer.dialect });
        Self { broker, peer, session_id, state, has_paused: false }
    }

    /// Handles the whole packets in `input`; answers are appended to `out`. Stops early, see
    /// [`has_paused`](Self::has_paused), when a service that was published to has to catch up, and after
    /// a bounded number of packets, so that one read does not fill the mailboxes of subscribers who keep up.
    pub fn receive(&mut self, input: &mut BytesMut, out: &mut BytesMut, now: Now) -> Progress {
        let is_large = input.len() > LARGE_INPUT_BYTES;
        let mut progress = Progress::Open;
        let mut packets = 0;
        self.has_paused = false;
        while progress == Progress::Open && !self.has_paused {
            let packet = match decode(input, self.packet_bytes_max()) {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(error) => {
                    progress = self.malformed(error, out);
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
            };
        }
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
            State::Expecting(_) | State::Ended => Poll::Pending,
        }
    }

    /// Ready when the client is to be disconnected, even while it takes no output.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        match &mut self.state {
            State::Connected(client) => client.poll_closed(context),
            State::Expecting(_) | State::Ended => Poll::Pending,
        }
    }

    /// Appends what waits for the client to `out`, as far as its window and a bounded output allow.
    pub fn deliver(&mut self, out: &mut BytesMut) -> Progress {
        match &mut self.state {
            State::Connected(client) => client.deliver(out),
            State::Expecting(_) => Progress::Open,
            State::Ended => Progress::Close(DisconnectReason::ClientError),
        }
    }

    /// Whether [`settle`](Self::settle) has anything to wait for.
    pub fn is_settled(&self) -> bool {
        match &self.state {
            State::Connected(client) => client.is_settled(),
            State::Expecting(_) | State::Ended => true,
        }
    }

    /// Waits until everything that the output acknowledges is durable. On [`Progress::Close`] the output must be thrown
    /// away: it acknowledges what was not kept.
    pub async fn settle(&mut self) -> Progress {
        match &mut self.state {
            State::Connected(client) => client.settle().await,
            State::Expecting(_) | State::Ended => Progress::Open,
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
            State::Expecting(_) | State::Ended => None,
        }
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
        if let State::Connected(client) = std::mem::replace(&mut self.state, State::Ended) {
            client.end(reason, now).await;
        }
    }

    fn packet_bytes_max(&self) -> usize {
        match (&self.state, self.peer.dialect) {
            (State::Expecting(_), _) => limits::CONNECT_BYTES_MAX,
            (_, Dialect::Aws) => limits::AWS_PACKET_BYTES_MAX,
            (_, Dialect::Mqtt) => limits::PACKET_BYTES_MAX,
        }
    }

    fn open(&mut self, opening: session::Opening, out: &mut BytesMut, now: Now) -> Progress {
        match connect(&self.broker, &self.peer, self.session_id, opening, out, now) {
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

    fn malformed(&mut self, error: mqtt_codec::DecodeError, out: &mut BytesMut) -> Progress {
        count(&self.broker.metrics().violations);
        match &self.state {
            State::Expecting(_) => self.refuse(&Refusal::from_decode_error(error), out),
            State::Connected(client) => {
                info!(client_id = %client.session.client_id(), why = %error, "malformed packet: closing");
                Progress::Close(DisconnectReason::ClientError)
            }
            State::Ended => {
                debug!(why = %error, "malformed packet after the end");
                Progress::Close(DisconnectReason::ClientError)
            }
        }
    }
}
