//! MQTT over WebSocket: binary frames as a stream of bytes (MQTT 3.1.1, chapter 6).
//!
//! Packets and frames need not align [MQTT-6.0.0-2]; the opening handshake was the HTTP API's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use doorway::Stream;
use futures_core::Stream as _;
use futures_sink::Sink as _;
use names::limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::debug;

use crate::transport::{Ending, Transport};

/// One connection's frames.
pub(crate) struct WebSocket {
    frames: WebSocketStream<Stream>,
    /// Of the last binary message.
    unread: Bytes,
    /// Rings when it is too old.
    expiry: Option<Pin<Box<Sleep>>>,
    /// Set at the end.
    ending: Option<Ending>,
}

/// Small, so that an idle connection holds little; the library's own default is 128 KiB.
const READ_BUFFER_BYTES: usize = 2048;
/// Payload of an outgoing frame (ours).
const FRAME_BYTES_MAX: usize = 64 * 1024;

impl WebSocket {
    /// `read_ahead` was read together with the request that became this WebSocket.
    pub(crate) async fn new(stream: Stream, read_ahead: Bytes, age_max: Option<Duration>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * FRAME_BYTES_MAX)
            .max_message_size(Some(limits::WEBSOCKET_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(limits::WEBSOCKET_MESSAGE_BYTES_MAX));
        // A copy of its own size: the original keeps HTTP's buffer.
        let read_ahead = read_ahead.to_vec();
        let frames = WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, Some(config)).await;
        let expiry = age_max.map(|age| Box::pin(tokio::time::sleep(age)));
        Self { frames, unread: Bytes::new(), expiry, ending: None }
    }

    /// Takes the next message. Pings are answered by the library.
    fn take(&mut self, message: Option<Result<Message, Error>>) {
        match message {
            Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) => self.ending = Some(Ending::Orderly),
            Some(Ok(Message::Text(_))) => {
                debug!("a text frame where MQTT wants binary ones: closing [MQTT-6.0.0-1]");
                self.ending = Some(Ending::Violation);
            }
            Some(Err(error)) => {
                debug!(%error, "a WebSocket ended with an error");
                self.ending = Some(match error {
                    Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Lost,
                    Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_) => Ending::Violation,
                    _ => Ending::Lost,
                });
            }
            None => self.ending = Some(Ending::Lost),
        }
    }
}

impl Transport for WebSocket {
    fn ending(&self) -> Ending {
        self.ending.unwrap_or(Ending::Lost)
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ending.is_none()
            && let Some(expiry) = &mut self.expiry
            && expiry.as_mut().poll(cx).is_ready()
        {
            self.ending = Some(Ending::Expired);
            self.unread = Bytes::new();
        }
        while self.unread.is_empty() && self.ending.is_none() {
            let message = ready!(Pin::new(&mut self.frames).poll_next(cx));
            self.take(message);
        }
        let taken = self.unread.len().min(buffer.remaining());
        buffer.put_slice(self.unread.get(..taken).unwrap_or_default());
        self.unread.advance(taken);
        if self.unread.is_empty() {
            self.unread = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WebSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.frames).poll_ready(cx)).map_err(io_error)?;
        let payload = bytes.get(..FRAME_BYTES_MAX).unwrap_or(bytes);
        let frame = Message::Binary(Bytes::copy_from_slice(payload));
        Pin::new(&mut self.frames).start_send(frame).map_err(io_error)?;
        Poll::Ready(Ok(payload.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames).poll_flush(cx).map_err(io_error)
    }

    /// Sends the close frame, or the answer to the client's, then ends the connection below (RFC 6455, 7.1.1: the
    /// server closes first).
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ending == Some(Ending::Violation) {
            self.ending = Some(Ending::Lost); // said once
            let reason = CloseFrame { code: CloseCode::Unsupported, reason: "".into() };
            if Pin::new(&mut self.frames).poll_ready(cx).is_ready() {
                let _ = Pin::new(&mut self.frames).start_send(Message::Close(Some(reason))); // closed either way
            }
        }
        let _ = ready!(Pin::new(&mut self.frames).poll_close(cx)); // a peer that is gone hears no farewell
        Pin::new(self.frames.get_mut()).poll_shutdown(cx)
    }
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
