//! The floor: the least work that system calls allow, to compare brokers with. `floor 127.0.0.1:1884`
//!
//! It answers CONNECT, SUBSCRIBE and PUBLISH just well enough for the load generator: exact topics in a hash map, the
//! publisher's bytes forwarded as they came, one write a connection and wake-up. No broker can do much less.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use mqtt_load::{Frame, next_frame, topic_of};

fn main() -> ExitCode {
    let Err(error) = serve();
    eprintln!("floor: {error:#}");
    ExitCode::FAILURE
}

fn serve() -> anyhow::Result<Infallible> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1884".to_owned());
    let address = address.parse().with_context(|| format!("{address} is no address"))?;
    let mut floor = Floor::new(TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?)?;
    let mut events = Events::with_capacity(4096);
    loop {
        floor.poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => floor.accept()?,
                Token(client) => floor.serve(client),
            }
        }
        floor.flush();
    }
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    /// A client that left leaves its place empty: numbers are not used again.
    clients: Vec<Option<Client>>,
    subscribers: HashMap<Vec<u8>, Vec<usize>>,
    /// Clients with something to write.
    waiting: Vec<usize>,
    scratch: Vec<u8>,
}

struct Client {
    socket: TcpStream,
    received: Vec<u8>,
    out: Vec<u8>,
}

impl Floor {
    fn new(mut listener: TcpListener) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let scratch = vec![0; 256 * 1024];
        Ok(Self { poll, listener, clients: Vec::new(), subscribers: HashMap::new(), waiting: Vec::new(), scratch })
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        while let Ok((mut socket, _)) = self.listener.accept() {
            socket.set_nodelay(true)?;
            let token = Token(self.clients.len());
            self.poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
            self.clients.push(Some(Client { socket, received: Vec::new(), out: Vec::new() }));
        }
        Ok(())
    }

    fn serve(&mut self, number: usize) {
        let Some(mut client) = self.clients.get_mut(number).and_then(Option::take) else { return };
        if client.fill(&mut self.scratch).is_none() {
            return;
        }
        let received = std::mem::take(&mut client.received);
        let mut done = 0;
        while let Ok(Some(frame)) = next_frame(received.get(done..).unwrap_or_default()) {
            self.answer(number, &mut client, frame);
            done += frame.whole.len();
        }
        client.received = received;
        client.received.drain(..done);
        self.waiting.push(number);
        if let Some(place) = self.clients.get_mut(number) {
            *place = Some(client);
        }
    }

    fn answer(&mut self, number: usize, client: &mut Client, frame: Frame<'_>) {
        match frame.kind() {
            1 => client.out.extend_from_slice(&[0x20, 2, 0, 0]),
            8 => {
                let Some(([high, low], filters)) = frame.body.split_first_chunk::<2>() else { return };
                let Some((filter, [qos, ..])) = topic_of(filters) else { return };
                self.subscribers.entry(filter.to_vec()).or_default().push(number);
                client.out.extend_from_slice(&[0x90, 3, *high, *low, qos & 1]);
            }
            3 => self.forward(number, client, frame),
            _ => {}
        }
    }

    fn forward(&mut self, number: usize, client: &mut Client, frame: Frame<'_>) {
        let Some((topic, rest)) = topic_of(frame.body) else { return };
        if let (1, Some([high, low])) = (frame.qos(), rest.first_chunk::<2>()) {
            client.out.extend_from_slice(&[0x40, 2, *high, *low]);
        }
        for subscriber in self.subscribers.get(topic).into_iter().flatten() {
            if *subscriber == number {
                client.out.extend_from_slice(frame.whole);
            } else if let Some(Some(other)) = self.clients.get_mut(*subscriber) {
                if other.out.is_empty() {
                    self.waiting.push(*subscriber);
                }
                other.out.extend_from_slice(frame.whole);
            }
        }
    }

    fn flush(&mut self) {
        for number in self.waiting.drain(..) {
            if let Some(Some(client)) = self.clients.get_mut(number) {
                client.flush();
            }
        }
    }
}

impl Client {
    /// Reads what is there; none when the client has left.
    fn fill(&mut self, scratch: &mut [u8]) -> Option<()> {
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return None,
                Ok(count) => {
                    self.received.extend_from_slice(scratch.get(..count)?);
                    if count < scratch.len() {
                        return Some(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(()),
                Err(_) => return None,
            }
        }
    }

    fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.socket.write(&self.out) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(_) => break,
            }
        }
    }
}

const LISTENER: Token = Token(usize::MAX);
