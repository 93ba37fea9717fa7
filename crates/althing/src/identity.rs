//! The server's own identity: its authority, its TLS certificate and the administrator's access key. Made at the first
//! start, kept across restarts.

use anyhow::{Context, bail};
use iam::{AccessKey, Iam};
use names::{ArnSpace, Timestamp};
use serde::{Deserialize, Serialize};
use x509::Authority;

use crate::config::Config;
use crate::data_dir::{
    ADMINISTRATOR, CA_CERTIFICATE, CA_KEY, DataDir, PUBLIC, SECRET, SERVER_CERTIFICATE, SERVER_KEY, SERVER_NAMES,
};
use crate::random;

/// What the doors need to prove who they are.
pub(crate) struct ServerIdentity {
    pub(crate) authority: std::sync::Arc<Authority>,
    /// The server's certificate and its authority's.
    pub(crate) chain_pem: String,
    pub(crate) key_pem: String,
}

/// The administrator's access key, as kept in the data directory.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Administrator {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl ServerIdentity {
    /// Reads the authority and the server's certificate, or makes them. The certificate is issued anew when the names
    /// that it must carry have changed; devices trust the authority, which stays.
    pub(crate) fn load_or_create(data_dir: &DataDir, config: &Config, now: Timestamp) -> anyhow::Result<Self> {
        let authority = std::sync::Arc::new(authority(data_dir, now)?);
        let names = server_names(config);
        let wanted = names.join("\n");
        let kept = (data_dir.read(SERVER_CERTIFICATE)?, data_dir.read(SERVER_KEY)?, data_dir.read(SERVER_NAMES)?);
        let (certificate_pem, key_pem) = match kept {
            (Some(certificate), Some(key), Some(names)) if names == wanted => (certificate, key),
            _ => {
                let issued = authority.issue_server(&names, now).context("cannot issue the server's certificate")?;
                data_dir.write(SERVER_KEY, &issued.private_key_pem, SECRET)?;
                data_dir.write(SERVER_CERTIFICATE, &issued.certificate_pem, PUBLIC)?;
                // Last: until it is there, the pair counts as not yet made.
                data_dir.write(SERVER_NAMES, &wanted, PUBLIC)?;
                (issued.certificate_pem, issued.private_key_pem)
            }
        };
        let chain_pem = format!("{certificate_pem}{}", authority.certificate_pem());
        Ok(Self { authority, chain_pem, key_pem })
    }
}

fn authority(data_dir: &DataDir, now: Timestamp) -> anyhow::Result<Authority> {
    match (data_dir.read(CA_CERTIFICATE)?, data_dir.read(CA_KEY)?) {
        (Some(certificate), Some(key)) => {
            Authority::from_pem(&certificate, &key).with_context(|| format!("{CA_CERTIFICATE} and {CA_KEY}"))
        }
        (Some(_), None) => bail!("{CA_CERTIFICATE} is there but {CA_KEY} is not: put it back, or remove both"),
        // Once the server's certificate is complete, the authority was too: only then can its own have been lost.
        (None, Some(_)) if data_dir.read(SERVER_NAMES)?.is_some() => {
            bail!("{CA_KEY} is there but {CA_CERTIFICATE} is not: put it back, or remove both")
        }
        (None, _) => {
            // Another authority's certificate would not be trusted: it counts as not yet made.
            data_dir.remove(SERVER_NAMES)?;
            let authority = Authority::generate("Althing CA", now).context("cannot make the server's authority")?;
            data_dir.write(CA_KEY, &authority.private_key_pem(), SECRET)?;
            data_dir.write(CA_CERTIFICATE, authority.certificate_pem(), PUBLIC)?;
            Ok(authority)
        }
    }
}

/// Every name that a client may reach this server by.
pub(crate) fn server_names(config: &Config) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let configured = [config.endpoint_host.as_str(), host_name.trim()].map(str::to_owned);
    names.extend(configured.into_iter().chain(config.server_names.iter().cloned()));
    names.retain(|name| !name.is_empty() && name != "(none)");
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

impl Administrator {
    /// The key in the data directory, if there is one.
    pub(crate) fn from_json(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).with_context(|| format!("{ADMINISTRATOR} is not what althing wrote"))
    }

    /// Reads the key or makes it, and sees to it that the APIs know it. Answers whether it is new.
    pub(crate) fn load_or_create(
        data_dir: &DataDir,
        iam: &Iam,
        arns: &ArnSpace,
        now: Timestamp,
    ) -> anyhow::Result<(Self, bool)> {
        let kept = data_dir.read(ADMINISTRATOR)?;
        let is_new = kept.is_none();
        let key = match kept {
            Some(text) => Self::from_json(&text)?,
            None => Self::create(data_dir)?,
        };
        let principal_arn = format!("arn:aws:iam::{}:user/administrator", arns.account);
        let known = iam.access_keys().context("cannot read the access keys")?;
        // The file decides: an administrator's key that is not in it any more opens nothing.
        for old in known.iter().filter(|known| known.principal_arn == principal_arn && known.id != key.access_key_id) {
            iam.delete_access_key(&old.id).context("cannot delete the old administrator's access key")?;
        }
        if !known.iter().any(|known| known.id == key.access_key_id && known.secret == key.secret_access_key) {
            let id = key.access_key_id.clone();
            let user_id = id.replacen("AKIA", "AIDA", 1);
            let secret = key.secret_access_key.clone();
            iam.put_access_key(AccessKey { id, secret, principal_arn, user_id, created_at: now })
                .context("cannot keep the administrator's access key")?;
        }
        Ok((key, is_new))
    }

    fn create(data_dir: &DataDir) -> anyhow::Result<Self> {
        let key = Self {
            access_key_id: format!("AKIA{}", random::text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)?),
            secret_access_key: random::text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40)?,
        };
        data_dir.write(ADMINISTRATOR, &format!("{}\n", serde_json::to_string_pretty(&key)?), SECRET)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Flags;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn chain(path: &std::path::Path) -> anyhow::Result<String> {
        let config = Config::load(Line::parse_from(["althing"]).flags)?;
        let data_dir = DataDir::open(path)?;
        let now = Timestamp::from_millis(1_800_000_000_000);
        Ok(ServerIdentity::load_or_create(&data_dir, &config, now)?.chain_pem)
    }

    #[test]
    fn half_an_authority_is_refused_and_a_new_one_issues_anew() {
        let path = std::env::temp_dir().join(format!("althing-identity-{}", std::process::id()));
        let first = chain(&path).unwrap();
        assert_eq!(chain(&path).unwrap(), first, "it is kept");

        let key = std::fs::read(path.join(CA_KEY)).unwrap();
        for (lost, kept) in [(CA_CERTIFICATE, CA_KEY), (CA_KEY, CA_CERTIFICATE)] {
            let bytes = std::fs::read(path.join(lost)).unwrap();
            std::fs::remove_file(path.join(lost)).unwrap();
            let error = chain(&path).unwrap_err().to_string();
            assert_eq!(error, format!("{kept} is there but {lost} is not: put it back, or remove both"));
            std::fs::write(path.join(lost), bytes).unwrap();
        }
        assert_eq!(std::fs::read(path.join(CA_KEY)).unwrap(), key, "a refusal changes nothing");

        let server_certificate = std::fs::read(path.join(SERVER_CERTIFICATE)).unwrap();
        std::fs::remove_file(path.join(CA_CERTIFICATE)).unwrap();
        std::fs::remove_file(path.join(CA_KEY)).unwrap();
        chain(&path).unwrap();
        assert_ne!(std::fs::read(path.join(SERVER_CERTIFICATE)).unwrap(), server_certificate, "the new one issued it");
        std::fs::remove_dir_all(&path).unwrap();
    }
}
