//! MQTT over WebSocket, the client's side (MQTT 3.1.1, 6; RFC 6455): the upgrade, and binary frames around the bytes.

use crate::inbound::Malformed;

/// A client's WebSocket: what is around the bytes of MQTT.
pub(crate) struct WebSocket {
    is_open: bool,
    /// Frames to be sent; the first `sent` bytes of them have been.
    pub(crate) out: Vec<u8>,
    pub(crate) sent: usize,
    /// What came, frames and all.
    pub(crate) received: Vec<u8>,
    /// How much of the current frame's payload is still to come.
    payload_left: usize,
}

impl WebSocket {
    /// Begins with the request that upgrades.
    pub(crate) fn new(host: &str, path: &str) -> Self {
        let out = upgrade_request(host, path);
        Self { is_open: false, out, sent: 0, received: Vec::new(), payload_left: 0 }
    }

    /// Puts MQTT's bytes into a frame, once the upgrade is done; says whether it took them.
    pub(crate) fn wrap(&mut self, bytes: &[u8]) -> bool {
        if self.is_open && !bytes.is_empty() {
            write_frame(BINARY, bytes, &mut self.out);
        }
        self.is_open
    }

    /// Moves MQTT's bytes out of the frames that came.
    pub(crate) fn unwrap_into(&mut self, mqtt: &mut Vec<u8>) -> Result<(), String> {
        let mut done = 0;
        if !self.is_open {
            let Some(head) = upgrade_answer(&self.received)? else { return Ok(()) };
            (self.is_open, done) = (true, head);
        }
        loop {
            let rest = self.received.get(done..).unwrap_or_default();
            if self.payload_left > 0 {
                let count = self.payload_left.min(rest.len());
                mqtt.extend_from_slice(rest.get(..count).unwrap_or_default());
                (self.payload_left, done) = (self.payload_left - count, done + count);
                if self.payload_left > 0 {
                    break;
                }
                continue;
            }
            match next_step(rest).map_err(|Malformed| "a frame that no server may send".to_owned())? {
                Step::Wait => break,
                Step::Skip(count) => done += count,
                Step::Ping { head, payload } => {
                    write_frame(PONG, rest.get(head..head + payload).unwrap_or_default(), &mut self.out);
                    done += head + payload;
                }
                Step::Data { head, payload } => (self.payload_left, done) = (payload, done + head),
                Step::Close => return Err("the broker closed it".to_owned()),
            }
        }
        self.received.drain(..done);
        Ok(())
    }
}

/// What was found in the received bytes.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Nothing whole yet.
    Wait,
    /// After `head` bytes, the next `payload` bytes are MQTT's.
    Data { head: usize, payload: usize },
    /// So many bytes are done and carry nothing.
    Skip(usize),
    /// After `head` bytes there are `payload` bytes that a pong must repeat (RFC 6455, 5.5.3).
    Ping { head: usize, payload: usize },
    /// The broker closes.
    Close,
}

/// The request that upgrades. The key is any 16 bytes in base64: it only proves that the answer is not a stale one.
fn upgrade_request(host: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: YWx0aGluZy1iZW5jaC0wMQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    .into_bytes()
}

/// How long the head of the answer is once it is there; another status than 101 is the error (RFC 6455, 4.1).
fn upgrade_answer(received: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if received.len() > HEAD_BYTES_MAX { Err("the answer has no end".to_owned()) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(received.get(..end).unwrap_or_default()).into_owned();
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("101") { Ok(Some(end + 4)) } else { Err(format!("the answer is {status:?}")) }
}

/// Puts one whole frame around `bytes`. Clients mask (RFC 6455, 5.3); the mask of zeros leaves the bytes as they are.
fn write_frame(opcode: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(FINAL | opcode);
    match (u8::try_from(bytes.len()), u16::try_from(bytes.len())) {
        (Ok(short @ 0..=125), _) => out.push(0x80 | short),
        (_, Ok(medium)) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(bytes);
}

/// Looks at the head of the received bytes. Payload may be taken before all of its frame has come.
fn next_step(received: &[u8]) -> Result<Step, Malformed> {
    let [first, second, rest @ ..] = received else { return Ok(Step::Wait) };
    let (head, payload) = match (second, rest) {
        (length @ 0..=125, _) => (2, usize::from(*length)),
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (127, rest) => match rest.first_chunk::<8>() {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Malformed)?),
            None => return Ok(Step::Wait),
        },
        (126, _) => return Ok(Step::Wait),
        // A server does not mask (RFC 6455, 5.1).
        _ => return Err(Malformed),
    };
    match first & 0x0f {
        CONTINUATION | BINARY => Ok(Step::Data { head, payload }),
        CLOSE => Ok(Step::Close),
        // All others are control frames, which are short (RFC 6455, 5.5), or reserved.
        _ if payload > CONTROL_BYTES_MAX => Err(Malformed),
        _ if received.len() < head + payload => Ok(Step::Wait),
        PING => Ok(Step::Ping { head, payload }),
        PONG => Ok(Step::Skip(head + payload)),
        _ => Err(Malformed),
    }
}

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// The first bit: no continuation follows.
const FINAL: u8 = 0x80;
const CONTROL_BYTES_MAX: usize = 125;
const HEAD_BYTES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_three_lengths() {
        let check = |length: usize, expected: &[u8]| {
            let mut out = Vec::new();
            write_frame(BINARY, &vec![7; length], &mut out);
            assert_eq!(out.get(..expected.len()), Some(expected));
            assert_eq!(out.len(), expected.len() + length);
        };
        check(2, b"\x82\x82\0\0\0\0");
        check(200, b"\x82\xfe\x00\xc8\0\0\0\0");
        check(70_000, b"\x82\xff\0\0\0\0\0\x01\x11\x70\0\0\0\0");
    }

    #[test]
    fn heads_are_read() {
        let check = |bytes: &[u8], expected| assert_eq!(next_step(bytes), expected, "{bytes:?}");
        check(b"\x82", Ok(Step::Wait));
        check(b"\x82\x02", Ok(Step::Data { head: 2, payload: 2 }));
        check(b"\x82\x7e\x01", Ok(Step::Wait));
        check(b"\x82\x7e\x01\x00", Ok(Step::Data { head: 4, payload: 256 }));
        check(b"\x02\x7f\0\0\0\0\0\x01\x11\x70", Ok(Step::Data { head: 10, payload: 70_000 }));
        check(b"\x89\x01", Ok(Step::Wait));
        check(b"\x89\x01x", Ok(Step::Ping { head: 2, payload: 1 }));
        check(b"\x8a\x01x", Ok(Step::Skip(3)));
        check(b"\x89\x7f\xff\xff\xff\xff\xff\xff\xff\xff", Err(Malformed));
        check(b"\x81\x01x", Err(Malformed));
        check(b"\x88\x00", Ok(Step::Close));
        check(b"\x82\x82\0\0\0\0xy", Err(Malformed));
    }

    #[test]
    fn mqtt_passes_however_the_bytes_are_cut() {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
        let bytes = [answer.as_slice(), b"\x82\x03abc\x89\x01p\x82\x02de"].concat();
        for cut in 0..bytes.len() {
            let mut websocket = WebSocket::new("h", "/mqtt");
            assert!(!websocket.wrap(b"x"), "not before the upgrade");
            let mut mqtt = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                websocket.received.extend_from_slice(part);
                websocket.unwrap_into(&mut mqtt).unwrap();
            }
            assert_eq!(mqtt, b"abcde", "cut at {cut}");
            assert!(websocket.out.ends_with(b"\x8a\x81\0\0\0\0p"), "the pong, cut at {cut}");
            assert!(websocket.wrap(b"x"));
        }
    }

    #[test]
    fn only_101_upgrades() {
        assert_eq!(upgrade_answer(b"HTTP/1.1 101 Switching"), Ok(None));
        assert_eq!(upgrade_answer(b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n\x82"), Ok(Some(42)));
        assert!(upgrade_answer(b"HTTP/1.1 404 Not Found\r\n\r\n").unwrap_err().contains("404"));
    }
}
