//! Amazon Resource Names of one account and region.

use crate::{AccountId, CertificateId, PolicyName, Region, RoleName, RuleName, ShadowName, ThingName};

/// The partition in every ARN that Althing writes.
pub const PARTITION: &str = "aws";

/// The account and region within which this server's ARNs live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArnSpace {
    /// The region in each ARN.
    pub region: Region,
    /// The account in each ARN.
    pub account: AccountId,
}

impl ArnSpace {
    /// `arn:aws:iot:REGION:ACCOUNT:RESOURCE`.
    pub fn iot(&self, resource: impl std::fmt::Display) -> String {
        format!("arn:{PARTITION}:iot:{}:{}:{resource}", self.region, self.account)
    }

    /// `...:thing/NAME`.
    pub fn thing(&self, name: &ThingName) -> String {
        self.iot(format_args!("thing/{name}"))
    }

    /// `...:thing/THING`, or `...:thing/THING/SHADOW` for a named shadow: the resource of the shadow actions.
    pub fn shadow(&self, thing: &ThingName, shadow: Option<&ShadowName>) -> String {
        match shadow {
            None => self.thing(thing),
            Some(shadow) => self.iot(format_args!("thing/{thing}/{shadow}")),
        }
    }

    /// `...:cert/ID`.
    pub fn certificate(&self, id: &CertificateId) -> String {
        self.iot(format_args!("cert/{id}"))
    }

    /// `...:policy/NAME`.
    pub fn policy(&self, name: &PolicyName) -> String {
        self.iot(format_args!("policy/{name}"))
    }

    /// `...:rule/NAME`.
    pub fn rule(&self, name: &RuleName) -> String {
        self.iot(format_args!("rule/{name}"))
    }

    /// `...:client/CLIENTID`, the resource of `iot:Connect`.
    pub fn client(&self, client_id: &str) -> String {
        self.iot(format_args!("client/{client_id}"))
    }

    /// `...:topic/TOPIC`, the resource of `iot:Publish`, `iot:Receive` and `iot:RetainPublish`.
    pub fn topic(&self, topic: &str) -> String {
        self.iot(format_args!("topic/{topic}"))
    }

    /// `...:topicfilter/FILTER`, the resource of `iot:Subscribe`.
    pub fn topic_filter(&self, filter: &str) -> String {
        self.iot(format_args!("topicfilter/{filter}"))
    }

    /// `arn:aws:iam::ACCOUNT:role/NAME` (roles have no region; `path` starts and ends with `/`).
    pub fn role(&self, path: &str, name: &RoleName) -> String {
        format!("arn:{PARTITION}:iam::{}:role{path}{name}", self.account)
    }

    /// The certificate id within one of this account's certificate ARNs.
    pub fn certificate_in(&self, arn: &str) -> Option<CertificateId> {
        CertificateId::from_hex(arn.strip_prefix(&self.iot("cert/"))?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_written_and_read_back() {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let thing = ThingName::new("lamp").unwrap();
        assert_eq!(arns.thing(&thing), "arn:aws:iot:us-east-1:123456789012:thing/lamp");
        let id = CertificateId::from_der_hash([0xab; 32]);
        assert_eq!(arns.certificate_in(&arns.certificate(&id)), Some(id));
        assert_eq!(arns.certificate_in("arn:aws:iot:eu-west-1:123456789012:cert/00"), None);
        assert_eq!(arns.role("/", &RoleName::new("r").unwrap()), "arn:aws:iam::123456789012:role/r");
    }
}
