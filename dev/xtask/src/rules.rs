//! Exceptions that are written down: `dev/xtask/tidy.toml` (flat tables) and `dev/xtask/ratchet.toml` (long functions).

use std::collections::BTreeMap;

use serde::Deserialize;

/// The exceptions.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Files that may be long because they are flat tables, with the reason.
    pub(crate) tables: Vec<LongTable>,
    /// Functions that are too long today: `path::Type::name` and their length.
    pub(crate) ratchet: BTreeMap<String, usize>,
}

/// A file that may be long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongTable {
    pub(crate) path: String,
    pub(crate) reason: String,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TidyFile {
    #[serde(default)]
    table: Vec<LongTable>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RatchetFile {
    #[serde(default)]
    functions: BTreeMap<String, usize>,
}

impl Rules {
    /// Finds both files among the repository's texts; a missing file has no exceptions.
    ///
    /// # Errors
    /// The path of the file that is wrong, and why.
    pub(crate) fn read(texts: &BTreeMap<String, String>) -> Result<Self, (String, String)> {
        let tidy: TidyFile = parse(texts, TIDY_PATH)?;
        let ratchet: RatchetFile = parse(texts, RATCHET_PATH)?;
        Ok(Self { tables: tidy.table, ratchet: ratchet.functions })
    }
}

fn parse<T: Default + for<'de> Deserialize<'de>>(
    texts: &BTreeMap<String, String>,
    path: &str,
) -> Result<T, (String, String)> {
    let Some(text) = texts.get(path) else { return Ok(T::default()) };
    toml::from_str(text).map_err(|error| (path.to_owned(), format!("is not as expected: {}", error.message())))
}

/// Where flat tables are listed.
pub(crate) const TIDY_PATH: &str = "dev/xtask/tidy.toml";
/// Where long functions are listed.
pub(crate) const RATCHET_PATH: &str = "dev/xtask/ratchet.toml";
