//! The load generator's side of TLS: full handshakes always, so that each connection costs the broker the same.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::Options;

/// The configuration that the options ask for; none without `--tls`.
pub(crate) fn client_config(options: &Options) -> anyhow::Result<Option<Arc<ClientConfig>>> {
    let (true, Some(ca)) = (options.tls, &options.ca) else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(roots);
    let mut config = match (&options.cert, &options.key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("no private key in {key:?}"))?;
            builder.with_client_auth_cert(certificates(certificate)?, key)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    Ok(Some(Arc::new(config)))
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(path).with_context(|| format!("cannot read {}", path.display()))?;
    all.collect::<Result<Vec<_>, _>>().with_context(|| format!("no certificates in {}", path.display()))
}
