//! Topic names and filters: any text is checked, and the tree reaches what each filter alone would match.

use std::collections::BTreeMap;

use fuzz::Choices;
use message::{FilterTree, Reach, TopicFilter, TopicName};
use names::Dialect;

const WORDS: [&str; 9] = ["a", "b", "/", "/", "+", "#", "$", "$aws", "\u{e4}"];

#[test]
fn any_text_is_a_topic_or_refused() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(topic) = TopicName::new(&*text) {
            assert_eq!(topic.as_str(), text);
            // As a filter it may be refused, but only for its depth.
            assert!(TopicFilter::new(&text).map_or(true, |filter| !filter.has_wildcard()), "{text:?}");
        }
        if let Ok(filter) = TopicFilter::new(&text) {
            assert_eq!(filter.as_topic_name().is_none(), filter.has_wildcard(), "{text:?}");
        }
    });
}

/// A text of at most six words: long ones hardly ever match each other.
fn short(bytes: &[u8]) -> String {
    let count = bytes.len() % 7;
    Choices::new(bytes.get(..count).unwrap_or_default()).sentence(&WORDS)
}

#[test]
fn the_tree_and_the_filters_alone_agree() {
    bolero::check!().with_type::<(Vec<Vec<u8>>, Vec<Vec<u8>>, u8)>().for_each(|(filters, topics, removed)| {
        let valid = filters.iter().filter_map(|words| TopicFilter::new(&short(words)).ok());
        let mut filters: BTreeMap<usize, TopicFilter> = valid.enumerate().collect();
        let mut tree = FilterTree::new();
        for (key, filter) in &filters {
            assert_eq!(tree.insert(filter, *key, ()), None);
        }
        if let Some(filter) = filters.remove(&usize::from(*removed)) {
            assert_eq!(tree.remove(&filter, &usize::from(*removed)), Some(()));
        }
        assert_eq!(tree.len(), filters.len());
        for topic in topics.iter().filter_map(|words| TopicName::new(short(words)).ok()) {
            check(&tree, &filters, &topic);
        }
    });
}

fn check(tree: &FilterTree<usize, ()>, filters: &BTreeMap<usize, TopicFilter>, topic: &TopicName) {
    let mut reached: Vec<(usize, bool)> = Vec::new();
    tree.visit(topic, &mut |key, (), reach| reached.push((*key, reach == Reach::Full)));
    reached.sort_unstable();
    let matching = filters.iter().filter(|(_, filter)| filter.matches(topic, Dialect::Mqtt));
    let expected: Vec<_> = matching.map(|(key, filter)| (*key, filter.matches(topic, Dialect::Aws))).collect();
    assert_eq!(reached, expected, "{topic} among {filters:?}");
}
