//! GetTopicRule: one rule; of an absent one AWS says that access is denied.

use names::{RuleName, Timestamp};
use rules::RulePayload;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    rule_name: RuleName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    rule_arn: String,
    rule: TopicRule,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopicRule {
    rule_name: RuleName,
    created_at: Timestamp,
    #[serde(flatten)]
    payload: RulePayload,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let Some(rule) = call.services.rules.rule(&input.rule_name)? else {
        let message = format!("Access to topic rule '{}' was denied", input.rule_name);
        return Err(ApiError::named("UnauthorizedException", message));
    };
    let rule_arn = call.services.arns.rule(&rule.name);
    Ok(Output {
        rule_arn,
        rule: TopicRule { rule_name: rule.name, created_at: rule.created_at, payload: rule.payload },
    })
}
