//! What a client's certificate must be for the handshake to succeed: readable, with a key that the client holds, and,
//! where authorities are configured, issued by one of them.
//!
//! Who may connect is the broker's question. A resumed handshake skips even this verifier, so the certificate's status
//! is never looked up here but at CONNECT.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, SignatureScheme};

/// Accepts every readable certificate whose key the client proves to hold.
#[derive(Debug)]
pub(crate) struct KeyHolder {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) is_mandatory: bool,
    /// Checks chains, where authorities are configured.
    pub(crate) chains: Option<Arc<dyn ClientCertVerifier>>,
}

impl ClientCertVerifier for KeyHolder {
    /// None: AWS IoT Core sends no hints either, and devices that choose by them would find nothing to show.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let Ok(certificate) = x509::Certificate::from_der(leaf) else {
            return Err(rustls::Error::InvalidCertificate(CertificateError::BadEncoding));
        };
        // One that signs itself has no chain: whether it is registered is asked at CONNECT, as of all of them.
        match &self.chains {
            Some(chains) if certificate.issuer != certificate.subject => {
                chains.verify_client_cert(leaf, intermediates, now)
            }
            _ => Ok(ClientCertVerified::assertion()),
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
