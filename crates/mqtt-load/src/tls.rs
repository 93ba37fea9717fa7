//! The client's side of TLS: full handshakes always, so that each connection costs the broker the same.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::{ConnectOptions, LoadError};

/// The configuration that the options ask for; none without `--tls`.
pub(crate) fn client_config(options: &ConnectOptions) -> Result<Option<Arc<ClientConfig>>, LoadError> {
    let (true, Some(ca)) = (options.tls, &options.ca) else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| wrong(ca, &error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|error| LoadError::Setting(error.to_string()))?;
    let builder = builder.with_root_certificates(roots);
    let mut config = match (&options.cert, &options.key) {
        (Some(certificate), Some(key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
            let chain = certificates(certificate)?;
            builder.with_client_auth_cert(chain, private).map_err(|error| wrong(certificate, &error))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    if options.websocket.is_none() && !options.alpn.is_empty() {
        config.alpn_protocols = vec![options.alpn.clone().into_bytes()];
    }
    Ok(Some(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| wrong(path, &error))?;
    if all.is_empty() {
        return Err(LoadError::Setting(format!("{}: no certificate in it", path.display())));
    }
    Ok(all)
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> LoadError {
    LoadError::Setting(format!("{}: {error}", path.display()))
}
