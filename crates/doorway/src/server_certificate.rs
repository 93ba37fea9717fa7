//! Which certificate the server shows: the one whose names hold the client's SNI name, else the default one.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Certificates by name.
#[derive(Debug)]
pub(crate) struct ByServerName {
    /// Lower case; `*.` in front stands for one label (RFC 9525, 6.3).
    pub(crate) named: HashMap<String, Arc<CertifiedKey>>,
    pub(crate) default: Arc<CertifiedKey>,
}

impl ByServerName {
    fn find(&self, server_name: &str) -> &Arc<CertifiedKey> {
        let name = server_name.to_ascii_lowercase();
        let wildcard = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let exact = self.named.get(&name);
        exact.or_else(|| self.named.get(&wildcard()?)).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for ByServerName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(hello.server_name().map_or(&self.default, |name| self.find(name))))
    }
}
