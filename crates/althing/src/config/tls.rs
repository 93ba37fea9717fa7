//! `[tls]`: certificates for names that clients ask for, and who may have issued the clients' own.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use doorway::{Identity, NamedIdentity};
use serde::Deserialize;

/// The section in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsConfig {
    /// PEM files of authorities. With any, a client's certificate must have been issued by one of them or by this
    /// server's own, or sign itself; it must be registered all the same.
    client_ca_files: Vec<PathBuf>,
    certificates: Vec<CertificateConfig>,
}

/// `[[tls.certificates]]`: shown to clients that ask for one of the names (SNI).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateConfig {
    names: Vec<String>,
    chain_file: PathBuf,
    key_file: PathBuf,
}

impl TlsConfig {
    /// Reads the certificates and keys.
    pub(crate) fn certificates(&self) -> anyhow::Result<Vec<NamedIdentity>> {
        self.certificates.iter().map(CertificateConfig::read).collect()
    }

    /// The authorities' PEM texts.
    pub(crate) fn client_authorities(&self) -> anyhow::Result<Vec<String>> {
        self.client_ca_files.iter().map(|path| read(path)).collect()
    }
}

impl CertificateConfig {
    fn read(&self) -> anyhow::Result<NamedIdentity> {
        if self.names.is_empty() {
            bail!("[[tls.certificates]] with {} has no names", self.chain_file.display());
        }
        let identity = Identity { chain_pem: read(&self.chain_file)?, key_pem: read(&self.key_file)? };
        Ok(NamedIdentity { names: self.names.clone(), identity })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("[tls] cannot read {}", path.display()))
}
