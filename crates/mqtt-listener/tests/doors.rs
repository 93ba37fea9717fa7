//! WebSockets and passwords over real sockets: frames and packets in bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Anonymous, Broker, BrokerSettings, Identity, Passwords, Peer, UserConfig, hash_password};
use bytes::Bytes;
use mqtt_listener::{Door, LogIns, Unidentified};
use names::{AccountId, ArnSpace, Dialect, Region};
use registry::Registry;
use router::Router;
use store::MemoryStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// MQTT 3.1.1 CONNECT of client "c" with clean session.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
const CONNACK: &[u8] = b"\x20\x02\0\0";

fn door(unidentified: Unidentified, users: Vec<UserConfig>) -> Door {
    let arns = ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
    let store = MemoryStore::new();
    let registry = Arc::new(Registry::new(store.clone(), arns));
    let anonymous = Anonymous::from_policy(Anonymous::EVERYTHING).unwrap();
    let passwords = Arc::new(Passwords::from_config(users).unwrap());
    // Opening waits for the store, which must not be done where a task runs.
    let router = std::thread::spawn(move || Router::open(store, Default::default()).unwrap()).join().unwrap();
    let broker =
        Broker::with_settings(router, registry, BrokerSettings { anonymous, passwords, quotas: Default::default() });
    let log_ins = Arc::new(LogIns::new(Arc::clone(broker.passwords())));
    Door::new(broker, log_ins, Dialect::Mqtt, unidentified)
}

/// Two ends of a TCP connection.
async fn pair() -> (TcpStream, doorway::Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, doorway::Stream::Plain(listener.accept().await.unwrap().0))
}

/// A WebSocket whose handshake is done.
async fn websocket(door: &Door, read_ahead: &[u8], age_max: Option<Duration>) -> TcpStream {
    websocket_of(Dialect::Mqtt, door, read_ahead, age_max).await
}

async fn websocket_of(dialect: Dialect, door: &Door, read_ahead: &[u8], age_max: Option<Duration>) -> TcpStream {
    let (client, server) = pair().await;
    let peer = Peer {
        identity: Identity::Iam(Arc::from("AIDAEXAMPLE")),
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        source_port: None,
        target: None,
        dialect,
    };
    tokio::spawn(door.clone().welcome_websocket(server, Bytes::copy_from_slice(read_ahead), peer, age_max));
    client
}

/// A whole masked frame (RFC 6455, 5.2) of at most 125 bytes; the mask is zero.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0], payload].concat()
}

const BINARY: u8 = 2;
const CLOSE: u8 = 8;

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(Duration::from_secs(10), stream.read_exact(&mut bytes)).await.expect("no answer").unwrap();
    bytes
}

/// What comes until the end.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await.expect("still open");
    bytes
}

/// One that receives the reasons of all others' ends.
async fn watcher(door: &Door) -> TcpStream {
    let mut stream = websocket(door, b"", None).await;
    let filter = b"$aws/events/presence/disconnected/#";
    let subscribe = [&[0x82, 5 + u8::try_from(filter.len()).unwrap(), 0, 1, 0, 35], filter.as_slice(), &[0]].concat();
    let connect = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01w";
    stream.write_all(&[frame(BINARY, connect), frame(BINARY, &subscribe)].concat()).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, [b"\x82\x04", CONNACK].concat());
    assert_eq!(read(&mut stream, 7).await, b"\x82\x05\x90\x03\0\x01\0");
    stream
}

async fn next_reason(watcher: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((_, after)) = text.split_once("\"disconnectReason\":\"") {
            return after.split('"').next().unwrap().to_owned();
        }
        let length = timeout(Duration::from_secs(10), watcher.read(&mut buffer)).await.expect("no event").unwrap();
        assert!(length > 0, "closed");
        seen.extend_from_slice(&buffer[..length]);
    }
}

#[tokio::test]
async fn what_was_read_with_the_handshake_comes_first() {
    let door = door(Unidentified::Refused, Vec::new());
    let mut stream = websocket(&door, &frame(BINARY, CONNECT)[..9], None).await;
    stream.write_all(&frame(BINARY, CONNECT)[9..]).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, [b"\x82\x04", CONNACK].concat());
}

/// AWS quotas: a signed WebSocket lives a day; disconnect reason WEBSOCKET_TTL_EXPIRATION.
#[tokio::test]
async fn a_websocket_ends_at_its_age_however_busy() {
    let door = door(Unidentified::Refused, Vec::new());
    let mut watcher = watcher(&door).await;
    let mut stream = websocket(&door, b"", Some(Duration::from_secs(1))).await;
    let began = Instant::now();
    stream.write_all(&frame(BINARY, CONNECT)).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, [b"\x82\x04", CONNACK].concat());
    while began.elapsed() < Duration::from_secs(5) {
        if stream.write_all(&frame(BINARY, b"\xc0\0")).await.is_err() {
            break;
        }
        let Ok(Ok(answer)) = timeout(Duration::from_secs(5), stream.read_u16()).await else { break };
        if answer == 0x8800 {
            break; // a close frame
        }
        assert_eq!(answer, 0x8202);
        assert_eq!(read(&mut stream, 2).await, b"\xd0\0");
    }
    assert!((900..3000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(next_reason(&mut watcher).await, "WEBSOCKET_TTL_EXPIRATION");
}

#[tokio::test]
async fn broken_frames_end_the_connection_as_the_clients_error() {
    let door = door(Unidentified::Refused, Vec::new());
    let mut watcher = watcher(&door).await;
    let unmasked = b"\x82\x02\xc0\0".to_vec(); // RFC 6455, 5.1
    let reserved_bits = [&[0xf2, 0x82, 0, 0, 0, 0], b"\xc0\0".as_slice()].concat(); // RFC 6455, 5.2
    let unknown_opcode = frame(3, b"\xc0\0");
    let long_ping = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0], [0; 126].as_slice()].concat(); // RFC 6455, 5.5
    let huge = b"\x82\xff\0\0\0\xff\0\0\0\0\0\0\0\0".to_vec();
    for broken in [unmasked, reserved_bits, unknown_opcode, long_ping, huge, frame(1, b"text")] {
        let mut stream = websocket(&door, b"", None).await;
        stream.write_all(&[frame(BINARY, CONNECT), broken.clone()].concat()).await.unwrap();
        assert!(rest(&mut stream).await.starts_with(&[b"\x82\x04", CONNACK].concat()));
        assert_eq!(next_reason(&mut watcher).await, "CLIENT_ERROR", "{:x?}", &broken[..4]);
    }
}

/// At AWS it counts as DISCONNECT (developer guide, mqtt), by the standard it does not [MQTT-3.1.2-8].
#[tokio::test]
async fn a_close_frame_is_answered() {
    let door = door(Unidentified::Refused, Vec::new());
    let mut watcher = watcher(&door).await;
    for (dialect, reason) in [(Dialect::Aws, "CLIENT_INITIATED_DISCONNECT"), (Dialect::Mqtt, "CONNECTION_LOST")] {
        let mut stream = websocket_of(dialect, &door, b"", None).await;
        let goodbye = frame(CLOSE, b"\x03\xe8"); // 1000, normal closure
        stream.write_all(&[frame(BINARY, CONNECT), goodbye].concat()).await.unwrap();
        assert_eq!(rest(&mut stream).await, [b"\x82\x04", CONNACK, b"\x88\x02\x03\xe8"].concat());
        assert_eq!(next_reason(&mut watcher).await, reason);
    }
}

fn ann() -> Vec<UserConfig> {
    let password_hash = hash_password(b"pass", b"0123456789abcdef").unwrap();
    vec![UserConfig { name: "ann".to_owned(), password_hash, policy_document: None }]
}

/// CONNECT of client "c" with a user name and a password of one digit's length.
fn connect_as(user: &[u8], password: &[u8]) -> Vec<u8> {
    let field = |text: &[u8]| [&[0, u8::try_from(text.len()).unwrap()], text].concat();
    let body = [b"\0\x04MQTT\x04\xc2\0\x3c", field(b"c").as_slice(), &field(user), &field(password)].concat();
    [&[0x10, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

async fn plain(door: &Door) -> TcpStream {
    let (client, stream) = pair().await;
    let source = client.local_addr().unwrap();
    tokio::spawn(door.clone().welcome(doorway::Arrival { stream, source, target: None, certificate: None }));
    client
}

#[tokio::test]
async fn a_password_is_checked_before_the_broker_hears_a_word() {
    let door = door(Unidentified::Refused, ann());
    // In one piece with a PINGREQ behind it, and byte by byte.
    let mut stream = plain(&door).await;
    stream.write_all(&[connect_as(b"ann", b"pass"), b"\xc0\0".to_vec()].concat()).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, [CONNACK, b"\xd0\0"].concat());
    let mut stream = plain(&door).await;
    for byte in connect_as(b"ann", b"pass") {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&mut stream, 4).await, CONNACK);
    // MQTT 3.1.1, 3.2.2.3: 4 is bad user name or password.
    for (user, password) in [("ann", "wrong"), ("ann", ""), ("bob", "pass"), ("", "")] {
        let mut stream = plain(&door).await;
        stream.write_all(&connect_as(user.as_bytes(), password.as_bytes())).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"\x20\x02\0\x04", "{user} {password}");
    }
}

#[tokio::test]
async fn without_a_name_the_door_says_who_comes_in() {
    for (unidentified, answer) in [(Unidentified::Anonymous, CONNACK), (Unidentified::Refused, b"\x20\x02\0\x04")] {
        let mut stream = plain(&door(unidentified, ann())).await;
        stream.write_all(&[CONNECT, b"\xe0\0"].concat()).await.unwrap();
        assert_eq!(rest(&mut stream).await, answer, "{unidentified:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_connect_are_refused_and_silence_ends() {
    let mut door = door(Unidentified::Refused, ann());
    door.connect_time_max = Duration::from_millis(500);
    for bytes in [b"\xc0\0".as_slice(), b"\x10\xff\xff\xff\xff", b"\x10\xff\xff\xff\x7f", b"\x10\0", b"", b"\x10\x20\0"]
    {
        let mut stream = plain(&door).await;
        stream.write_all(bytes).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"", "{bytes:x?}");
    }
}
