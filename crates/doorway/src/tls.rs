//! TLS 1.2 and 1.3 for the doors: the server's certificates, and what is asked of the clients'.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use crate::client_certificate::KeyHolder;
use crate::server_certificate::ByServerName;

/// Whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// The handshake fails without one.
    Required,
    /// It may.
    Optional,
}

/// A certificate chain, leaf first, and its private key, both PEM.
#[derive(Clone)]
pub struct Identity {
    /// The chain.
    pub chain_pem: String,
    /// The key; a secret.
    pub key_pem: String,
}

/// A certificate for clients that ask for one of its names (SNI).
#[derive(Clone)]
pub struct NamedIdentity {
    /// Host names; `*.` in front stands for one label.
    pub names: Vec<String>,
    /// What is shown to those who ask for one of them.
    pub identity: Identity,
}

/// What all TLS listeners of a server share.
#[derive(Clone)]
pub struct TlsSettings {
    /// Shown to clients that ask for none of the names below.
    pub default: Identity,
    /// Shown to those who ask for them.
    pub named: Vec<NamedIdentity>,
    /// PEM text of the authorities of which one must have issued a client's certificate, unless it signs itself.
    /// Without any, who issued it does not matter.
    pub client_authorities: Vec<String>,
}

/// Why a server identity or an authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The PEM text holds no usable certificate or key.
    #[error("a certificate or key is not usable PEM: {0}")]
    Pem(String),
    /// The key does not fit the certificate, or rustls refuses it.
    #[error("a certificate and key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
    /// An authority cannot be one.
    #[error("the authorities of clients cannot be used: {0}")]
    Authorities(String),
}

impl TlsSettings {
    /// The TLS configuration of one listener, with the protocol names that it answers to, the most wanted first.
    ///
    /// Sessions may be resumed by ticket, for 6 to 12 hours, whatever the certificate's status is by then: that is
    /// asked after the handshake.
    ///
    /// # Errors
    /// [`TlsError`] says what is wrong with the certificates or keys.
    pub fn config(&self, client: ClientCertificate, protocols: &[&str]) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = KeyHolder {
            chains: self.chains(&provider)?,
            provider: Arc::clone(&provider),
            is_mandatory: client == ClientCertificate::Required,
        };
        let mut named = HashMap::new();
        for NamedIdentity { names, identity } in &self.named {
            let certified = identity.certified(&provider)?;
            named.extend(names.iter().map(|name| (name.to_ascii_lowercase(), Arc::clone(&certified))));
        }
        let default = self.default.certified(&provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(ByServerName { named, default }));
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn chains(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        if self.client_authorities.is_empty() {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        for text in &self.client_authorities {
            for authority in certificates(text)? {
                roots.add(authority).map_err(|error| TlsError::Authorities(error.to_string()))?;
            }
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        match verifier {
            Ok(verifier) => Ok(Some(verifier)),
            Err(error) => Err(TlsError::Authorities(error.to_string())),
        }
    }
}

impl Identity {
    fn certified(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(pem_error)?;
        let certified = CertifiedKey::from_der(certificates(&self.chain_pem)?, key, provider)?;
        Ok(Arc::new(certified))
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(pem_error)?;
    if found.is_empty() { Err(TlsError::Pem("there is no certificate in it".to_owned())) } else { Ok(found) }
}

fn pem_error(error: rustls::pki_types::pem::Error) -> TlsError {
    TlsError::Pem(error.to_string())
}
