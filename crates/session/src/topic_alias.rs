//! Topic aliases: numbers that stand for topic names on one connection, in either direction (MQTT 5, 3.3.2.3.4).

use std::collections::HashMap;
use std::num::NonZeroU16;

use message::TopicName;

use crate::Violation;

/// The client's aliases. They end with the connection [MQTT-3.3.2-7].
#[derive(Debug, Default)]
pub(crate) struct ClientAliases(Vec<Option<TopicName>>);

impl ClientAliases {
    /// The topic of a PUBLISH, which sets, replaces or uses an alias, or does without.
    ///
    /// # Errors
    /// The alias is above `max` [MQTT-3.3.2-9], or stands for nothing.
    pub(crate) fn resolve(
        &mut self,
        topic: Option<TopicName>,
        alias: Option<NonZeroU16>,
        max: u16,
    ) -> Result<TopicName, Violation> {
        let Some(alias) = alias.map(NonZeroU16::get) else {
            return topic.ok_or(Violation::UnknownTopicAlias { alias: 0 });
        };
        if alias > max {
            return Err(Violation::TopicAliasAboveMaximum { alias, max });
        }
        let place = usize::from(alias) - 1;
        match topic {
            Some(topic) => {
                if self.0.len() <= place {
                    self.0.resize(place + 1, None);
                }
                if let Some(known) = self.0.get_mut(place) {
                    *known = Some(topic.detached()); // the read buffer must not live as long as the connection
                }
                Ok(topic)
            }
            None => self.0.get(place).cloned().flatten().ok_or(Violation::UnknownTopicAlias { alias }),
        }
    }
}

/// The server's aliases: the first topics that a client is sent get one each, as many as it takes.
#[derive(Debug)]
pub(crate) struct ServerAliases {
    /// Most clients take none.
    #[expect(clippy::box_collection, reason = "one word instead of six where there is none")]
    known: Option<Box<HashMap<TopicName, NonZeroU16>>>,
    max: u16,
}

/// How a topic goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alias {
    /// In full, without an alias.
    None,
    /// In full, with an alias that stands for it from here on.
    New(NonZeroU16),
    /// As the alias alone.
    Known(NonZeroU16),
}

impl ServerAliases {
    /// At most `max` aliases; none when it is 0 [MQTT-3.1.2-27].
    pub(crate) fn new(max: u16) -> Self {
        Self { known: None, max }
    }

    /// What `topic` would go out as.
    pub(crate) fn of(&self, topic: &TopicName) -> Alias {
        if self.max == 0 {
            return Alias::None;
        }
        if let Some(&alias) = self.known.as_ref().and_then(|known| known.get(topic)) {
            return Alias::Known(alias);
        }
        let next =
            u16::try_from(self.known.as_ref().map_or(0, |known| known.len()) + 1).ok().filter(|&next| next <= self.max);
        next.and_then(NonZeroU16::new).map_or(Alias::None, Alias::New)
    }

    /// The packet that introduces the alias has been written.
    pub(crate) fn introduce(&mut self, topic: &TopicName, alias: NonZeroU16) {
        self.known.get_or_insert_default().insert(topic.detached(), alias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Option<TopicName> {
        Some(TopicName::new(text.to_owned()).unwrap())
    }

    /// [MQTT-3.3.2-9], [MQTT-3.3.2-12].
    #[test]
    fn a_clients_alias_is_set_used_and_replaced() {
        let mut aliases = ClientAliases::default();
        let mut check = |name: Option<&str>, alias: u16, expected: Result<&str, Violation>| {
            let resolved = aliases.resolve(name.and_then(topic), NonZeroU16::new(alias), 4);
            assert_eq!(resolved.map(|topic| topic.to_string()), expected.map(str::to_owned), "{name:?} {alias}");
        };
        check(Some("a"), 0, Ok("a"));
        check(None, 1, Err(Violation::UnknownTopicAlias { alias: 1 }));
        check(Some("a"), 1, Ok("a"));
        check(None, 1, Ok("a"));
        check(Some("b"), 1, Ok("b"));
        check(None, 1, Ok("b"));
        check(Some("d"), 4, Ok("d"));
        check(None, 4, Ok("d"));
        check(None, 3, Err(Violation::UnknownTopicAlias { alias: 3 }));
        check(Some("e"), 5, Err(Violation::TopicAliasAboveMaximum { alias: 5, max: 4 }));
    }

    /// [MQTT-3.1.2-26], [MQTT-3.1.2-27].
    #[test]
    fn the_server_gives_as_many_aliases_as_the_client_takes() {
        let number = |alias| NonZeroU16::new(alias).unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|text| topic(text).unwrap());
        assert_eq!(ServerAliases::new(0).of(&a), Alias::None);
        let mut aliases = ServerAliases::new(2);
        assert_eq!(aliases.of(&a), Alias::New(number(1)));
        assert_eq!(aliases.of(&b), Alias::New(number(1)), "nothing was written yet");
        aliases.introduce(&a, number(1));
        assert_eq!(aliases.of(&b), Alias::New(number(2)));
        aliases.introduce(&b, number(2));
        assert_eq!((aliases.of(&a), aliases.of(&b)), (Alias::Known(number(1)), Alias::Known(number(2))));
        assert_eq!(aliases.of(&c), Alias::None);
    }
}
