//! Retained messages that were handed to the store and are not readable from it: the newest one of each topic.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use message::{Message, TopicName};

/// The newest write of each topic. One that the store has answered counts no more, whether or not anybody waited for it.
#[derive(Default)]
pub(crate) struct OnTheirWay {
    by_topic: HashMap<TopicName, Entry>,
    next_write: u64,
    /// As many as there may be before those that nobody waited for are taken out.
    sweep_at: usize,
}

struct Entry {
    write: u64,
    message: Arc<Message>,
    chunks: u16,
    is_answered: Arc<AtomicBool>,
}

impl Entry {
    fn is_open(&self) -> bool {
        !self.is_answered.load(Ordering::Acquire)
    }
}

impl OnTheirWay {
    /// An empty payload means that the topic's message is being removed.
    pub(crate) fn get(&self, topic: &TopicName) -> Option<&Arc<Message>> {
        self.by_topic.get(topic).filter(|entry| entry.is_open()).map(|entry| &entry.message)
    }

    /// The rows that the topic's message will have; none when none is on its way.
    pub(crate) fn chunks(&self, topic: &TopicName) -> Option<u16> {
        self.by_topic.get(topic).filter(|entry| entry.is_open()).map(|entry| entry.chunks)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.by_topic.values().filter(|entry| entry.is_open()).map(|entry| &entry.message)
    }

    /// The topic's newest write; its number, and what is to be set when the store has answered.
    pub(crate) fn insert(&mut self, message: Message, chunks: u16) -> (u64, Arc<AtomicBool>) {
        if self.by_topic.len() >= self.sweep_at {
            self.by_topic.retain(|_, entry| entry.is_open());
            self.sweep_at = SWEPT_MIN.max(2 * self.by_topic.len());
        }
        let write = self.next_write;
        self.next_write += 1;
        let is_answered = Arc::new(AtomicBool::new(false));
        let (topic, message) = (message.topic.clone(), Arc::new(message));
        let entry = Entry { write, message, chunks, is_answered: Arc::clone(&is_answered) };
        self.by_topic.insert(topic, entry);
        (write, is_answered)
    }

    /// Whoever waited for the write knows of the answer.
    pub(crate) fn remove(&mut self, topic: &TopicName, write: u64) {
        if self.by_topic.get(topic).is_some_and(|newest| newest.write == write) {
            self.by_topic.remove(topic);
        }
    }
}

/// Answered writes that nobody waited for are looked for among as many at least.
const SWEPT_MIN: usize = 64;
