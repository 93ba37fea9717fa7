//! The places for messages whose actions reach outside. What is outside may answer slowly, and then publishers wait; it
//! may also not answer at all, and then they must not: messages are let go until it answers again.

use std::sync::Arc;
use std::time::Duration;

use names::RuleName;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::metrics::{RuleMetrics, count};

/// The messages of one rule that are being acted on.
pub(crate) struct Slots {
    rule: RuleName,
    metrics: Arc<RuleMetrics>,
    under_way: JoinSet<bool>,
    wait_until: Instant,
    is_out: bool,
    let_go: u64,
}

impl Slots {
    pub(crate) fn new(rule: RuleName, metrics: Arc<RuleMetrics>) -> Self {
        Self { rule, metrics, under_way: JoinSet::new(), wait_until: Instant::now(), is_out: false, let_go: 0 }
    }

    /// Waits for a place. False, and the message is counted as let go, if all are taken and nothing outside has
    /// answered for too long.
    pub(crate) async fn wait(&mut self) -> bool {
        while self.under_way.len() >= MESSAGES_UNDER_WAY_MAX {
            match timeout_at(self.wait_until, self.under_way.join_next()).await {
                Ok(ended) => self.ended(ended),
                Err(_) => {
                    self.let_one_go();
                    return false;
                }
            }
        }
        true
    }

    /// Starts the actions for one message; they answer whether everything outside gave an answer, be it a refusal.
    pub(crate) fn start(&mut self, actions: impl Future<Output = bool> + Send + 'static) {
        while let Some(ended) = self.under_way.try_join_next() {
            self.ended(Some(ended));
        }
        if self.under_way.is_empty() {
            self.wait_until = Instant::now() + if self.is_out { PATIENCE_IN_OUTAGE } else { PATIENCE };
        }
        self.under_way.spawn(actions);
    }

    /// Waits for all that is under way.
    pub(crate) async fn finish(&mut self) {
        while let Some(ended) = self.under_way.join_next().await {
            self.ended(Some(ended));
        }
    }

    fn ended(&mut self, ended: Option<Result<bool, JoinError>>) {
        match ended {
            Some(Ok(true)) => {
                self.is_out = false;
                self.wait_until = Instant::now() + PATIENCE;
                let let_go = std::mem::take(&mut self.let_go);
                if let_go > 0 {
                    warn!(rule = %self.rule, let_go, "what the rule's actions reach answers again");
                }
            }
            Some(Err(error)) => warn!(rule = %self.rule, %error, "the actions for a message broke off"),
            Some(Ok(false)) => self.is_out = true,
            None => {}
        }
    }

    fn let_one_go(&mut self) {
        count(&self.metrics.let_go);
        if self.let_go == 0 {
            warn!(rule = %self.rule, "what the rule's actions reach does not answer; messages are let go until it does");
        }
        self.let_go += 1;
    }
}

/// Messages whose actions wait for something outside, for each rule. More wait in the mailbox.
const MESSAGES_UNDER_WAY_MAX: usize = 16;
/// How long publishers wait for what does not answer. Longer than one attempt of any action: what answers slowly slows
/// its publishers down, and loses nothing.
const PATIENCE: Duration = Duration::from_secs(6);
/// The same after a failure to reach it, so that a burst is kept when it is back.
const PATIENCE_IN_OUTAGE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::Ordering;

    use super::*;

    fn slots() -> (Slots, Arc<RuleMetrics>) {
        let metrics = Arc::<RuleMetrics>::default();
        (Slots::new(RuleName::new("r").unwrap(), Arc::clone(&metrics)), metrics)
    }

    async fn after(seconds: u64, is_answered: bool) -> bool {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        is_answered
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_answers_holds_publishers_once() {
        let (mut slots, metrics) = slots();
        let begin = Instant::now();
        for _ in 0..MESSAGES_UNDER_WAY_MAX {
            assert!(slots.wait().await);
            slots.start(pending());
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        for _ in 0..1000 {
            assert!(!slots.wait().await);
        }
        assert_eq!((begin.elapsed().as_secs(), metrics.let_go.load(Ordering::Relaxed)), (PATIENCE.as_secs(), 1000));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_to_reach_are_no_answers() {
        let (mut slots, metrics) = slots();
        let begin = Instant::now();
        let mut waited = Duration::ZERO;
        // A minute of a flood; every message that is tried fails after 15 seconds.
        while begin.elapsed() < Duration::from_secs(60) {
            let at = Instant::now();
            if slots.wait().await {
                slots.start(after(15, false));
            }
            waited += at.elapsed();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(waited < Duration::from_secs(12), "{waited:?}");
        assert!(metrics.let_go.load(Ordering::Relaxed) > 4000);
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_slowly_loses_nothing() {
        let (mut slots, metrics) = slots();
        for _ in 0..20 * MESSAGES_UNDER_WAY_MAX {
            assert!(slots.wait().await);
            slots.start(after(5, true));
        }
        slots.finish().await;
        assert_eq!(metrics.let_go.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_the_outage() {
        let (mut slots, _) = slots();
        for _ in 0..MESSAGES_UNDER_WAY_MAX {
            slots.start(after(60, true));
        }
        assert!(!slots.wait().await);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(slots.wait().await);
        assert_eq!(slots.let_go, 0);
    }
}
