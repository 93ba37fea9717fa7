//! Clients of AWS services, each made on first use, so that starting never waits for credentials or the network.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Credentials};
use names::Region;
use tokio::sync::OnceCell;

use crate::OutsideConfig;

/// The clients that actions share.
pub(crate) struct AwsClients {
    region: Region,
    config: OutsideConfig,
    dynamodb: OnceCell<Client>,
}

impl AwsClients {
    pub(crate) fn new(region: Region, config: OutsideConfig) -> Self {
        Self { region, config, dynamodb: OnceCell::new() }
    }

    /// The region that requests go to.
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    pub(crate) async fn dynamodb(&self) -> &Client {
        let make = || async {
            let builder = Builder::from(&self.sdk_config().await);
            let url = self.config.dynamodb_endpoint_url.as_ref().or(self.config.endpoint_url.as_ref());
            Client::from_conf(match url {
                Some(url) => builder.endpoint_url(url).build(),
                None => builder.build(),
            })
        };
        self.dynamodb.get_or_init(make).await
    }

    /// Timeouts and retries alike for all services. Only what may pass by itself is tried again, by the SDK's rules.
    async fn sdk_config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(aws_config::Region::new(self.region.to_string()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts);
        match (&self.config.access_key_id, &self.config.secret_access_key) {
            (Some(id), Some(secret)) => {
                let credentials = Credentials::new(id, secret, None, None, "althing-configuration");
                loader.credentials_provider(credentials).load().await
            }
            _ => loader.load().await,
        }
    }
}

/// Of one request, the first included (ours).
const ATTEMPTS_MAX: u32 = 3;
