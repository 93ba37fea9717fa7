//! Keys and certificates of P-256 for a run: an authority, a server of that authority, and a device that all clients are.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

/// Files in PEM.
pub(crate) struct Certificates {
    pub(crate) ca: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) server_key: PathBuf,
    pub(crate) device: PathBuf,
    pub(crate) device_key: PathBuf,
    pub(crate) device_pem: String,
}

impl Certificates {
    /// Makes them in a folder.
    pub(crate) fn make(folder: &Path) -> anyhow::Result<Self> {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            anyhow::Ok(path)
        };
        let ca_key = KeyPair::generate()?;
        let mut ca = parameters("bench authority", &[])?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);
        let issue = |name: &str, names: &[&str], usage| {
            let key = KeyPair::generate()?;
            let mut params = parameters(name, names)?;
            params.extended_key_usages = vec![usage];
            anyhow::Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
        };
        let (server, server_key) = issue("bench server", &["localhost"], ExtendedKeyUsagePurpose::ServerAuth)?;
        let (device_pem, device_key) = issue("bench device", &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self {
            ca: write("ca.pem", &ca_pem)?,
            server: write("server.pem", &server)?,
            server_key: write("server.key", &server_key)?,
            device: write("device.pem", &device_pem)?,
            device_key: write("device.key", &device_key)?,
            device_pem,
        })
    }
}

fn parameters(name: &str, names: &[&str]) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
