//! ListSubscriptions: what a client is subscribed to, in pages; also while its session waits for it.

use message::{SubscribeOptions, TopicFilter};
use names::{ClientId, limits};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    client_id: ClientId,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    subscriptions: Vec<Subscription>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    topic_filter: String,
    qos: u8,
}

/// A page begins after the filter in its token, so that what comes and goes in between moves nothing.
pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let after = input.next_token.as_deref().map(page::read_token).transpose()?;
    let after = after.as_deref().map(TopicFilter::new).transpose();
    let after = after.map_err(|_| ApiError::invalid("The pagination token is not valid."))?;
    let max = input.max_results.unwrap_or(limits::SUBSCRIPTIONS_PAGE_SIZE_DEFAULT);
    let all = call.services.broker.subscriptions_of(&input.client_id)?;
    let mut rest = all.into_iter().skip_while(|(filter, _)| after.as_ref().is_some_and(|after| filter <= after));
    let page: Vec<_> = rest.by_ref().take(max).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    let next_token = page::token(last.map(|(filter, _)| filter.to_string()));
    Ok(Output { subscriptions: page.into_iter().map(Subscription::from).collect(), next_token })
}

impl From<(TopicFilter, SubscribeOptions)> for Subscription {
    fn from((filter, options): (TopicFilter, SubscribeOptions)) -> Self {
        Self { topic_filter: filter.to_string(), qos: options.qos.bits() }
    }
}
