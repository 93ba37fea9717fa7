//! Names that are text with a length and an alphabet. Making one checks it; nobody checks again.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;

/// Why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} {problem}")]
pub struct InvalidName {
    /// The kind of name, in AWS's words ("thing name").
    pub kind: &'static str,
    /// The offending text, cut to 256 characters.
    pub text: String,
    /// What is wrong with it ("is longer than 128 bytes").
    pub problem: String,
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $bytes_max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks length and alphabet.
            ///
            /// # Errors
            /// [`InvalidName`] says which rule the text breaks.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
                check($kind, text.as_ref(), $bytes_max, $allowed).map(|()| Self(Arc::from(text.as_ref())))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as text that is shared, not copied.
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_name!(
    /// A thing's name: `[a-zA-Z0-9:_-]+`, at most 128 bytes (API model, `ThingName`).
    ThingName, "thing name", limits::THING_NAME_BYTES_MAX, registry_character
);
text_name!(
    /// A thing type's name: `[a-zA-Z0-9:_-]+`, at most 128 bytes (API model, `ThingTypeName`).
    ThingTypeName, "thing type name", limits::THING_NAME_BYTES_MAX, registry_character
);
text_name!(
    /// A named shadow's name: `[$a-zA-Z0-9:_-]+`, at most 64 bytes (API model, `ShadowName`).
    ShadowName, "shadow name", limits::SHADOW_NAME_BYTES_MAX, |c| c == '$' || registry_character(c)
);
text_name!(
    /// An IoT policy's name: `[\w+=,.@-]+`, at most 128 bytes (API model, `PolicyName`).
    PolicyName, "policy name", limits::POLICY_NAME_BYTES_MAX, iam_character
);
text_name!(
    /// A topic rule's name: `[a-zA-Z0-9_]+`, at most 128 bytes (API model, `RuleName`).
    RuleName, "rule name", limits::RULE_NAME_BYTES_MAX, |c| c.is_ascii_alphanumeric() || c == '_'
);
text_name!(
    /// An IAM role's name: `[\w+=,.@-]+`, at most 64 bytes (IAM API, `CreateRole`).
    RoleName, "role name", limits::ROLE_NAME_BYTES_MAX, iam_character
);
text_name!(
    /// An MQTT client identifier: any characters but U+0000. AWS allows 128 bytes; the session's dialect checks
    /// that, this type holds what the protocol can carry.
    ClientId, "client id", limits::MQTT_STRING_BYTES_MAX, |c| c != '\0'
);

fn registry_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-')
}

fn iam_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

fn check(kind: &'static str, text: &str, bytes_max: usize, allowed: impl Fn(char) -> bool) -> Result<(), InvalidName> {
    let refuse = |problem: String| Err(InvalidName { kind, text: text.chars().take(256).collect(), problem });
    if text.is_empty() {
        return refuse("is empty".to_owned());
    }
    if text.len() > bytes_max {
        return refuse(format!("is longer than {bytes_max} bytes"));
    }
    match text.chars().find(|&c| !allowed(c)) {
        Some(c) => refuse(format!("has the character {c:?}, which is not allowed there")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabet_and_length() {
        for (text, valid) in [("a", true), ("A:b_c-9", true), ("", false), ("a/b", false), ("ä", false), ("a b", false)]
        {
            assert_eq!(ThingName::new(text).is_ok(), valid, "{text:?}");
        }
        assert!(ThingName::new("x".repeat(128)).is_ok());
        assert!(ThingName::new("x".repeat(129)).is_err());
        assert!(ShadowName::new("$package").is_ok());
        assert!(RuleName::new("a-b").is_err());
        assert!(PolicyName::new("a+b=c,d.e@f-g").is_ok());
        assert!(ClientId::new("any thing/#+ä").is_ok());
        assert!(ClientId::new("a\0b").is_err());
    }

    #[test]
    fn the_refusal_names_the_character() {
        let refusal = ThingName::new("a b").unwrap_err().to_string();
        assert_eq!(refusal, "thing name \"a b\" has the character ' ', which is not allowed there");
    }
}
