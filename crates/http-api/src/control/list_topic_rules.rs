//! ListTopicRules: rules, all or by topic or by whether they are disabled.

use names::{RuleName, Timestamp};
use rules::RuleFilter;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    topic: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
    rule_disabled: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    rules: Vec<Item>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    rule_arn: String,
    rule_name: RuleName,
    topic_pattern: Option<String>,
    created_at: Timestamp,
    rule_disabled: bool,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let filter = RuleFilter { topic: input.topic, disabled: input.rule_disabled };
    let after = input.next_token.as_deref().map(page::read_token).transpose()?;
    let (found, next) = call.services.rules.list(&filter, after.as_deref(), page::limit(input.max_results))?;
    let rules = found.into_iter().map(|rule| Item {
        rule_arn: call.services.arns.rule(&rule.name),
        topic_pattern: rule.topic_pattern,
        created_at: rule.created_at,
        rule_disabled: rule.payload.rule_disabled,
        rule_name: rule.name,
    });
    Ok(Output { rules: rules.collect(), next_token: page::token(next) })
}
