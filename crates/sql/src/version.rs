//! The versions of the SQL language that a rule may ask for.

use std::fmt;
use std::str::FromStr;

/// Which version of the language a rule was written for (AWS IoT Core developer guide, iot-rule-sql-version).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum SqlVersion {
    /// `2015-10-08`, what a rule has that names none.
    #[default]
    V2015_10_08,
    /// `2016-03-23`: literals, nested queries, whole decimals become Int.
    V2016_03_23,
    /// `beta`: the newest; here the same as `2016-03-23`.
    Beta,
}

/// A text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the SQL version '{0}' is unknown: use 2015-10-08, 2016-03-23 or beta")]
pub struct UnknownSqlVersion(String);

impl SqlVersion {
    /// The name as rules carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2015_10_08 => "2015-10-08",
            Self::V2016_03_23 => "2016-03-23",
            Self::Beta => "beta",
        }
    }

    /// Whether a Decimal without a fraction becomes an Int (from 2016-03-23 on).
    pub(crate) fn collapses_whole_decimals(self) -> bool {
        self != Self::V2015_10_08
    }
}

impl fmt::Display for SqlVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SqlVersion {
    type Err = UnknownSqlVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::V2015_10_08, Self::V2016_03_23, Self::Beta]
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or_else(|| UnknownSqlVersion(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["2015-10-08", "2016-03-23", "beta"] {
            assert_eq!(name.parse::<SqlVersion>().unwrap().to_string(), name);
        }
        for name in ["", "2016-03-24", "BETA"] {
            assert!(name.parse::<SqlVersion>().is_err(), "{name}");
        }
    }
}
