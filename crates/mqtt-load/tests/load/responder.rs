//! A broker of a hundred lines for tests, and its bad habits. A thread for each connection; exact topics only.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use mqtt_load::{Frame, next_frame, topic_of};

/// What the broker does wrong, if anything.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Habit {
    None,
    /// CONNACK with this code.
    Refuses(u8),
    /// SUBACK with this code.
    Grants(u8),
    /// PUBACK with this reason code (MQTT 5).
    RefusesPublishes(u8),
    /// DISCONNECT with this reason code at the first publish (MQTT 5).
    Disconnects(u8),
    /// Takes messages and delivers none.
    Swallows,
    /// Closes each connection at once.
    Closes,
    /// Sends bytes that are no MQTT.
    Babbles,
}

#[derive(Default)]
struct State {
    /// Client identifiers by topic.
    subscribers: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    sessions: HashMap<Vec<u8>, Session>,
    last_packet_id: u16,
}

#[derive(Default)]
struct Session {
    stream: Option<TcpStream>,
    waiting: Vec<Vec<u8>>,
}

/// Listens on a free port until the test ends.
pub(crate) fn start(habit: Habit) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::new(Mutex::new(State::default()));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let state = Arc::clone(&state);
            std::thread::spawn(move || Connection { stream, habit, is_v5: false, client_id: Vec::new() }.serve(&state));
        }
    });
    address
}

struct Connection {
    stream: TcpStream,
    habit: Habit,
    is_v5: bool,
    client_id: Vec<u8>,
}

impl Connection {
    fn serve(mut self, state: &Mutex<State>) {
        if self.habit == Habit::Closes {
            return;
        }
        let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = self.stream.read(&mut chunk) {
            let mut is_leaving = false;
            buffer.extend_from_slice(&chunk[..count]);
            let mut done = 0;
            while let Some(frame) = next_frame(&buffer[done..]).unwrap() {
                done += frame.whole.len();
                is_leaving = frame.kind() == 14;
                self.answer(&frame, &mut state.lock().unwrap());
            }
            buffer.drain(..done);
            if is_leaving {
                break;
            }
        }
        if let Some(session) = state.lock().unwrap().sessions.get_mut(&self.client_id) {
            session.stream = None;
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        // A client that has left is noticed by the next read.
        drop(self.stream.write_all(bytes));
    }

    fn answer(&mut self, frame: &Frame<'_>, state: &mut State) {
        let body = frame.body;
        match frame.kind() {
            1 => self.connect(body, state),
            8 => {
                let (filter, _) = topic_of(&body[if self.is_v5 { 3 } else { 2 }..]).unwrap();
                state.subscribers.entry(filter.to_vec()).or_default().push(self.client_id.clone());
                let code = if let Habit::Grants(code) = self.habit { code } else { body[body.len() - 1] };
                let mut suback = vec![body[0], body[1]];
                suback.extend(self.is_v5.then_some(0));
                suback.push(code);
                self.send(&[&[0x90, u8::try_from(suback.len()).unwrap()], suback.as_slice()].concat());
            }
            3 => self.publish(frame, state),
            5 => self.send(&[0x62, 2, body[0], body[1]]),
            6 => self.send(&[0x70, 2, body[0], body[1]]),
            12 => self.send(&[0xd0, 0]),
            _ => {}
        }
    }

    fn connect(&mut self, body: &[u8], state: &mut State) {
        self.is_v5 = body[6] == 5;
        let properties = if self.is_v5 { 1 + usize::from(body[10]) } else { 0 };
        self.client_id = topic_of(&body[10 + properties..]).unwrap().0.to_vec();
        let code = if let Habit::Refuses(code) = self.habit { code } else { 0 };
        match (self.habit, self.is_v5) {
            (Habit::Babbles, _) => self.send(b"HTTP/1.1 \xff\xff\xff\xff\xff\xff\xff\xff"),
            (_, false) => self.send(&[0x20, 2, 0, code]),
            (_, true) => self.send(&[0x20, 3, 0, code, 0]),
        }
        if body[7] & 2 != 0 {
            state.sessions.remove(&self.client_id);
            state.subscribers.values_mut().for_each(|ids| ids.retain(|id| *id != self.client_id));
        }
        let session = state.sessions.entry(self.client_id.clone()).or_default();
        session.stream = self.stream.try_clone().ok();
        for packet in std::mem::take(&mut session.waiting) {
            self.send(&packet);
        }
    }

    fn publish(&mut self, frame: &Frame<'_>, state: &mut State) {
        let (topic, rest) = topic_of(frame.body).unwrap();
        let (id, payload) = if frame.qos() > 0 { rest.split_at(2) } else { rest.split_at(0) };
        match (self.habit, frame.qos()) {
            (Habit::RefusesPublishes(code), 1) => self.send(&[0x40, 3, id[0], id[1], code]),
            (Habit::Disconnects(code), _) => self.send(&[0xe0, 1, code]),
            (_, 1) => self.send(&[0x40, 2, id[0], id[1]]),
            (_, 2) => self.send(&[0x50, 2, id[0], id[1]]),
            _ => {}
        }
        if self.habit == Habit::Swallows {
            return;
        }
        for client_id in state.subscribers.get(topic).into_iter().flatten() {
            state.last_packet_id = state.last_packet_id % 65_535 + 1;
            let packet_id = state.last_packet_id.to_be_bytes();
            let packet_id = if frame.qos() > 0 { packet_id.as_slice() } else { &[] };
            let topic_length = u16::try_from(topic.len()).unwrap().to_be_bytes();
            let body = [&topic_length, topic, packet_id, payload].concat();
            // Tests send less than 127 bytes.
            let packet = [&[frame.first, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
            let session = state.sessions.get_mut(client_id).unwrap();
            match session.stream.as_mut() {
                Some(stream) => drop(stream.write_all(&packet)),
                None => session.waiting.push(packet),
            }
        }
    }
}
