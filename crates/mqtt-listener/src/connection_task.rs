//! The task of one connection: moves bytes and time between a transport and the broker's side of it.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use broker::{Connection, DisconnectReason, Progress};
use bytes::BytesMut;
use names::{Dialect, limits};
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, timeout};

use crate::clock::now;
use crate::transport::{Ending, Transport};

/// How a connection is run.
pub(crate) struct Terms {
    /// What was read of the client's bytes already.
    pub(crate) input: BytesMut,
    /// Time for CONNECT.
    pub(crate) connect_time_max: Duration,
}

/// Runs a connection until either side ends it; the will is published when it must be.
///
/// The future is what an idle connection costs, so what is rare in it is boxed: settling, and the end.
pub(crate) fn run_connection<S>(stream: S, connection: Connection, terms: Terms) -> impl Future<Output = ()> + Send
where
    S: Transport + Send,
{
    let alarm = Box::pin(tokio::time::sleep(terms.connect_time_max));
    let mut task = ConnectionTask { stream, connection, input: terms.input, out: BytesMut::new(), alarm };
    async move {
        let reason = task.run().await;
        Box::pin(task.end(reason)).await;
    }
}

struct ConnectionTask<S> {
    stream: S,
    connection: Connection,
    input: BytesMut,
    out: BytesMut,
    /// Rings at the deadline that held when it was set; reset then, not at every packet.
    alarm: Pin<Box<Sleep>>,
}

enum Event {
    Received,
    Deliverable,
    Alarm,
    Gone,
}

thread_local! {
    /// What a read goes into first, so that a connection that waits for input holds no buffer.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

const READ_BYTES: usize = 64 * 1024;
/// DISCONNECT, "normal disconnection" (MQTT 3.1.1, 3.14; MQTT 5, 3.14).
const DISCONNECT: [u8; 2] = [0xe0, 0];
/// Buffers above this are given back when the connection goes idle.
const IDLE_BUFFER_BYTES: usize = 512;

impl<S: Transport> ConnectionTask<S> {
    /// Answers why the connection is over.
    async fn run(&mut self) -> DisconnectReason {
        let mut has_input = !self.input.is_empty();
        loop {
            let event = if std::mem::take(&mut has_input) {
                Event::Received
            } else if self.connection.has_paused() {
                // The subscribers of what was published get their turn before more is.
                tokio::task::yield_now().await;
                Event::Received
            } else {
                std::future::poll_fn(|context| self.poll_event(context)).await
            };
            let was_connected = self.connection.is_connected();
            let received = match event {
                Event::Gone => return self.gone(),
                Event::Alarm if self.is_overdue() => return DisconnectReason::MqttKeepAliveTimeout,
                Event::Alarm => continue,
                Event::Received => self.connection.receive(&mut self.input, &mut self.out, now()),
                Event::Deliverable => Progress::Open,
            };
            if !was_connected && self.connection.is_connected() {
                self.is_overdue(); // from the limit for CONNECT to the client's keep alive
            }
            // After a violation the answers written so far still go out, but nothing new is delivered.
            let delivered = match received {
                Progress::Open => self.connection.deliver(&mut self.out, now),
                close @ Progress::Close(_) => close,
            };
            if !self.connection.is_settled()
                && let Progress::Close(reason) = Box::pin(self.connection.settle()).await
            {
                self.out.clear(); // it acknowledges what was not kept
                return reason;
            }
            if let Err(reason) = self.send().await {
                return reason;
            }
            if self.connection.is_congested() {
                let limit = Duration::from_secs(limits::CONGESTION_SECONDS_MAX);
                let _ = Box::pin(timeout(limit, self.connection.wait_for_room())).await; // then it may go on all the same
            }
            if let Progress::Close(reason) = delivered {
                return reason;
            }
        }
    }

    /// The client sends no more. One that took leave of the transport in order, as the close frame of a WebSocket is,
    /// counts as having sent DISCONNECT: no will, and its session is left as DISCONNECT leaves it (developer guide,
    /// mqtt and life-cycle-events).
    fn gone(&mut self) -> DisconnectReason {
        match self.stream.ending() {
            Ending::Lost => DisconnectReason::ConnectionLost,
            Ending::Violation => DisconnectReason::ClientError,
            Ending::Expired => DisconnectReason::WebsocketTtlExpiration,
            // By the standard a transport that closes without DISCONNECT leaves the will to be published [MQTT-3.1.2-8].
            Ending::Orderly if self.connection.dialect() == Dialect::Mqtt => DisconnectReason::ConnectionLost,
            Ending::Orderly if self.connection.is_connected() => {
                // What came of a packet that was never finished is dropped.
                self.input = BytesMut::from(DISCONNECT.as_slice());
                match self.connection.receive(&mut self.input, &mut self.out, now()) {
                    Progress::Close(reason) => reason,
                    Progress::Open => DisconnectReason::ConnectionLost,
                }
            }
            Ending::Orderly => DisconnectReason::ClientInitiatedDisconnect,
        }
    }

    async fn end(self, reason: DisconnectReason) {
        let Self { mut stream, mut connection, mut out, .. } = self;
        connection.farewell(reason, &mut out);
        connection.end(reason, now()).await;
        // Lets the peer read what was sent before the close; one that does not is not waited for.
        // A client that is gone reads nothing any more, and the close says the rest.
        if reason == DisconnectReason::ConnectionLost && stream.ending() == Ending::Lost {
            return;
        }
        let last_words = async {
            stream.write_all(&out).await?;
            stream.shutdown().await
        };
        let _ = timeout(Duration::from_secs(1), last_words).await; // the connection ends either way
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(event) = self.poll_read(context) {
            return Poll::Ready(event);
        }
        if self.connection.poll_deliverable(context).is_ready() {
            return Poll::Ready(Event::Deliverable);
        }
        if self.alarm.as_mut().poll(context).is_ready() {
            return Poll::Ready(Event::Alarm);
        }
        if self.out.capacity() > IDLE_BUFFER_BYTES {
            self.out = BytesMut::new();
        }
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        self.connection.rest();
        Poll::Pending
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            let filled = buffer.filled();
            Poll::Ready(match read {
                Err(_) => Event::Gone,
                Ok(()) if filled.is_empty() => Event::Gone,
                Ok(()) => {
                    self.input.extend_from_slice(filled);
                    Event::Received
                }
            })
        })
    }

    /// Whether the deadline is over; if it has moved on, the alarm is set anew.
    fn is_overdue(&mut self) -> bool {
        if !self.connection.is_connected() {
            return true;
        }
        let deadline = self.connection.deadline().map(Instant::from_std);
        // Without keep alive there is nothing to ring for, but a Sleep cannot be switched off: let it be long.
        let next = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        if next <= Instant::now() {
            return true;
        }
        self.alarm.as_mut().reset(next);
        false
    }

    /// Writes all output. A client that takes none of it for too long, or is to be disconnected meanwhile, is given up.
    async fn send(&mut self) -> Result<(), DisconnectReason> {
        if self.out.is_empty() {
            return Ok(());
        }
        // What goes out at once needs no watch over the time: two clocks would be a fiftieth of what a delivery costs.
        if let Poll::Ready(sent) = std::future::poll_fn(|context| Poll::Ready(self.poll_send(context))).await {
            return sent;
        }
        let stall = Duration::from_secs(limits::OUTPUT_STALL_SECONDS_MAX);
        while !self.out.is_empty() {
            let writing = std::future::poll_fn(|context| self.poll_write(context));
            timeout(stall, writing).await.unwrap_or(Err(DisconnectReason::Throttled))?;
        }
        let flushing = std::future::poll_fn(|context| self.poll_flush(context));
        timeout(stall, flushing).await.unwrap_or(Err(DisconnectReason::Throttled))
    }

    /// Writes and flushes all output.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DisconnectReason>> {
        while !self.out.is_empty() {
            if let Err(reason) = ready!(self.poll_write(context)) {
                return Poll::Ready(Err(reason));
            }
        }
        self.poll_flush(context)
    }

    /// TLS keeps what it has encrypted until it is flushed; on TCP this does nothing.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DisconnectReason>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(flushed.map_err(|_| DisconnectReason::ConnectionLost))
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DisconnectReason>> {
        match Pin::new(&mut self.stream).poll_write(context, &self.out) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Poll::Ready(Err(DisconnectReason::ConnectionLost)),
            Poll::Ready(Ok(written)) => {
                self.connection.sent(written);
                bytes::Buf::advance(&mut self.out, written);
                Poll::Ready(Ok(()))
            }
            Poll::Pending => match self.connection.poll_closed(context) {
                Poll::Ready(reason) => Poll::Ready(Err(reason)),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}
