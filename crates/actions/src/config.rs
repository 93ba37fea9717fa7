//! How to reach what lies outside; the roof fills it in.

use names::Region;

/// How to reach AWS services.
#[derive(Clone, Default)]
pub struct OutsideConfig {
    /// The region of the services; the server's own when there is none.
    pub region: Option<Region>,
    /// Instead of AWS's own endpoints, for all services.
    pub endpoint_url: Option<String>,
    /// For DynamoDB only, before `endpoint_url`; the environment's `AWS_ENDPOINT_URL_DYNAMODB` belongs here.
    pub dynamodb_endpoint_url: Option<String>,
    /// With the secret: these credentials instead of the SDK's default chain.
    pub access_key_id: Option<String>,
    /// The secret of `access_key_id`.
    pub secret_access_key: Option<String>,
}

impl std::fmt::Debug for OutsideConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideConfig")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .field("dynamodb_endpoint_url", &self.dynamodb_endpoint_url)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}
