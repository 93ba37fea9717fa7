//! The same APIs through TLS, over HTTP/1.1 and HTTP/2 by ALPN.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use names::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{Ask, World};

#[tokio::test(flavor = "multi_thread")]
async fn https_serves_both_versions_of_http() {
    let (server, client) = configs();
    let world = World::start_with(Some(server)).await;
    for protocol in ["http/1.1", "h2"] {
        let stream = connect(&world, &client, protocol).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let signed = String::from_utf8(Ask::new("GET", "/things", "").signed("localhost")).unwrap();
        let headers = signed.lines().filter_map(|line| line.split_once(": "));
        let mut request = http::Request::get("https://localhost/things");
        for (name, value) in headers.filter(|(name, _)| !matches!(*name, "connection" | "content-length")) {
            // HTTP/2 has the host in `:authority` only.
            if protocol != "h2" || name != "host" {
                request = request.header(name, value);
            }
        }
        let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
        let stream = TokioIo::new(stream);
        let response = if protocol == "h2" {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        };
        assert_eq!(response.status(), 200, "{protocol}");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{\"things\":[]}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_speaks_no_tls_is_refused_and_others_are_served() {
    let (server, client) = configs();
    let world = World::start_with(Some(server)).await;
    let bytes = world.exchange(b"GET /things HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
    connect(&world, &client, "http/1.1").await;
}

async fn connect(world: &World, client: &ClientConfig, protocol: &str) -> TlsStream<TcpStream> {
    let mut client = client.clone();
    client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(&world.address).await.unwrap();
    TlsConnector::from(Arc::new(client)).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

fn configs() -> (Arc<ServerConfig>, ClientConfig) {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let authority = x509::Authority::generate("Test CA", now).unwrap();
    let issued = authority.issue_server(&["localhost".to_owned()], now).unwrap();
    let certificate = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.private_key_pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let mut server = server.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Arc::new(server), client.with_root_certificates(roots).with_no_client_auth())
}
