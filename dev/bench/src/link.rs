//! One client's connection: bytes in, bytes out, TLS between when asked.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use anyhow::Context;
use mio::net::TcpStream;
use mio::{Interest, Poll, Token};
use rustls::{ClientConfig, ClientConnection};

use crate::Options;
use crate::frame::{Frame, next_frame, write_connect};

/// A client of the broker under load.
pub(crate) struct Link {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What is to be sent; the first `sent` bytes of it have been.
    pub(crate) out: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    /// CONNACK came, and it accepts.
    pub(crate) is_accepted: bool,
    /// SUBACKs that came.
    pub(crate) subacks: usize,
    /// The connection ended, or was refused.
    pub(crate) is_dead: bool,
    last_packet_id: u16,
}

impl Link {
    /// Begins to connect; CONNECT waits in `out`.
    pub(crate) fn open(
        options: &Options,
        tls: Option<&Arc<ClientConfig>>,
        poll: &Poll,
        token: usize,
        client_id: &str,
    ) -> anyhow::Result<Self> {
        let mut socket = TcpStream::connect(options.addr).with_context(|| format!("cannot reach {}", options.addr))?;
        socket.set_nodelay(true)?;
        poll.registry().register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let name = options.sni.clone().try_into()?;
                Some(Box::new(ClientConnection::new(Arc::clone(config), name)?))
            }
        };
        let mut out = Vec::new();
        write_connect(options, client_id, &mut out);
        let received = Vec::new();
        Ok(Self {
            socket,
            tls,
            out,
            sent: 0,
            received,
            is_accepted: false,
            subacks: 0,
            is_dead: false,
            last_packet_id: 0,
        })
    }

    pub(crate) fn next_packet_id(&mut self) -> u16 {
        self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
        self.last_packet_id
    }

    /// Sends what the socket takes now.
    pub(crate) fn flush(&mut self) {
        let written = match self.tls.as_mut() {
            None => write_plain(&mut self.socket, &self.out, &mut self.sent),
            Some(tls) => write_tls(tls, &mut self.socket, &self.out, &mut self.sent),
        };
        self.is_dead |= written.is_err();
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        }
    }

    /// Reads what the socket has.
    pub(crate) fn fill(&mut self, scratch: &mut [u8]) {
        let read = match self.tls.as_mut() {
            None => read_plain(&mut self.socket, scratch, &mut self.received),
            Some(tls) => read_tls(tls, &mut self.socket, scratch, &mut self.received),
        };
        self.is_dead |= read.is_err();
    }

    /// Hands each whole packet to `each`, which may answer into the buffer that it gets.
    pub(crate) fn for_each_frame(&mut self, mut each: impl FnMut(Frame<'_>, &mut Vec<u8>)) {
        let mut done = 0;
        while let Some(frame) = self.received.get(done..).and_then(next_frame) {
            match (frame.kind(), frame.body) {
                (CONNACK, [_, 0]) => self.is_accepted = true,
                (CONNACK, _) => self.is_dead = true,
                (SUBACK, _) => self.subacks += 1,
                _ => each(frame, &mut self.out),
            }
            done += frame.whole.len();
        }
        self.received.drain(..done);
    }
}

fn write_plain(socket: &mut TcpStream, out: &[u8], sent: &mut usize) -> io::Result<()> {
    while let Some(rest) = out.get(*sent..).filter(|rest| !rest.is_empty()) {
        match socket.write(rest) {
            Ok(count) => *sent += count,
            Err(error) if must_wait(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write_tls(tls: &mut ClientConnection, socket: &mut TcpStream, out: &[u8], sent: &mut usize) -> io::Result<()> {
    loop {
        while tls.wants_write() {
            match tls.write_tls(socket) {
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

fn read_plain(socket: &mut TcpStream, scratch: &mut [u8], received: &mut Vec<u8>) -> io::Result<()> {
    loop {
        match socket.read(scratch) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                received.extend(scratch.iter().take(count));
                if count < scratch.len() {
                    return Ok(());
                }
            }
            Err(error) if must_wait(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn read_tls(
    tls: &mut ClientConnection,
    socket: &mut TcpStream,
    scratch: &mut [u8],
    received: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        match tls.read_tls(socket) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if must_wait(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        tls.process_new_packets().map_err(io::Error::other)?;
        loop {
            match tls.reader().read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => received.extend(scratch.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Not yet connected, or nothing to do now: an event will come.
fn must_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}

pub(crate) const CONNACK: u8 = 2;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const SUBACK: u8 = 9;
