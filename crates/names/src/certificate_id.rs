//! A certificate's id: the SHA-256 of its DER bytes, written as 64 lower-case hex digits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::InvalidName;

/// The id of a registered certificate, which is also what rules and events call its principal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId([u8; 32]);

impl CertificateId {
    /// From the SHA-256 of the certificate's DER bytes.
    pub fn from_der_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// From 64 hex digits of either case.
    ///
    /// # Errors
    /// [`InvalidName`] for another length or other characters.
    pub fn from_hex(text: &str) -> Result<Self, InvalidName> {
        let refuse = || InvalidName {
            kind: "certificate id",
            text: text.chars().take(256).collect(),
            problem: "is not 64 hex digits".to_owned(),
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(refuse());
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = pair.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or_else(refuse)?;
        }
        Ok(Self(hash))
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for CertificateId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CertificateId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_hex(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_bad_hex_is_refused() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(CertificateId::from_hex(&hex).unwrap().to_string(), hex);
        assert_eq!(CertificateId::from_hex(&hex.to_uppercase()).unwrap().to_string(), hex);
        for bad in ["", "00", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(CertificateId::from_hex(bad).is_err(), "{bad}");
        }
    }
}
