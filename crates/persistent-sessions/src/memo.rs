//! Whom the topics that were used last reach, for as long as no subscription changes. Bounded in topics and subscribers.

use std::collections::HashMap;
use std::sync::Arc;

use message::{SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, limits};

use crate::session_id::SessionId;

/// A subscription that a topic reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The session that has it.
    pub session: SessionId,
    /// Its client id.
    pub client_id: ClientId,
    /// What it asks for; the inner filter of a shared one.
    pub filter: TopicFilter,
    /// How it wants its messages.
    pub options: SubscribeOptions,
    /// The share name of a shared subscription: one of all who have it with this filter gets the message
    /// [MQTT-4.8.2-4].
    pub share: Option<Arc<str>>,
}

/// Answers of one generation.
#[derive(Default)]
pub(crate) struct Memo {
    generation: u64,
    topics: HashMap<TopicName, Arc<[Reached]>>,
    subscribers: usize,
}

impl Memo {
    pub(crate) fn get(&self, topic: &TopicName, generation: u64) -> Option<Arc<[Reached]>> {
        (self.generation == generation).then(|| self.topics.get(topic).cloned())?
    }

    pub(crate) fn insert(&mut self, topic: &TopicName, generation: u64, reached: &Arc<[Reached]>) {
        if reached.len() > limits::REACHED_SUBSCRIBERS_MAX || generation < self.generation {
            return;
        }
        let is_full = self.topics.len() >= limits::REACHED_TOPICS_MAX
            || self.subscribers + reached.len() > limits::REACHED_SUBSCRIBERS_MAX;
        if is_full || generation > self.generation {
            *self = Self { generation, ..Self::default() };
        }
        self.subscribers += reached.len();
        self.topics.insert(topic.detached(), Arc::clone(reached));
    }
}
