//! A trust policy's `Principal`: who may take on the role (IAM reference, principal element).

use crate::MalformedPolicy;
use crate::json::Json;

/// Who a trust policy's statement speaks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Principal {
    /// `"*"`, also as `{"AWS": "*"}`.
    is_everyone: bool,
    services: Vec<String>,
}

impl Principal {
    pub(crate) fn read(value: Json, at: &str) -> Result<Self, MalformedPolicy> {
        let members = match value {
            Json::Text(text) if text == "*" => return Ok(Self { is_everyone: true, services: Vec::new() }),
            Json::Text(text) => {
                return Err(MalformedPolicy::new(at, format!("{text:?} is neither \"*\" nor an object")));
            }
            other => other.into_object(at)?,
        };
        let mut principal = Self::default();
        for (kind, names) in members {
            let at = format!("{at}.{kind}");
            let names = names.into_texts(&at)?;
            if names.is_empty() {
                return Err(MalformedPolicy::new(at, "names nobody"));
            }
            match kind.as_str() {
                "Service" => principal.services = names,
                "AWS" => principal.is_everyone = names.iter().any(|name| name == "*"),
                // Federated and canonical users never ask this server for a role.
                "Federated" | "CanonicalUser" => {}
                _ => return Err(MalformedPolicy::new(at, "is not AWS, Service, Federated or CanonicalUser")),
            }
        }
        Ok(principal)
    }

    pub(crate) fn has_service(&self, service: &str) -> bool {
        self.is_everyone || self.services.iter().any(|name| name == service || name == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_or_everyone_is() {
        let check = |principal: &str, expected: bool| {
            let principal = Principal::read(Json::read(principal).unwrap(), "Principal").unwrap();
            assert_eq!(principal.has_service("iot.amazonaws.com"), expected, "{principal:?}");
        };
        check(r#""*""#, true);
        check(r#"{"AWS": "*"}"#, true);
        check(r#"{"Service": "iot.amazonaws.com"}"#, true);
        check(r#"{"Service": ["lambda.amazonaws.com", "iot.amazonaws.com"]}"#, true);
        check(r#"{"Service": "lambda.amazonaws.com"}"#, false);
        check(r#"{"AWS": "arn:aws:iam::123456789012:root", "Federated": "x"}"#, false);
    }

    #[test]
    fn other_principals_are_refused() {
        for bad in [r#""iot.amazonaws.com""#, "[]", r#"{"service": "a"}"#, r#"{"Service": []}"#, r#"{"AWS": 1}"#] {
            assert!(Principal::read(Json::read(bad).unwrap(), "Principal").is_err(), "{bad}");
        }
    }
}
