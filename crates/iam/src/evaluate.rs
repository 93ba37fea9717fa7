//! May a service, in a role, do this? The trust policy must let the service in and the role's policies must allow.

use std::sync::Arc;

use names::{PARTITION, RoleName};
use policy::{Document, MalformedPolicy, MapContext, PolicySet, Question};
use store::{StoreError, Version};

use crate::compiled::CompiledRole;
use crate::table::{self, RoleRow};
use crate::{Iam, trust};

/// What a service wants to do with a role.
#[derive(Debug, Clone, Copy)]
pub struct RoleRequest<'a> {
    /// The service, such as `iot.amazonaws.com`.
    pub service: &'a str,
    /// The action, such as `dynamodb:PutItem`.
    pub action: &'a str,
    /// The ARN of what the action touches.
    pub resource: &'a str,
    /// On whose behalf, such as a topic rule's ARN (`aws:SourceArn` in the trust policy).
    pub source_arn: Option<&'a str>,
}

/// Why it may not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoleRefusal {
    /// This account has no role of this ARN.
    #[error("there is no role {0}")]
    NoSuchRole(String),
    /// The role's trust policy doesn't let the service take it on.
    #[error("the trust policy of {role_arn} doesn't let {service} take on the role")]
    NotTrusted {
        /// The role.
        role_arn: String,
        /// The service.
        service: String,
    },
    /// The role's policies don't allow it.
    #[error("{role_arn} may not do {action} on {resource}: {explanation}")]
    Denied {
        /// The role.
        role_arn: String,
        /// The action.
        action: String,
        /// The resource.
        resource: String,
        /// Which statement denies, or which came nearest to allowing.
        explanation: String,
    },
    /// The store failed, or holds a record that can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Iam {
    /// Whether the service may take on the role and do this in it. Costs one read of the store while the role stays
    /// as it is; a change of the role or its policies counts from the next call on.
    ///
    /// Policies may use `aws:PrincipalArn` and `aws:PrincipalAccount`, the trust policy `aws:SourceArn` and
    /// `aws:SourceAccount`; other condition keys have no value here.
    ///
    /// # Errors
    /// [`RoleRefusal`] says why not.
    pub fn may(&self, role_arn: &str, request: &RoleRequest<'_>) -> Result<(), RoleRefusal> {
        let role = self.compiled_role(role_arn)?;
        if !trust::trusts(&role.trust, request.service, request.source_arn, &self.arns) {
            let service = request.service.to_owned();
            return Err(RoleRefusal::NotTrusted { role_arn: role_arn.to_owned(), service });
        }
        let context = MapContext::new()
            .with("aws:PrincipalArn", role.arn.as_str())
            .with("aws:PrincipalAccount", self.arns.account.as_str());
        let question = Question { action: request.action, resource: request.resource, context: &context };
        if role.policies.allows(&question) {
            return Ok(());
        }
        Err(RoleRefusal::Denied {
            role_arn: role_arn.to_owned(),
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            explanation: role.policies.decide(&question).to_string(),
        })
    }

    fn compiled_role(&self, role_arn: &str) -> Result<Arc<CompiledRole>, RoleRefusal> {
        let no_such_role = || RoleRefusal::NoSuchRole(role_arn.to_owned());
        let name = self.role_name(role_arn).ok_or_else(no_such_role)?;
        let key = table::role(&name);
        let Some(stored) = self.store.get(key.as_bytes())? else {
            self.cache.remove(&name);
            return Err(no_such_role());
        };
        let role = match self.cache.get(&name, stored.version) {
            Some(role) => role,
            None => {
                let row = table::decode_versioned(&key, &stored)?;
                let role = Arc::new(self.compile(&name, &row, stored.version)?);
                self.cache.insert(name, Arc::clone(&role));
                role
            }
        };
        // The name is the role's; the path in front of it must be too.
        if role.arn == role_arn { Ok(role) } else { Err(no_such_role()) }
    }

    /// The name at the end of one of this account's role ARNs.
    fn role_name(&self, role_arn: &str) -> Option<RoleName> {
        let start = format!("arn:{PARTITION}:iam::{}:role/", self.arns.account);
        let path_and_name = role_arn.strip_prefix(&start)?;
        let name = path_and_name.rsplit_once('/').map_or(path_and_name, |(_, name)| name);
        RoleName::new(name).ok()
    }

    fn compile(&self, name: &RoleName, row: &RoleRow, version: Version) -> Result<CompiledRole, StoreError> {
        // Documents were checked when they were put; one that fails now was damaged or written by another release.
        let unreadable = |error: MalformedPolicy| StoreError::Failed(format!("a policy of role {name}: {error}"));
        let mut policies = Vec::new();
        for (policy, document) in self.documents(name)? {
            policies.push((Arc::from(policy), Arc::new(Document::parse(&document).map_err(unreadable)?)));
        }
        Ok(CompiledRole {
            version,
            arn: self.arns.role(&row.path, name),
            trust: Document::parse_trust(&row.trust_policy).map_err(unreadable)?,
            policies: PolicySet::new(policies),
        })
    }
}
