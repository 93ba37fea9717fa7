//! What somebody found out about the topics it used last. Most connections use one topic, some a few.

use std::collections::HashMap;

use crate::TopicName;

/// Answers by topic, bounded: when it is full it starts afresh. The topic asked last is compared before anything is
/// hashed, which saves a steady stream a tenth of its cost.
#[derive(Debug)]
pub struct TopicMemo<V> {
    last: Option<(TopicName, V)>,
    /// Most connections never have any.
    #[expect(clippy::box_collection, reason = "one word instead of six where there is none")]
    others: Option<Box<HashMap<TopicName, V>>>,
    topics_max: usize,
}

impl<V: Clone> TopicMemo<V> {
    /// An empty memo for at most `topics_max` topics.
    pub fn new(topics_max: usize) -> Self {
        Self { last: None, others: None, topics_max }
    }

    /// What is known of `topic`.
    pub fn get(&mut self, topic: &TopicName) -> Option<&V> {
        let is_last = self.last.as_ref().is_some_and(|(last, _)| last == topic);
        if !is_last {
            let others = self.others.as_mut()?;
            let (known, value) = others.remove_entry(topic)?;
            if let Some((last, value)) = self.last.replace((known, value)) {
                others.insert(last, value);
            }
        }
        self.last.as_ref().map(|(_, value)| value)
    }

    /// Remembers `value` for `topic`, in a copy of the topic that does not keep the buffer it came in.
    pub fn insert(&mut self, topic: &TopicName, value: V) {
        if self.others.as_ref().map_or(0, |others| others.len()) + 1 >= self.topics_max {
            self.clear();
        }
        if let Some((last, value)) = self.last.replace((topic.detached(), value)) {
            self.others.get_or_insert_default().insert(last, value);
        }
    }

    /// Forgets everything and gives its memory back.
    pub fn clear(&mut self) {
        self.last = None;
        self.others = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_up_to_its_limit_whatever_the_order() {
        let topics: Vec<TopicName> = (0..8).map(|n| TopicName::new(format!("t/{n}")).unwrap()).collect();
        let mut memo = TopicMemo::new(4);
        for (n, topic) in topics.iter().enumerate().take(4) {
            assert_eq!(memo.get(topic), None);
            memo.insert(topic, n);
        }
        for order in [[0, 1, 2, 3], [3, 1, 3, 0], [2, 2, 2, 1]] {
            for n in order {
                assert_eq!(memo.get(&topics[n]), Some(&n));
            }
        }
        assert_eq!(memo.get(&topics[5]), None);
        memo.insert(&topics[5], 5);
        assert_eq!(memo.get(&topics[5]), Some(&5));
        assert!(topics.iter().filter(|topic| memo.get(topic).is_some()).count() <= 4);
        memo.clear();
        assert!(topics.iter().all(|topic| memo.get(topic).is_none()));
    }
}
