//! What actions need from outside: the house's own router and IAM, and clients of AWS services.

use std::sync::Arc;

use iam::{Iam, RoleRefusal, RoleRequest};
use message::Origin;
use names::ArnSpace;
use router::Router;

#[cfg(feature = "dynamodb")]
use crate::aws::AwsClients;
use crate::{ActionError, OutsideConfig};

/// Clients and identity, shared by all rules. Made once; no client connects before its first use.
pub struct Outside {
    pub(crate) iam: Arc<Iam>,
    pub(crate) router: Arc<Router>,
    pub(crate) arns: ArnSpace,
    #[cfg(feature = "dynamodb")]
    pub(crate) aws: AwsClients,
    pub(crate) origin: Arc<Origin>,
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

/// Whom a rule's role must trust.
const RULES_ENGINE: &str = "iot.amazonaws.com";
