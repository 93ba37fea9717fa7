//! Principals and policy targets: the ARNs that callers name, as what the registry knows.

use names::{ArnSpace, CertificateId};
use registry::PolicyTarget;

use crate::error::ApiError;

/// The certificate of a thing's principal. Cognito identities are not served.
pub(crate) fn certificate(arns: &ArnSpace, principal: &str) -> Result<CertificateId, ApiError> {
    if is_cognito_identity(principal) {
        return Err(ApiError::not_implemented("Attaching Amazon Cognito identities"));
    }
    arns.certificate_in(principal)
        .ok_or_else(|| ApiError::invalid(format!("Invalid principal: {}", bounded(principal))))
}

/// What a policy is attached to.
pub(crate) fn policy_target(arns: &ArnSpace, target: &str) -> Result<PolicyTarget, ApiError> {
    if target.starts_with(&arns.iot("thinggroup/")) {
        return Err(ApiError::not_implemented("Attaching policies to thing groups"));
    }
    if is_cognito_identity(target) {
        return Err(ApiError::not_implemented("Attaching policies to Amazon Cognito identities"));
    }
    let certificate = arns.certificate_in(target).map(PolicyTarget::Certificate);
    certificate.ok_or_else(|| ApiError::invalid(format!("Invalid target: {}", bounded(target))))
}

/// `REGION:UUID` (API reference, `AttachPolicy`).
fn is_cognito_identity(text: &str) -> bool {
    let id = text.split_once(':').map(|(_, id)| id);
    id.is_some_and(|id| id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'))
}

fn bounded(text: &str) -> String {
    text.chars().take(256).collect()
}

#[cfg(test)]
mod tests {
    use names::{AccountId, Region};

    use super::*;

    #[test]
    fn only_certificates_of_this_account_are_targets() {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let id = CertificateId::from_der_hash([7; 32]);
        let check = |target: &str, expected: Result<CertificateId, &str>| match (policy_target(&arns, target), expected)
        {
            (Ok(PolicyTarget::Certificate(found)), Ok(expected)) => assert_eq!(found, expected, "{target}"),
            (Err(error), Err(expected)) => assert!(error.message.contains(expected), "{target}: {}", error.message),
            _ => panic!("{target}"),
        };
        check(&arns.certificate(&id), Ok(id));
        check("arn:aws:iot:eu-west-1:123456789012:cert/00", Err("Invalid target"));
        check("", Err("Invalid target"));
        check("arn:aws:iot:us-east-1:123456789012:thinggroup/g", Err("thing groups is not implemented"));
        check("us-east-1:0e8b2a5c-8a63-4d4e-9b6e-d2c1f7a5b3c4", Err("Cognito identities is not implemented"));
        assert!(certificate(&arns, "x").is_err());
    }
}
