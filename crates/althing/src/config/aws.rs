//! `[aws]`: where rule actions find AWS, or what stands for it.

use std::fmt;

use anyhow::bail;
use names::Region;
use serde::{Deserialize, Deserializer};

/// The section in the file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AwsConfig {
    /// The region of AWS's services; the server's own when there is none.
    #[serde(deserialize_with = "region")]
    pub(crate) region: Option<Region>,
    /// Instead of AWS's own endpoints, for all services.
    pub(crate) endpoint_url: Option<String>,
    /// Instead of the SDK's chain of credentials, together with the secret.
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
}

impl AwsConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            bail!("[aws] has one of access_key_id and secret_access_key without the other");
        }
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = self.endpoint_url.as_ref().filter(|url| !is_url(url)) {
            bail!("[aws] endpoint_url {url:?} does not start with http:// or https://");
        }
        Ok(())
    }
}

fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    Region::new(&String::deserialize(deserializer)?).map(Some).map_err(serde::de::Error::custom)
}

impl fmt::Debug for AwsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsConfig").field("endpoint_url", &self.endpoint_url).finish_non_exhaustive()
    }
}
