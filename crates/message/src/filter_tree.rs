//! A tree of topic filters, one level a node: which entries does a topic name reach? The tree does not know what its
//! entries mean; the dialect's rule for `#` at its parent level is told to the visitor and decided there.

use std::collections::{BTreeMap, HashMap};

use crate::{TopicFilter, TopicName};

/// Entries of type `V`, kept under a topic filter and a key `K` (the subscriber).
#[derive(Debug)]
pub struct FilterTree<K, V> {
    root: Node<K, V>,
    entries: usize,
}

/// How a filter reached a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Level by level, by both dialects' rules.
    Full,
    /// By `#` matching its own parent level, which MQTT does [MQTT-4.7.1-2] and AWS IoT Core does not.
    Parent,
}

impl<K: Ord, V> FilterTree<K, V> {
    /// An empty tree.
    pub fn new() -> Self {
        Self { root: Node::default(), entries: 0 }
    }

    /// How many entries the tree holds.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether the tree holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Puts an entry; answers the one that it replaces.
    pub fn insert(&mut self, filter: &TopicFilter, key: K, value: V) -> Option<V> {
        let mut node = &mut self.root;
        for level in filter.levels() {
            node = match level {
                "#" => {
                    let replaced = node.below.insert(key, value);
                    self.entries += usize::from(replaced.is_none());
                    return replaced;
                }
                "+" => &mut **node.any.get_or_insert_default(),
                level => node.children.entry(Box::from(level)).or_default(),
            };
        }
        let replaced = node.here.insert(key, value);
        self.entries += usize::from(replaced.is_none());
        replaced
    }

    /// Takes an entry out, and with it the branch that held nothing else.
    pub fn remove(&mut self, filter: &TopicFilter, key: &K) -> Option<V> {
        let removed = self.root.remove(&mut filter.levels(), key);
        self.entries -= usize::from(removed.is_some());
        removed
    }

    /// Calls `visit` for every entry whose filter matches `topic`. Wildcards at the first level do not reach topics
    /// that start with `$` [MQTT-4.7.2-1].
    pub fn visit<'a>(&'a self, topic: &TopicName, visit: &mut impl FnMut(&'a K, &'a V, Reach)) {
        if topic.is_reserved() {
            let mut levels = topic.levels();
            if let Some(child) = levels.next().and_then(|first| self.root.children.get(first)) {
                child.visit(levels, visit);
            }
        } else {
            self.root.visit(topic.levels(), visit);
        }
    }
}

impl<K: Ord, V> Default for FilterTree<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Depth is bounded by [`names::limits::TOPIC_LEVELS_MAX`], which every [`TopicFilter`] keeps, so recursion is too.
#[derive(Debug)]
struct Node<K, V> {
    /// Levels spelled out.
    children: HashMap<Box<str>, Node<K, V>>,
    /// The level `+`.
    any: Option<Box<Node<K, V>>>,
    /// Entries whose filter ends here.
    here: BTreeMap<K, V>,
    /// Entries whose filter ends in `#` below here.
    below: BTreeMap<K, V>,
}

impl<K, V> Default for Node<K, V> {
    fn default() -> Self {
        Self { children: HashMap::new(), any: None, here: BTreeMap::new(), below: BTreeMap::new() }
    }
}

impl<K: Ord, V> Node<K, V> {
    fn visit<'a>(&'a self, mut levels: std::str::Split<'_, char>, visit: &mut impl FnMut(&'a K, &'a V, Reach)) {
        let Some(level) = levels.next() else {
            self.here.iter().for_each(|(key, value)| visit(key, value, Reach::Full));
            self.below.iter().for_each(|(key, value)| visit(key, value, Reach::Parent));
            return;
        };
        self.below.iter().for_each(|(key, value)| visit(key, value, Reach::Full));
        if let Some(child) = self.children.get(level) {
            child.visit(levels.clone(), visit);
        }
        if let Some(any) = &self.any {
            any.visit(levels, visit);
        }
    }

    fn remove(&mut self, levels: &mut std::str::Split<'_, char>, key: &K) -> Option<V> {
        match levels.next() {
            None => self.here.remove(key),
            Some("#") => self.below.remove(key),
            Some("+") => {
                let any = self.any.as_mut()?;
                let removed = any.remove(levels, key);
                if any.is_bare() {
                    self.any = None;
                }
                removed
            }
            Some(level) => {
                let child = self.children.get_mut(level)?;
                let removed = child.remove(levels, key);
                if child.is_bare() {
                    self.children.remove(level);
                }
                removed
            }
        }
    }

    fn is_bare(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.here.is_empty() && self.below.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use names::Dialect;
    use proptest::prelude::*;

    use super::*;

    fn matching(tree: &FilterTree<usize, ()>, topic: &TopicName, dialect: Dialect) -> Vec<usize> {
        let mut found = Vec::new();
        tree.visit(topic, &mut |key, (), reach| {
            if reach == Reach::Full || dialect == Dialect::Mqtt {
                found.push(*key);
            }
        });
        found.sort_unstable();
        found
    }

    fn level() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("a"), Just("b"), Just(""), Just("$x"), Just("+"), Just("#")]
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(level(), 1..6).prop_map(|levels| levels.join("/"))
    }

    proptest! {
        /// The tree answers what asking every filter in turn would answer, also after removals.
        #[test]
        fn the_tree_agrees_with_asking_each_filter(
            filters in prop::collection::vec(text(), 0..40),
            topics in prop::collection::vec(text(), 1..20),
            removed in prop::collection::vec(any::<bool>(), 40),
        ) {
            let filters: Vec<_> = filters.iter().filter_map(|text| TopicFilter::new(text).ok()).collect();
            let mut tree = FilterTree::new();
            for (key, filter) in filters.iter().enumerate() {
                prop_assert!(tree.insert(filter, key, ()).is_none());
            }
            let is_kept = |key: &usize| !removed[*key];
            for (key, filter) in filters.iter().enumerate().filter(|(key, _)| !is_kept(key)) {
                prop_assert!(tree.remove(filter, &key).is_some());
                prop_assert!(tree.remove(filter, &key).is_none());
            }
            prop_assert_eq!(tree.len(), (0..filters.len()).filter(is_kept).count());
            for topic in topics.iter().filter_map(|text| TopicName::new(text.clone()).ok()) {
                for dialect in [Dialect::Mqtt, Dialect::Aws] {
                    let naive: Vec<_> =
                        (0..filters.len()).filter(is_kept).filter(|key| filters[*key].matches(&topic, dialect)).collect();
                    prop_assert_eq!(matching(&tree, &topic, dialect), naive);
                }
            }
        }
    }

    #[test]
    fn an_emptied_tree_keeps_no_branch() {
        let mut tree = FilterTree::new();
        let filters = ["a/b/c", "a/+/c", "a/b/#", "#", "+"].map(|text| TopicFilter::new(text).unwrap());
        filters.iter().for_each(|filter| assert!(tree.insert(filter, 1, ()).is_none()));
        assert!(tree.insert(&filters[0], 1, ()).is_some(), "the same subscriber replaces its entry");
        assert_eq!(tree.len(), 5);
        filters.iter().for_each(|filter| assert!(tree.remove(filter, &1).is_some()));
        assert!(tree.is_empty() && tree.root.is_bare());
    }
}
