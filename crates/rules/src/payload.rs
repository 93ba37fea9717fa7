//! A rule as the API writes it.

use actions::ActionSpec;
use names::{RuleName, Timestamp};
use serde::{Deserialize, Serialize};

/// What a rule does (AWS IoT Core API reference, `TopicRulePayload`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RulePayload {
    /// The statement.
    pub sql: String,
    /// What to do with its result; all of them, each for itself.
    pub actions: Vec<ActionSpec>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the rule rests.
    #[serde(default)]
    pub rule_disabled: bool,
    /// The version of the SQL language; `2015-10-08` when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_iot_sql_version: Option<String>,
    /// What to do when an action failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_action: Option<ActionSpec>,
}

/// A rule that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique within the account.
    pub name: RuleName,
    /// When it was made.
    pub created_at: Timestamp,
    /// The topic filter after FROM, as written; none when the statement has none (`topicPattern` of `ListTopicRules`).
    pub topic_pattern: Option<String>,
    /// What it does.
    pub payload: RulePayload,
}

/// Which rules a list is to have.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// Only rules whose FROM is this, or matches it.
    pub topic: Option<String>,
    /// Only rules that rest, or only those that do not.
    pub disabled: Option<bool>,
}
