//! One client's socket: TCP, with TLS and WebSocket around the bytes when asked. Never blocks.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::ClientConnection;

use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::websocket::WebSocket;

pub(crate) struct Socket {
    transport: Transport,
    websocket: Option<Box<WebSocket>>,
}

impl Socket {
    /// Begins to connect.
    pub(crate) fn open(endpoint: &Endpoint, registry: &Registry, token: usize) -> Result<Self, Failure> {
        let unreachable = |source| Failure::Unreachable { address: endpoint.address.to_string(), source };
        let mut tcp = TcpStream::connect(endpoint.address).map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        registry.register(&mut tcp, Token(token), Interest::READABLE | Interest::WRITABLE).map_err(unreachable)?;
        let tls = match &endpoint.tls {
            None => None,
            Some((config, name)) => {
                let connection = ClientConnection::new(Arc::clone(config), name.clone()).map_err(Failure::Tls)?;
                Some(Box::new(connection))
            }
        };
        let websocket = endpoint.websocket.as_ref().map(|path| Box::new(WebSocket::new(&endpoint.host, path)));
        Ok(Self { transport: Transport { tcp, tls }, websocket })
    }

    /// Sends what the socket takes now of `out`, of which the first `sent` bytes are done.
    pub(crate) fn send(&mut self, out: &mut Vec<u8>, sent: &mut usize) -> Result<(), Failure> {
        let Some(websocket) = self.websocket.as_mut() else { return self.transport.send(out, sent) };
        if websocket.wrap(out) {
            out.clear();
        }
        self.transport.send(&mut websocket.out, &mut websocket.sent)
    }

    /// Appends what the socket has to `received`.
    pub(crate) fn receive(&mut self, scratch: &mut [u8], received: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(websocket) = self.websocket.as_mut() else { return self.transport.receive(scratch, received) };
        let read = self.transport.receive(scratch, &mut websocket.received);
        websocket.unwrap_into(received).map_err(Failure::WebSocket)?;
        read?;
        // Pongs: what else is there waits for the socket as well.
        self.transport.send(&mut websocket.out, &mut websocket.sent)
    }
}

struct Transport {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Transport {
    fn send(&mut self, out: &mut Vec<u8>, sent: &mut usize) -> Result<(), Failure> {
        let written = match self.tls.as_mut() {
            None => write_plain(&mut self.tcp, out, sent),
            Some(tls) => write_tls(tls, &mut self.tcp, out, sent),
        };
        if *sent == out.len() {
            out.clear();
            *sent = 0;
        }
        written.map_err(Failure::Broken)
    }

    fn receive(&mut self, scratch: &mut [u8], received: &mut Vec<u8>) -> Result<(), Failure> {
        match self.tls.as_mut() {
            None => read_plain(&mut self.tcp, scratch, received),
            Some(tls) => read_tls(tls, &mut self.tcp, scratch, received),
        }
    }
}

fn write_plain(tcp: &mut TcpStream, out: &[u8], sent: &mut usize) -> io::Result<()> {
    while let Some(rest) = out.get(*sent..).filter(|rest| !rest.is_empty()) {
        match tcp.write(rest) {
            Ok(count) => *sent += count,
            Err(error) if must_wait(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write_tls(tls: &mut ClientConnection, tcp: &mut TcpStream, out: &[u8], sent: &mut usize) -> io::Result<()> {
    loop {
        while tls.wants_write() {
            match tls.write_tls(tcp) {
                Ok(_) => {}
                Err(error) if must_wait(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let Some(rest) = out.get(*sent..).filter(|rest| !rest.is_empty() && !tls.is_handshaking()) else {
            return Ok(());
        };
        *sent += tls.writer().write(rest)?;
    }
}

fn read_plain(tcp: &mut TcpStream, scratch: &mut [u8], received: &mut Vec<u8>) -> Result<(), Failure> {
    loop {
        match tcp.read(scratch) {
            Ok(0) => return Err(CLOSED),
            Ok(count) => {
                received.extend_from_slice(scratch.get(..count).unwrap_or_default());
                if count < scratch.len() {
                    return Ok(());
                }
            }
            Err(error) if must_wait(&error) => return Ok(()),
            Err(error) => return Err(Failure::Broken(error)),
        }
    }
}

fn read_tls(
    tls: &mut ClientConnection,
    tcp: &mut TcpStream,
    scratch: &mut [u8],
    received: &mut Vec<u8>,
) -> Result<(), Failure> {
    loop {
        match tls.read_tls(tcp) {
            Ok(0) => return Err(CLOSED),
            Ok(_) => {}
            Err(error) if must_wait(&error) => return Ok(()),
            Err(error) => return Err(Failure::Broken(error)),
        }
        tls.process_new_packets().map_err(Failure::Tls)?;
        loop {
            match tls.reader().read(scratch) {
                Ok(0) => return Err(CLOSED),
                Ok(count) => received.extend_from_slice(scratch.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(Failure::Broken(error)),
            }
        }
    }
}

/// Not yet connected, or nothing to do now: an event will come.
fn must_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}

/// The link knows better whether it was accepted before.
const CLOSED: Failure = Failure::Closed { accepted: false };
