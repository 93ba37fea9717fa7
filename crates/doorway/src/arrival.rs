//! A connection that has come through: its bytes, and what is known of who is behind them.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use names::CertificateId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A connection on which the application has the next word.
pub struct Arrival {
    /// Its bytes.
    pub stream: Stream,
    /// Where the client is: the connection's other end, or what a proxy in front said.
    pub source: SocketAddr,
    /// This machine's end of the connection.
    pub target: Option<SocketAddr>,
    /// The certificate whose key the client has proven to hold, in a full handshake or in the one that this resumes.
    /// Nothing is known of its status.
    pub certificate: Option<CertificateId>,
}

/// Plain or encrypted bytes. TLS is boxed, so that a plain connection is not as large as one with TLS.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Arrival {
    /// From a finished handshake, or none. `own` is this machine's end, if the listener has only one.
    pub(crate) fn new(stream: Stream, source: SocketAddr, own: Option<SocketAddr>) -> Self {
        let (socket, certificate) = match &stream {
            Stream::Plain(socket) => (socket, None),
            Stream::Tls(tls) => {
                let leaf = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
                (tls.get_ref().0, leaf.map(|leaf| x509::certificate_id(leaf)))
            }
        };
        let target = own.or_else(|| socket.local_addr().ok());
        Self { stream, source, target, certificate }
    }
}

impl Stream {
    /// The protocol that both sides agreed on in the handshake (RFC 7301).
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
