//! What actions need from outside: the house's own router and IAM, and clients of AWS services.

use std::sync::Arc;

use iam::{Iam, RoleRefusal, RoleRequest};
use message::Origin;
use names::{ArnSpace, Region};
use router::Router;

use crate::ActionError;
#[cfg(feature = "dynamodb")]
use crate::aws::AwsClients;

/// Clients and identity, shared by all rules. Made once; no client connects before its first use.
pub struct Outside {
    pub(crate) iam: Arc<Iam>,
    pub(crate) router: Arc<Router>,
    pub(crate) arns: ArnSpace,
    #[cfg(feature = "dynamodb")]
    pub(crate) aws: AwsClients,
    pub(crate) origin: Arc<Origin>,
}

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

impl Outside {
    /// Nothing is connected yet, and credentials are looked for on first use only.
    pub fn new(iam: Arc<Iam>, router: Arc<Router>, arns: ArnSpace, config: OutsideConfig) -> Self {
        #[cfg(not(feature = "dynamodb"))]
        drop(config);
        Self {
            #[cfg(feature = "dynamodb")]
            aws: AwsClients::new(config.region.clone().unwrap_or_else(|| arns.region.clone()), config),
            iam,
            router,
            arns,
            origin: Arc::new(Origin::default()),
        }
    }

    /// Whether `role_arn` lets the rules engine do this; each action asks before it acts (AWS IoT Core developer guide,
    /// iot-create-role).
    pub(crate) fn authorize(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
        rule_arn: &str,
    ) -> Result<(), ActionError> {
        let request = RoleRequest { service: RULES_ENGINE, action, resource, source_arn: Some(rule_arn) };
        self.iam.may(role_arn, &request).map_err(|refusal| match refusal {
            RoleRefusal::Store(error) => ActionError::Failed(format!("the role {role_arn} could not be read: {error}")),
            refusal => ActionError::NotAuthorized(refusal.to_string()),
        })
    }
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

/// Whom a rule's role must trust.
const RULES_ENGINE: &str = "iot.amazonaws.com";
