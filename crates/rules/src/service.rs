//! The rules of the account: made, listed and deleted here, kept in the store, and run.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actions::Outside;
use names::{ArnSpace, RuleName, Timestamp, limits};
use parking_lot::Mutex;
use router::Router;
use store::{Change, Store, StoreError, Version};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{error, warn};

use crate::compile::CompiledRule;
use crate::dispatch::{ActiveRule, Engine, serve};
use crate::table::{self, Stored};
use crate::{Rule, RuleError, RuleFilter, RuleMetrics, RulePayload, topics};

/// The rules engine. Calls that write block until what they wrote is durable, so async doors call them where blocking
/// is allowed.
pub struct Rules {
    store: Arc<dyn Store>,
    router: Arc<Router>,
    outside: Arc<Outside>,
    arns: ArnSpace,
    metrics: Arc<RuleMetrics>,
    /// The rules as this process has them; the store is read under this lock, so that an older state never wins.
    known: Mutex<HashMap<RuleName, Known>>,
    /// Something in `known` waits to be started.
    changed: Notify,
    /// Held while a rule is made, so that the number of rules is kept to.
    making: Mutex<()>,
}

struct Known {
    version: Version,
    /// None when the rule is disabled or cannot be compiled.
    active: Option<Arc<ActiveRule>>,
    is_started: bool,
}

impl Rules {
    /// The rules over a store; none receives messages before [`run`](Self::run).
    pub fn new(store: Arc<dyn Store>, router: Arc<Router>, outside: Arc<Outside>, arns: ArnSpace) -> Arc<Self> {
        Arc::new(Self {
            store,
            router,
            outside,
            arns,
            metrics: Arc::default(),
            known: Mutex::default(),
            changed: Notify::new(),
            making: Mutex::default(),
        })
    }

    /// Makes a rule (`CreateTopicRule`). It is durable and receives messages when this returns.
    ///
    /// # Errors
    /// [`RuleError`] says what is wrong with the rule, that its name is taken, or that there are too many.
    pub fn create(&self, name: RuleName, payload: RulePayload, now: Timestamp) -> Result<(), RuleError> {
        check(&payload)?;
        let _making = self.making.lock();
        if self.rule(&name)?.is_some() {
            return Err(RuleError::AlreadyExists(name));
        }
        if self.count()? >= limits::RULES_MAX {
            return Err(RuleError::TooManyRules);
        }
        match self.write(&name, &payload, now, None) {
            Err(StoreError::Conflict) => Err(RuleError::AlreadyExists(name)),
            answer => Ok(answer?),
        }
    }

    /// Gives a rule another payload (`ReplaceTopicRule`); it keeps the time it was made.
    ///
    /// # Errors
    /// [`RuleError`] says what is wrong with the payload, or that there is no such rule.
    pub fn replace(&self, name: &RuleName, payload: RulePayload) -> Result<(), RuleError> {
        check(&payload)?;
        self.change(name, |_| payload.clone())
    }

    /// Lets a rule rest or work again (`DisableTopicRule`, `EnableTopicRule`).
    ///
    /// # Errors
    /// [`RuleError::NotFound`] when there is no such rule.
    pub fn set_disabled(&self, name: &RuleName, is_disabled: bool) -> Result<(), RuleError> {
        self.change(name, |payload| RulePayload { rule_disabled: is_disabled, ..payload })
    }

    /// The rule of this name (`GetTopicRule`).
    ///
    /// # Errors
    /// [`RuleError::Store`] when it cannot be read.
    pub fn rule(&self, name: &RuleName) -> Result<Option<Rule>, RuleError> {
        Ok(table::read(&*self.store, name)?.map(|stored| stored.rule))
    }

    /// At most `limit` rules by name after the rule `after`, and the name to go on after when there are more
    /// (`ListTopicRules`).
    ///
    /// # Errors
    /// [`RuleError::Store`] when they cannot be read.
    pub fn list(
        &self,
        filter: &RuleFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Rule>, Option<String>), RuleError> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut next = None;
        table::names(&*self.store, after, |name| {
            let Some(Stored { rule, .. }) = table::read(&*self.store, &name)? else { return Ok(true) };
            let is_wanted = filter.disabled.is_none_or(|disabled| disabled == rule.payload.rule_disabled)
                && filter.topic.as_deref().is_none_or(|topic| topics::is_for(rule.topic_pattern.as_deref(), topic));
            if is_wanted && rules.len() >= limit {
                next = rules.last().map(|last| last.name.to_string());
                return Ok(false);
            }
            rules.extend(is_wanted.then_some(rule));
            Ok(true)
        })?;
        Ok((rules, next))
    }

    /// Deletes a rule (`DeleteTopicRule`); that there is none is no error. Messages that it has received before are
    /// still evaluated.
    ///
    /// # Errors
    /// [`RuleError::Store`] when the store fails.
    pub fn delete(&self, name: &RuleName) -> Result<(), RuleError> {
        self.store.commit(table::clear(name)).wait()?;
        Ok(self.refresh(name)?)
    }

    /// What has been counted since the start.
    pub fn metrics(&self) -> &RuleMetrics {
        &self.metrics
    }

    /// Runs all rules that are not disabled, each in its own task, until `stop` is ready; then what they have received
    /// is still evaluated, for at most five seconds. The rules receive messages when this returns; the future does the
    /// work and wants a task of its own. `clock` gives the time, `ids` new random UUIDs.
    pub fn run(
        self: Arc<Self>,
        clock: fn() -> Timestamp,
        ids: fn() -> String,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        // Watched before it is read, so that no change falls in between.
        let mut changes = self.store.watch(table::PREFIX);
        self.refresh_all();
        let (outside, arns, metrics) = (Arc::clone(&self.outside), self.arns.clone(), Arc::clone(&self.metrics));
        let engine = Arc::new(Engine { outside, arns, metrics, clock, ids });
        async move {
            let mut stop = pin!(stop);
            let mut tasks = Tasks::default();
            loop {
                tasks.start(self.not_started(), &engine);
                tokio::select! {
                    () = &mut stop => break,
                    () = self.changed.notified() => {}
                    Some(ended) = tasks.running.join_next_with_id() => tasks.ended(ended, &self),
                    change = changes.next() => match change {
                        Some(change) => self.take(&change),
                        None => break,
                    },
                }
            }
            self.known.lock().drain().filter_map(|(_, known)| known.active).for_each(|rule| rule.stop());
            let rest = async { while tasks.running.join_next().await.is_some() {} };
            if tokio::time::timeout(STOP_TIME_MAX, rest).await.is_err() {
                warn!("rules were stopped with actions under way");
            }
        }
    }

    fn count(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        table::names(&*self.store, None, |_| {
            count += 1;
            Ok(count < limits::RULES_MAX)
        })?;
        Ok(count)
    }

    /// Reads, changes and writes a rule, again when somebody else was faster.
    fn change(&self, name: &RuleName, change: impl Fn(RulePayload) -> RulePayload) -> Result<(), RuleError> {
        for _ in 0..ATTEMPTS_MAX {
            let stored = table::read(&*self.store, name)?;
            let Some(Stored { rule, version }) = stored else { return Err(RuleError::NotFound(name.clone())) };
            match self.write(name, &change(rule.payload), rule.created_at, Some(version)) {
                Err(StoreError::Conflict) => {}
                answer => return Ok(answer?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    fn write(
        &self,
        name: &RuleName,
        payload: &RulePayload,
        created_at: Timestamp,
        version: Option<Version>,
    ) -> Result<(), StoreError> {
        let batch = table::put(name, payload, created_at, version);
        let batch = batch.map_err(|error| StoreError::Failed(format!("the rule cannot be written: {error}")))?;
        self.store.commit(batch).wait()?;
        self.refresh(name)
    }

    /// Makes this process's rule what the store has. The new rule subscribes before the old one stops: a message may
    /// be taken by both, never by none.
    fn refresh(&self, name: &RuleName) -> Result<(), StoreError> {
        let mut known = self.known.lock();
        let stored = table::read(&*self.store, name)?;
        if known.get(name).map(|known| known.version) == stored.as_ref().map(|stored| stored.version) {
            return Ok(());
        }
        let new = stored.map(|Stored { rule, version }| {
            let active = if rule.payload.rule_disabled { None } else { self.activate(&rule) };
            Known { version, active, is_started: false }
        });
        let old = match new {
            Some(new) => known.insert(name.clone(), new),
            None => known.remove(name),
        };
        drop(known);
        if let Some(rule) = old.and_then(|old| old.active) {
            rule.stop();
        }
        self.changed.notify_one();
        Ok(())
    }

    fn activate(&self, rule: &Rule) -> Option<Arc<ActiveRule>> {
        match CompiledRule::new(&rule.payload) {
            Ok(compiled) => Some(ActiveRule::new(&rule.name, self.arns.rule(&rule.name), compiled, &self.router)),
            Err(error) => {
                error!(rule = %rule.name, %error, "the rule is kept but does not run: it cannot be compiled");
                None
            }
        }
    }

    /// What [`refresh`](Self::refresh) does, for all rules in the store and all that were there before.
    fn refresh_all(&self) {
        let mut names: Vec<RuleName> = self.known.lock().keys().cloned().collect();
        let listed = table::names(&*self.store, None, |name| {
            names.push(name);
            Ok(true)
        });
        if let Err(error) = listed {
            error!(%error, "the rules could not be listed");
        }
        names.iter().for_each(|name| self.refresh_or_log(name));
    }

    fn take(&self, change: &Change) {
        match change {
            Change::Put { key, .. } | Change::Deleted { key } => {
                table::rule_of(key).iter().for_each(|name| self.refresh_or_log(name));
            }
            Change::Lagged => self.refresh_all(),
        }
    }

    fn refresh_or_log(&self, name: &RuleName) {
        if let Err(error) = self.refresh(name) {
            error!(rule = %name, %error, "the rule could not be read; it runs as it was before");
        }
    }

    /// The rules that have no task yet; they count as started now.
    fn not_started(&self) -> Vec<(RuleName, Arc<ActiveRule>)> {
        let mut known = self.known.lock();
        let waiting = known.iter_mut().filter(|(_, known)| !known.is_started);
        let start = |(name, known): (&RuleName, &mut Known)| {
            known.is_started = true;
            Some((name.clone(), Arc::clone(known.active.as_ref()?)))
        };
        waiting.filter_map(start).collect()
    }

    /// A rule's task died of a mistake of ours: the rule goes on with the next message.
    fn start_again(&self, name: &RuleName) {
        if let Some(known) = self.known.lock().get_mut(name) {
            known.is_started = false;
        }
    }
}

/// The rules' tasks, and which is whose.
#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    rules: HashMap<Id, RuleName>,
}

impl Tasks {
    fn start(&mut self, rules: Vec<(RuleName, Arc<ActiveRule>)>, engine: &Arc<Engine>) {
        for (name, rule) in rules {
            let task = self.running.spawn(serve(rule, Arc::clone(engine)));
            self.rules.insert(task.id(), name);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>, rules: &Rules) {
        match ended {
            Ok((id, ())) => drop(self.rules.remove(&id)),
            Err(problem) => {
                if let Some(name) = self.rules.remove(&problem.id()) {
                    error!(rule = %name, %problem, "a rule's task broke off; it is started again");
                    rules.start_again(&name);
                }
            }
        }
    }
}

/// Everything about a rule that can be wrong by itself.
fn check(payload: &RulePayload) -> Result<(), RuleError> {
    let bytes = serde_json::to_vec(payload).map_or(usize::MAX, |json| json.len());
    if bytes > limits::RULE_PAYLOAD_BYTES_MAX {
        return Err(RuleError::TooLarge(bytes));
    }
    CompiledRule::new(payload).map(|_| ())
}

/// Writes of one change before somebody else's are let win (ours).
const ATTEMPTS_MAX: usize = 100;
/// How long rules may take to end (ours).
const STOP_TIME_MAX: Duration = Duration::from_secs(5);
