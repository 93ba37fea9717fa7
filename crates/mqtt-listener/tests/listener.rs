//! Real sockets: raw bytes in, raw bytes out, over TCP and TLS.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::{Anonymous, Broker};
use doorway::{Bounds, ClientCertificate, DoorMetrics, Entrance, TlsSettings};
use mqtt_listener::{Door, LogIns, Unidentified};
use names::{AccountId, ArnSpace, CertificateId, Dialect, PolicyName, Region, Timestamp};
use registry::{CertificateMode, CertificateStatus, NewCertificate, PolicyTarget, Registry};
use router::Router;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use store::MemoryStore;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
const CONNACK: &[u8] = b"\x20\x02\0\0";

struct House {
    registry: Arc<Registry>,
    authority: x509::Authority,
    plain: SocketAddr,
    tls: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl House {
    async fn new() -> Self {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let store = MemoryStore::new();
        let registry = Arc::new(Registry::new(store.clone(), arns));
        let anonymous = Anonymous::from_policy(Anonymous::EVERYTHING).unwrap();
        let broker = Broker::new(Router::open(store, Default::default()).unwrap(), Arc::clone(&registry), anonymous);
        tokio::spawn(Arc::clone(&broker).follow_registry());
        let authority = x509::Authority::generate("test", NOW).unwrap();
        let server = authority.issue_server(&["localhost".to_owned()], NOW).unwrap();
        let default = doorway::Identity { chain_pem: server.certificate_pem, key_pem: server.private_key_pem };
        let settings = TlsSettings { default, named: Vec::new(), client_authorities: Vec::new() };
        let config = settings.config(ClientCertificate::Required, &[]).unwrap();
        let log_ins = Arc::new(LogIns::new(Arc::clone(broker.passwords())));
        let (stop, stopped) = watch::channel(false);
        let mut addresses = Vec::new();
        for (dialect, tls) in [(Dialect::Mqtt, None), (Dialect::Aws, Some(config))] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let entrance = Entrance { bounds: Bounds::default(), tls, metrics: Arc::<DoorMetrics>::default() };
            let door = Door::new(Arc::clone(&broker), Arc::clone(&log_ins), dialect, Unidentified::Anonymous);
            let welcome = move |arrival| door.clone().welcome(arrival);
            tokio::spawn(doorway::serve(listener, entrance, stopped.clone(), welcome));
        }
        Self { registry, authority, plain: addresses[0], tls: addresses[1], _stop: stop }
    }

    /// A registered device whose policy allows everything, and the TLS configuration that it connects with.
    fn device(&self) -> (CertificateId, Arc<rustls::ClientConfig>) {
        tokio::task::block_in_place(|| self.new_device())
    }

    fn new_device(&self) -> (CertificateId, Arc<rustls::ClientConfig>) {
        let device = self.authority.issue_device(NOW).unwrap();
        let config = self.client_config(Some((&device.certificate_pem, &device.private_key_pem)));
        let (status, mode) = (CertificateStatus::Active, CertificateMode::Default);
        let new = NewCertificate { pem: device.certificate_pem, status, mode };
        let id = self.registry.register_certificate(new, "g", NOW).unwrap().id;
        let name = PolicyName::new("all").unwrap();
        self.registry.create_policy(&name, Anonymous::EVERYTHING, NOW).unwrap();
        self.registry.attach_policy(&name, &PolicyTarget::Certificate(id)).unwrap();
        (id, config)
    }

    fn client_config(&self, identity: Option<(&str, &str)>) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.certificate_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match identity {
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        })
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.plain).await.unwrap()
    }

    async fn tls(&self, config: &Arc<rustls::ClientConfig>) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.tls).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name, stream).await.unwrap()
    }
}

async fn expect(stream: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    timeout(Duration::from_secs(10), stream.read_exact(&mut got)).await.expect("no answer").unwrap();
    assert_eq!(got, expected);
}

/// Whether the server closes without another byte.
async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.expect("still open");
    read.is_err() || rest.is_empty()
}

async fn connects(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
    let mut answer = [0; 4];
    stream.write_all(CONNECT).await.is_ok()
        && timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.expect("no answer").is_ok()
        && answer == CONNACK
}

/// SUBACK, and then the message and PINGRESP in either order: what comes through the mailbox may be overtaken.
async fn expect_answers(stream: &mut (impl AsyncRead + Unpin)) {
    expect(stream, b"\x90\x03\0\x01\0").await;
    let mut both = [0; 8];
    timeout(Duration::from_secs(10), stream.read_exact(&mut both)).await.expect("no answer").unwrap();
    assert!(both == *b"\x30\x04\0\x01ax\xd0\0" || both == *b"\xd0\0\x30\x04\0\x01ax", "{both:x?}");
}

#[tokio::test]
async fn packets_may_come_together_or_byte_by_byte() {
    let house = House::new().await;
    let mut stream = house.plain().await;
    // CONNECT, SUBSCRIBE "a" at QoS 0, PUBLISH "x" to "a", PINGREQ in one write [MQTT-3.1.4-5].
    let rest = b"\x82\x06\0\x01\0\x01a\0\x30\x04\0\x01ax\xc0\0";
    stream.write_all(&[CONNECT, rest].concat()).await.unwrap();
    expect(&mut stream, CONNACK).await;
    expect_answers(&mut stream).await;
    for byte in rest {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    expect_answers(&mut stream).await;
    stream.write_all(b"\xe0\0").await.unwrap();
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn a_burst_of_qos_0_loses_nothing_for_a_subscriber_who_keeps_up() {
    let house = House::new().await;
    let mut subscriber = house.plain().await;
    // CONNECT with another client id, SUBSCRIBE "a" at QoS 0.
    subscriber.write_all(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01s\x82\x06\0\x01\0\x01a\0").await.unwrap();
    expect(&mut subscriber, b"\x20\x02\0\0\x90\x03\0\x01\0").await;
    let mut publisher = house.plain().await;
    assert!(connects(&mut publisher).await);
    let burst: Vec<u8> =
        (0..5000u16).flat_map(|n| [b"\x30\x05\0\x01a".as_slice(), &n.to_be_bytes()].concat()).collect();
    publisher.write_all(&burst).await.unwrap();
    expect(&mut subscriber, &burst).await;
}

#[tokio::test]
async fn a_silent_client_is_disconnected_after_one_and_a_half_keep_alives_and_its_will_is_sent() {
    let house = House::new().await;
    let mut watcher = house.plain().await;
    watcher.write_all(&[CONNECT, b"\x82\x06\0\x01\0\x01w\0"].concat()).await.unwrap();
    expect(&mut watcher, b"\x20\x02\0\0\x90\x03\0\x01\0").await;
    let mut silent = house.plain().await;
    let began = std::time::Instant::now();
    // Keep alive 1 s, will "!" on "w".
    silent.write_all(b"\x10\x13\0\x04MQTT\x04\x06\0\x01\0\x01s\0\x01w\0\x01!").await.unwrap();
    expect(&mut silent, CONNACK).await;
    assert!(is_closed(&mut silent).await);
    let waited = began.elapsed();
    assert!((Duration::from_millis(1400)..Duration::from_millis(4000)).contains(&waited), "{waited:?} [MQTT-3.1.2-24]");
    expect(&mut watcher, b"\x30\x04\0\x01w!").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_connects_with_its_certificate() {
    let house = House::new().await;
    let (_, config) = house.device();
    assert!(connects(&mut house.tls(&config).await).await);
}

#[tokio::test]
async fn without_a_certificate_the_handshake_fails() {
    let house = House::new().await;
    let config = house.client_config(None);
    // In TLS 1.3 the client learns of it with its first read.
    let mut stream = house.tls(&config).await;
    assert!(!connects(&mut stream).await);
}

#[tokio::test]
async fn an_unregistered_certificate_is_closed_without_connack() {
    let house = House::new().await;
    let stranger = house.authority.issue_device(NOW).unwrap();
    let config = house.client_config(Some((&stranger.certificate_pem, &stranger.private_key_pem)));
    let mut stream = house.tls(&config).await;
    stream.write_all(CONNECT).await.unwrap();
    assert!(is_closed(&mut stream).await);
}

/// A resumed handshake does not call the verifier, so the certificate's status has to be asked after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deactivated_certificate_does_not_come_back_with_a_session_ticket() {
    let house = House::new().await;
    let (id, config) = house.device();
    let mut first = house.tls(&config).await;
    assert!(connects(&mut first).await);
    let mut second = house.tls(&config).await;
    assert!(connects(&mut second).await);
    assert_eq!(second.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Resumed), "no ticket was used");
    let registry = Arc::clone(&house.registry);
    tokio::task::spawn_blocking(move || {
        registry.update_certificate_status(&id, CertificateStatus::Inactive, NOW).map(|_| ()).unwrap();
    })
    .await
    .unwrap();
    assert!(is_closed(&mut second).await, "the live connection ends at once");
    let mut third = house.tls(&config).await;
    assert!(!connects(&mut third).await);
    assert_eq!(third.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Resumed), "no ticket was used");
}

#[tokio::test]
async fn malformed_bytes_end_their_own_connection_only() {
    let house = House::new().await;
    let mut bystander = house.plain().await;
    assert!(connects(&mut bystander).await);
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"\x10\xff\xff\xff\xff\x7f", b"\x10\xff\xff\xff\x7f", &[0; 64]]
    {
        let mut stream = house.plain().await;
        stream.write_all(bytes).await.unwrap();
        assert!(is_closed(&mut stream).await, "{bytes:x?}");
        let mut raw = TcpStream::connect(house.tls).await.unwrap();
        raw.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(15), raw.read_to_end(&mut rest)).await.expect("still open");
    }
    bystander.write_all(b"\xc0\0").await.unwrap();
    expect(&mut bystander, b"\xd0\0").await;
}

/// A client that reads nothing must not hold up the others, nor its own end.
#[tokio::test]
async fn a_client_that_stops_reading_is_given_up_and_others_do_not_wait() {
    let house = House::new().await;
    let mut deaf = house.plain().await;
    deaf.write_all(&[CONNECT, b"\x82\x06\0\x01\0\x01t\x01"].concat()).await.unwrap();
    expect(&mut deaf, b"\x20\x02\0\0\x90\x03\0\x01\x01").await;
    let mut publisher = house.plain().await;
    publisher.write_all(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01p").await.unwrap();
    expect(&mut publisher, CONNACK).await;
    // 400 messages of 128 KB at QoS 1: over the mailbox's hard limit, whatever the sockets take.
    let mut packet = vec![0x32, 0x85, 0x80, 0x08, 0, 1, b't', 0, 1];
    packet.resize(packet.len() + 131_072, b'x');
    for _ in 0..400 {
        publisher.write_all(&packet).await.unwrap();
        expect(&mut publisher, b"\x40\x02\0\x01").await;
    }
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match timeout(Duration::from_secs(10), deaf.read(&mut buffer)).await.expect("still open") {
            Ok(0) | Err(_) => break,
            Ok(read) => taken += read,
        }
    }
    assert!(taken < 400 * 131_072, "everything was delivered, so nothing was tested");
}
