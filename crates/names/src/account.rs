//! The account and the region that an Althing server stands for.

use std::fmt;
use std::sync::Arc;

use crate::InvalidName;

/// A 12-digit AWS account id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// # Errors
    /// [`InvalidName`] unless the text is exactly twelve digits.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(Arc::from(text)));
        }
        let problem = "is not twelve digits".to_owned();
        Err(InvalidName { kind: "account id", text: text.chars().take(256).collect(), problem })
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A region's name, such as `us-east-1`: lower-case letters, digits and dashes, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// # Errors
    /// [`InvalidName`] when empty, longer than 64 bytes, or with other characters.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed) {
            return Ok(Self(Arc::from(text)));
        }
        let problem = "is not 1 to 64 lower-case letters, digits and dashes".to_owned();
        Err(InvalidName { kind: "region", text: text.chars().take(256).collect(), problem })
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_twelve_digits_and_regions_are_lower_case() {
        assert!(AccountId::new("123456789012").is_ok());
        for bad in ["", "12345678901", "1234567890123", "12345678901a"] {
            assert!(AccountId::new(bad).is_err(), "{bad}");
        }
        assert!(Region::new("eu-central-1").is_ok());
        for bad in ["", "EU", "a b", "a.b"] {
            assert!(Region::new(bad).is_err(), "{bad}");
        }
    }
}
