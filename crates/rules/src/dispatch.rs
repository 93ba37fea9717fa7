//! A rule at work: takes its messages from its mailbox, evaluates them, and performs the actions.
//!
//! A publisher has its acknowledgement as soon as a message waits in the mailbox, so what waits there is lost when the
//! process dies; AWS promises at-least-once from the evaluation on, too.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use actions::{Action, ActionError, Outside};
use message::{Message, QoS, TopicFilter};
use names::{ArnSpace, Dialect, RuleName, Timestamp};
use router::{MailboxClosed, Router, SubscribeOptions, Subscriber};
use sql::Output;
use tracing::warn;

use crate::compile::CompiledRule;
use crate::error_action::{self, Failure};
use crate::evaluation::Evaluation;
use crate::metrics::{RuleMetrics, count};
use crate::slots::Slots;
use crate::topics;

/// A rule that receives messages.
pub(crate) struct ActiveRule {
    name: RuleName,
    arn: String,
    compiled: CompiledRule,
    filters: Vec<TopicFilter>,
    subscriber: Subscriber,
}

/// What all rules share while they run.
pub(crate) struct Engine {
    pub(crate) outside: Arc<Outside>,
    pub(crate) arns: ArnSpace,
    pub(crate) metrics: Arc<RuleMetrics>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) ids: fn() -> String,
}

impl ActiveRule {
    /// Subscribes the rule; from now on its messages wait for [`serve`].
    pub(crate) fn new(name: &RuleName, arn: String, compiled: CompiledRule, router: &Arc<Router>) -> Arc<Self> {
        let subscriber = router.service();
        let filters = topics::filters(name, compiled.from.as_ref());
        for filter in &filters {
            let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
            subscriber.subscribe(filter.clone(), options);
        }
        Arc::new(Self { name: name.clone(), arn, compiled, filters, subscriber })
    }

    /// No more messages; what waits is still evaluated, and then [`serve`] ends.
    pub(crate) fn stop(&self) {
        self.filters.iter().for_each(|filter| {
            self.subscriber.unsubscribe(filter);
        });
        self.subscriber.mailbox().close(MailboxClosed::ShuttingDown);
    }

    /// Whether performing never waits, so that messages can be handled one after the other, in their order.
    fn is_local(&self) -> bool {
        self.compiled.actions.iter().chain(&self.compiled.error_action).all(Action::is_local)
    }
}

/// Handles the rule's messages until it is stopped, and waits for the actions that are under way.
pub(crate) async fn serve(rule: Arc<ActiveRule>, engine: Arc<Engine>) {
    let is_local = rule.is_local();
    let mut deliveries = Vec::new();
    let mut slots = Slots::new(rule.name.clone(), Arc::clone(&engine.metrics));
    while rule.subscriber.receive(&mut deliveries, BATCH_MAX).await > 0 {
        for delivery in deliveries.drain(..) {
            let Some((evaluation, output)) = evaluate(&rule, &engine, &delivery.message) else { continue };
            if is_local {
                act(&rule, &engine, evaluation, output).await;
            } else if slots.wait().await {
                let (rule, engine) = (Arc::clone(&rule), Arc::clone(&engine));
                slots.start(async move { act(&rule, &engine, evaluation, output).await });
            }
        }
        // A flood to one rule must not hold a thread for ever.
        tokio::task::yield_now().await;
    }
    slots.finish().await;
}

/// The statement's result for a message; none when the message is not the rule's, WHERE is not true, or it fails.
fn evaluate(rule: &ActiveRule, engine: &Engine, message: &Arc<Message>) -> Option<(Evaluation, Output)> {
    let topic = topics::topic_for(&message.topic, &rule.name)?.to_owned();
    count(&engine.metrics.matched);
    let mut evaluation = Evaluation::new(Arc::clone(message), topic, (engine.clock)(), engine.ids);
    let account_id = engine.arns.account.as_str();
    match evaluation.with_input(account_id, |input| rule.compiled.statement.select(input)) {
        Ok(output) => Some((evaluation, output?)),
        Err(error) => {
            count(&engine.metrics.sql_failed);
            warn!(rule = %rule.name, topic = evaluation.topic, %error, "the statement failed");
            None
        }
    }
}

/// Performs all actions at the same time, each for itself, and then the error action if one failed. False if one of
/// them got no answer from outside.
async fn act(rule: &ActiveRule, engine: &Engine, mut evaluation: Evaluation, output: Output) -> bool {
    let account_id = engine.arns.account.as_str();
    let actions = &rule.compiled.actions;
    let performed = evaluation.with_input(account_id, |input| {
        let perform = |action| Action::perform(action, &engine.outside, &rule.arn, input, &output);
        actions.iter().map(perform).collect::<Vec<_>>()
    });
    let answers = all(performed).await;
    let mut failures = Vec::new();
    let mut is_answered = true;
    for (action, answer) in actions.iter().zip(answers) {
        let Err(error) = answer else {
            count(&engine.metrics.actions_succeeded);
            continue;
        };
        is_answered &= !error.is_unanswered();
        count(if error.is_denied() { &engine.metrics.actions_denied } else { &engine.metrics.actions_failed });
        let resource = evaluation.with_input(account_id, |input| action.report_resource(input, &output));
        failures.push(failure(rule, &evaluation, action, resource, &error));
    }
    let Some(error_action) = rule.compiled.error_action.as_ref().filter(|_| !failures.is_empty()) else {
        return is_answered;
    };
    tell(rule, engine, evaluation, error_action, &failures).await && is_answered
}

fn failure(
    rule: &ActiveRule,
    evaluation: &Evaluation,
    action: &Action,
    failed_resource: String,
    error: &ActionError,
) -> Failure {
    let failed_action = action.report_name();
    let (rule, topic) = (&rule.name, &evaluation.topic);
    warn!(%rule, topic, action = failed_action, resource = failed_resource, %error, "the action failed");
    Failure { failed_action, failed_resource, error_message: error.to_string() }
}

/// The error action's own failure is counted and logged, nothing more. False if it got no answer from outside.
async fn tell(
    rule: &ActiveRule,
    engine: &Engine,
    mut evaluation: Evaluation,
    error_action: &Action,
    failures: &[Failure],
) -> bool {
    let account_id = engine.arns.account.as_str();
    let report = error_action::report(&rule.name, &evaluation, failures);
    let Some(output) = error_action::output(report, &evaluation, account_id) else { return true };
    let performed =
        evaluation.with_input(account_id, |input| error_action.perform(&engine.outside, &rule.arn, input, &output));
    match performed.await {
        Ok(()) => {
            count(&engine.metrics.error_actions_succeeded);
            true
        }
        Err(error) => {
            count(&engine.metrics.error_actions_failed);
            warn!(rule = %rule.name, topic = evaluation.topic, %error, "the error action failed");
            !error.is_unanswered()
        }
    }
}

/// The answers of all futures, which run at the same time in this task.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: HashMap<usize, Pin<Box<F>>> = futures.into_iter().map(Box::pin).enumerate().collect();
    let mut answers: Vec<(usize, F::Output)> = Vec::with_capacity(pending.len());
    poll_fn(|context| {
        pending.retain(|at, future| match future.as_mut().poll(context) {
            Poll::Ready(answer) => {
                answers.push((*at, answer));
                false
            }
            Poll::Pending => true,
        });
        if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Messages taken from the mailbox at once (ours).
const BATCH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_come_in_the_order_of_the_questions_and_take_the_longest_time() {
        let start = tokio::time::Instant::now();
        let wait = |seconds: u64| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        assert_eq!(all(vec![wait(3), wait(1), wait(2)]).await, [3, 1, 2]);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert_eq!(all(Vec::<std::future::Ready<()>>::new()).await, []);
    }
}
