//! The shape of a topic filter: where its wildcards stand. For each shape a topic name has exactly one filter text that
//! matches it, so an ordered store finds the filters that match by as many looks as there are shapes.

use message::{TopicFilter, TopicName};

/// How many levels a filter has before its `#`, which of them are `+`, whether there is a `#`, and whether it is about
/// topics that start with `$`: those are many, and most looks for other topics are spared them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape {
    levels: u8,
    has_hash: bool,
    is_reserved: bool,
    /// Bit n is level n; a filter has at most 128 levels.
    any: u128,
}

impl Shape {
    /// Shapes without wildcards: a number of levels, and whether the first one begins with `$`.
    pub(crate) const PLAIN: usize = 2 * names::limits::TOPIC_LEVELS_MAX;

    pub(crate) fn of(filter: &TopicFilter) -> Self {
        let is_reserved = filter.as_str().starts_with('$');
        let mut shape = Self { levels: 0, has_hash: false, is_reserved, any: 0 };
        for level in filter.levels() {
            match level {
                "#" => shape.has_hash = true,
                level => {
                    shape.any |= u128::from(level == "+") << shape.levels;
                    shape.levels += 1;
                }
            }
        }
        shape
    }

    /// Whether its filters have wildcards. There are only as many shapes without as there are numbers of levels.
    pub(crate) fn has_wildcards(self) -> bool {
        self.has_hash || self.any != 0
    }

    /// The one filter of this shape that matches the topic of these levels, if any does; and whether it does so only by
    /// `#` at its parent level.
    pub(crate) fn filter_for(self, topic: &TopicName, levels: &[&str]) -> Option<(TopicFilter, bool)> {
        let fixed = usize::from(self.levels);
        let fits = if self.has_hash { fixed <= levels.len() } else { fixed == levels.len() };
        // A wildcard at the first level does not match a topic that starts with `$` [MQTT-4.7.2-1]; without one there, the
        // filter starts as the topic does.
        if !fits || topic.is_reserved() != self.is_reserved {
            return None;
        }
        let masked = levels.iter().take(fixed).enumerate();
        let mut text = String::with_capacity(topic.as_str().len() + 2);
        for (n, level) in masked {
            text.push_str(if self.any >> n & 1 == 1 { "+" } else { level });
            text.push('/');
        }
        if self.has_hash {
            text.push('#');
        } else {
            text.pop();
        }
        let is_parent = self.has_hash && fixed == levels.len();
        // Its levels are the topic's, so it can only be too long, and then there is no such filter.
        TopicFilter::new(&text).ok().map(|filter| (filter, is_parent))
    }

    pub(crate) fn bytes(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        let (head, any) = bytes.split_at_mut(2);
        head.copy_from_slice(&[self.levels, u8::from(self.has_hash) | u8::from(self.is_reserved) << 1]);
        any.copy_from_slice(&self.any.to_be_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&[levels, flags], any) = bytes.split_first_chunk()?;
        let any = u128::from_be_bytes(any.try_into().ok()?);
        let (has_hash, is_reserved) = (flags & 1 == 1, flags & 2 == 2);
        (flags < 4 && levels <= 128).then_some(Self { levels, has_hash, is_reserved, any })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, topic: &str, expected: Option<(&str, bool)>) {
        let (filter, topic) = (TopicFilter::new(filter).unwrap(), TopicName::new(topic).unwrap());
        let shape = Shape::of(&filter);
        assert_eq!(Shape::read(&shape.bytes()), Some(shape));
        let levels: Vec<_> = topic.levels().collect();
        let found = shape.filter_for(&topic, &levels);
        assert_eq!(found.as_ref().map(|(filter, parent)| (filter.as_str(), *parent)), expected, "{filter} {topic}");
    }

    /// MQTT 3.1.1, 4.7.1.2, 4.7.1.3 and 4.7.2.
    #[test]
    fn a_topic_has_one_filter_of_each_shape_that_fits() {
        check("x/+/y", "a/b/c", Some(("a/+/c", false)));
        check("x/+/y", "a/b", None);
        check("x/+/y", "a/b/c/d", None);
        check("x/+/#", "a/b/c/d", Some(("a/+/#", false)));
        check("x/+/#", "a/b", Some(("a/+/#", true)));
        check("x/+/#", "a", None);
        check("#", "a", Some(("#", false)));
        check("#", "$SYS/a", None);
        check("+/x", "$SYS/a", None);
        check("$SYS/#", "$SYS/a", Some(("$SYS/#", false)));
        check("$SYS/#", "a/b", None);
        check("a/#", "$SYS/b", None);
        check("/+", "/finance", Some(("/+", false)));
        check("+", "/finance", None);
        let deep = "a/".repeat(127) + "b";
        check(&("x/".repeat(127) + "+"), &deep, Some((&("a/".repeat(127) + "+"), false)));
    }
}
