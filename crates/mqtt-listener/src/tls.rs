//! TLS for the doors: a server identity, and client certificates taken as proof of a key and nothing more.
//!
//! Who may connect is the broker's question: a handshake proves that the client holds the key of the certificate that
//! it shows, whoever signed that. A resumed handshake skips even this verifier, so the certificate's status is never
//! looked up here but at CONNECT.

use std::sync::Arc;

use names::CertificateId;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

/// Whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// The handshake fails without one.
    Required,
    /// It may.
    Optional,
}

/// Why a server identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The PEM text holds no usable certificate or key.
    #[error("the server's certificate or key is not usable PEM: {0}")]
    Pem(String),
    /// The key does not fit the certificate, or rustls refuses it.
    #[error("the server's certificate and key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The TLS configuration of a door: TLS 1.2 and 1.3, the server's chain and key, and the protocol names it answers to.
///
/// # Errors
/// [`TlsError`] says what is wrong with the chain or the key.
pub fn server_config(
    chain_pem: &str,
    key_pem: &str,
    client: ClientCertificate,
    protocols: &[&str],
) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |error: rustls::pki_types::pem::Error| TlsError::Pem(error.to_string());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).collect::<Result<_, _>>().map_err(pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(pem)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = KeyHolder { provider: Arc::clone(&provider), mandatory: client == ClientCertificate::Required };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

/// The id of the certificate that a client showed, in a full handshake or in the one that this resumes.
pub fn peer_certificate_id(connection: &rustls::ServerConnection) -> Option<CertificateId> {
    connection.peer_certificates()?.first().map(|leaf| x509::certificate_id(leaf))
}

/// Accepts every readable certificate whose key the client proves to hold.
#[derive(Debug)]
struct KeyHolder {
    provider: Arc<CryptoProvider>,
    mandatory: bool,
}

impl ClientCertVerifier for KeyHolder {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match x509::Certificate::from_der(leaf) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(_) => Err(rustls::Error::InvalidCertificate(CertificateError::BadEncoding)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
