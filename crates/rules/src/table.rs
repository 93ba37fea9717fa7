//! Rules in the store.
//!
//! | key | value |
//! |---|---|
//! | `rule/NAME` | JSON `{"v":1,"createdAt":MILLISECONDS,"payload":{...}}`, the payload as the API has it |
//! | `rule/NAME/PART` | for JSON above 100,000 bytes: its pieces, PART one digit from `0` |
//!
//! Of a rule in pieces, `rule/NAME` says how many there are: `{"v":1,"parts":COUNT}`.
//! Names have no slash, so pieces never look like rules. All keys of a rule are written in one batch.

use names::{RuleName, Timestamp};
use serde::{Deserialize, Serialize};
use sql::{SqlVersion, Statement};
use store::{Batch, Direction, Store, StoreError, Version, prefix_end};

use crate::{Rule, RulePayload};

/// Where all keys of rules are.
pub(crate) const PREFIX: &[u8] = b"rule/";

/// Bytes of JSON in one value, below the store's own limit.
const PART_BYTES_MAX: usize = 100_000;
/// Pieces of one rule; the payload's limit of 128 KiB makes more impossible.
const PARTS_MAX: usize = 4;
/// Keys read at once when rules are listed.
const RANGE_LIMIT: usize = 100;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Head {
    Parts { v: u32, parts: usize },
    Whole(Box<Row>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    v: u32,
    created_at: Timestamp,
    payload: RulePayload,
}

/// A rule and the version that it has in the store.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) rule: Rule,
    pub(crate) version: Version,
}

/// The rule of this name.
pub(crate) fn read(store: &dyn Store, name: &RuleName) -> Result<Option<Stored>, StoreError> {
    let Some(head) = store.get(&key(name))? else { return Ok(None) };
    let row = match parse(&head.value, name)? {
        Head::Whole(row) => row,
        Head::Parts { parts, .. } => {
            let mut json = Vec::new();
            for part in 0..parts.min(PARTS_MAX) {
                json.extend(store.get(&part_key(name, part))?.ok_or_else(|| corrupt(name, "a part is missing"))?.value);
            }
            match parse(&json, name)? {
                Head::Whole(row) => row,
                Head::Parts { .. } => return Err(corrupt(name, "its parts are no rule")),
            }
        }
    };
    let topic_pattern = topic_pattern(&row.payload);
    let rule = Rule { name: name.clone(), created_at: row.created_at, topic_pattern, payload: row.payload };
    Ok(Some(Stored { rule, version: head.version }))
}

/// The names of rules after `after`, in order, until `until` has had enough.
pub(crate) fn names(
    store: &dyn Store,
    after: Option<&str>,
    mut take: impl FnMut(RuleName) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let end = prefix_end(PREFIX);
    let mut from = match after {
        // '0' is the byte after '/': behind the rule itself and its parts.
        Some(name) => [PREFIX, name.as_bytes(), b"0"].concat(),
        None => PREFIX.to_vec(),
    };
    // A name that continues the one before with a byte below '0' cannot be: names are letters, digits and '_'.
    loop {
        let page = store.range(&from, &end, RANGE_LIMIT, Direction::Forward)?;
        let Some(last) = page.last() else { return Ok(()) };
        from = [last.key.as_slice(), &[0]].concat();
        for entry in &page {
            if let Some(name) = name_in(&entry.key)
                && !take(name)?
            {
                return Ok(());
            }
        }
    }
}

/// The rule that a key belongs to when it is the rule's own key.
fn name_in(key: &[u8]) -> Option<RuleName> {
    RuleName::new(std::str::from_utf8(key.strip_prefix(PREFIX)?).ok()?).ok()
}

/// The rule that a changed key belongs to, its parts' keys included.
pub(crate) fn rule_of(key: &[u8]) -> Option<RuleName> {
    let rest = std::str::from_utf8(key.strip_prefix(PREFIX)?).ok()?;
    RuleName::new(rest.split('/').next()?).ok()
}

/// Puts a rule that has `version` now, none for a new one.
pub(crate) fn put(
    name: &RuleName,
    payload: &RulePayload,
    created_at: Timestamp,
    version: Option<Version>,
) -> Result<Batch, serde_json::Error> {
    let row = Row { v: 1, created_at, payload: payload.clone() };
    let json = serde_json::to_vec(&row)?;
    let mut batch = clear(name).unchanged(key(name), version);
    if json.len() <= PART_BYTES_MAX {
        return Ok(batch.put(key(name), json));
    }
    let parts = json.chunks(PART_BYTES_MAX);
    batch = batch.put(key(name), serde_json::to_vec(&Head::Parts { v: 1, parts: parts.len() })?);
    Ok(parts.enumerate().fold(batch, |batch, (at, part)| batch.put(part_key(name, at), part)))
}

/// Removes a rule, whether or not it is there.
pub(crate) fn clear(name: &RuleName) -> Batch {
    (0..PARTS_MAX).fold(Batch::new().delete(key(name)), |batch, part| batch.delete(part_key(name, part)))
}

/// What is after FROM in a payload that was parsed when the rule was made.
fn topic_pattern(payload: &RulePayload) -> Option<String> {
    let version = payload.aws_iot_sql_version.as_deref().and_then(|text| text.parse().ok());
    let statement = Statement::parse(&payload.sql, version.unwrap_or(SqlVersion::V2015_10_08)).ok()?;
    statement.from_filter().map(str::to_owned)
}

fn key(name: &RuleName) -> Vec<u8> {
    [PREFIX, name.as_str().as_bytes()].concat()
}

fn part_key(name: &RuleName, part: usize) -> Vec<u8> {
    format!("rule/{name}/{part}").into_bytes()
}

fn parse(json: &[u8], name: &RuleName) -> Result<Head, StoreError> {
    let head: Head = serde_json::from_slice(json).map_err(|error| corrupt(name, error))?;
    let v = match &head {
        Head::Parts { v, .. } => *v,
        Head::Whole(row) => row.v,
    };
    if v == 1 { Ok(head) } else { Err(corrupt(name, format_args!("its format {v} is unknown"))) }
}

fn corrupt(name: &RuleName, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("the record of rule {name} is not readable: {problem}"))
}
