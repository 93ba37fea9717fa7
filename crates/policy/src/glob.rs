//! Patterns with `*` (any run of characters, `/` among them) and `?` (any one character). A pattern may have slots,
//! filled at each match with text that is never itself a pattern. Matching never backtracks over a `*`.

use std::borrow::Cow;

/// Whether letters match letters of the other case. Only ASCII letters have one: names of actions, and what
/// `StringEqualsIgnoreCase` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Ignored,
}

/// A compiled pattern: the segments between its `*`s.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    segments: Vec<Vec<Piece>>,
    case: Case,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    AnyOne,
    Slot(usize),
}

impl Glob {
    /// An empty pattern, to be written piece by piece.
    pub(crate) fn new(case: Case) -> Self {
        Self { segments: vec![Vec::new()], case }
    }

    /// A pattern without slots.
    pub(crate) fn parse(pattern: &str, case: Case) -> Self {
        let mut glob = Self::new(case);
        for c in pattern.chars() {
            match c {
                '*' => glob.push_run(),
                '?' => glob.push_any(),
                _ => glob.push_char(c),
            }
        }
        glob
    }

    pub(crate) fn push_run(&mut self) {
        self.segments.push(Vec::new());
    }

    pub(crate) fn push_any(&mut self) {
        self.last_segment().push(Piece::AnyOne);
    }

    pub(crate) fn push_slot(&mut self, slot: usize) {
        self.last_segment().push(Piece::Slot(slot));
    }

    pub(crate) fn push_char(&mut self, c: char) {
        let segment = self.last_segment();
        match segment.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => segment.push(Piece::Text(c.to_string())),
        }
    }

    fn last_segment(&mut self) -> &mut Vec<Piece> {
        if self.segments.is_empty() {
            self.segments.push(Vec::new());
        }
        self.segments.last_mut().expect("a segment was pushed when there was none")
    }

    /// False when no filling of the slots can match, as far as a look at the beginning tells.
    pub(crate) fn could_match(&self, text: &str) -> bool {
        match self.segments.first().and_then(|segment| segment.first()) {
            Some(Piece::Text(start)) => self.strip_start(text, start).is_some(),
            _ => true,
        }
    }

    /// Whether the whole of `text` matches, with `values` in the slots.
    pub(crate) fn matches(&self, text: &str, values: &[Cow<'_, str>]) -> bool {
        let Some((first, rest)) = self.segments.split_first() else {
            return text.is_empty();
        };
        let Some(text) = self.strip_front(first, text, values) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text.is_empty();
        };
        let Some(text) = self.strip_back(last, text, values) else {
            return false;
        };
        // The leftmost place is as good as any for a segment between two `*`s, so no choice is ever taken back.
        middle.iter().try_fold(text, |text, segment| self.skip_past(segment, text, values)).is_some()
    }

    fn strip_front<'t>(&self, segment: &[Piece], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
        segment.iter().try_fold(text, |text, piece| match piece.text(values)? {
            Some(start) => self.strip_start(text, start),
            None => {
                let mut chars = text.chars();
                chars.next().map(|_| chars.as_str())
            }
        })
    }

    fn strip_back<'t>(&self, segment: &[Piece], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
        segment.iter().rev().try_fold(text, |text, piece| match piece.text(values)? {
            Some(end) => self.strip_end(text, end),
            None => {
                let mut chars = text.chars();
                chars.next_back().map(|_| chars.as_str())
            }
        })
    }

    /// What follows the leftmost match of `segment` in `text`.
    fn skip_past<'t>(&self, segment: &[Piece], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
        let mut text = text;
        loop {
            if self.case == Case::Sensitive
                && let Some(start) = segment.first().and_then(|piece| piece.text(values).flatten())
            {
                text = text.get(text.find(start)?..)?;
            }
            if let Some(rest) = self.strip_front(segment, text, values) {
                return Some(rest);
            }
            let mut chars = text.chars();
            chars.next()?;
            text = chars.as_str();
        }
    }

    fn strip_start<'t>(&self, text: &'t str, start: &str) -> Option<&'t str> {
        match self.case {
            Case::Sensitive => text.strip_prefix(start),
            Case::Ignored => {
                let (front, rest) = text.split_at_checked(start.len())?;
                front.eq_ignore_ascii_case(start).then_some(rest)
            }
        }
    }

    fn strip_end<'t>(&self, text: &'t str, end: &str) -> Option<&'t str> {
        match self.case {
            Case::Sensitive => text.strip_suffix(end),
            Case::Ignored => {
                let (rest, back) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
                back.eq_ignore_ascii_case(end).then_some(rest)
            }
        }
    }
}

impl Piece {
    /// The text to find: outer none when the slot has no value, inner none for any one character.
    fn text<'a>(&'a self, values: &'a [Cow<'_, str>]) -> Option<Option<&'a str>> {
        match self {
            Self::Text(text) => Some(Some(text)),
            Self::AnyOne => Some(None),
            Self::Slot(slot) => values.get(*slot).map(|value| Some(value.as_ref())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_cross_slashes_and_mqtt_wildcards_are_plain() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(Glob::parse(pattern, Case::Sensitive).matches(text, &[]), expected, "{pattern} {text}");
        };
        // AWS IoT Core developer guide, pub-sub-policy: wildcards in MQTT and in policies.
        check("topicfilter/some/+/topic", "topicfilter/some/+/topic", true);
        check("topicfilter/some/+/topic", "topicfilter/some/a/topic", false);
        check("topicfilter/some/*/topic", "topicfilter/some/+/topic", true);
        check("topicfilter/some/*/topic", "topicfilter/some/a/b/topic", true);
        check("topicfilter/some/*/topic", "topicfilter/some/#", false);
        check("topicfilter/some/#", "topicfilter/some/#", true);
        check("topicfilter/some/#", "topicfilter/some/a", false);
        check("*", "", true);
        check("*", "a/b", true);
        check("", "", true);
        check("", "a", false);
        check("a*", "a", true);
        check("*a", "ba", true);
        check("a*a", "a", false);
        check("ab*ba", "aba", false);
        check("?", "\u{e4}", true);
        check("?", "", false);
        check("?", "ab", false);
        check("*?", "", false);
        check("**a**", "bab", true);
        check("a*b?d*e", "aXbcbcdYe", true);
    }

    #[test]
    fn case_may_be_ignored() {
        let action = Glob::parse("iot:Get*Shadow", Case::Ignored);
        assert!(action.matches("IOT:getthingSHADOW", &[]));
        assert!(!action.matches("iot:getthingshadows", &[]));
        assert!(Glob::parse("*thing*", Case::Ignored).matches("iot:GetThingShadow", &[]));
    }

    #[test]
    fn slots_are_plain_text() {
        let mut glob = Glob::parse("client/", Case::Sensitive);
        glob.push_slot(0);
        let check =
            |value: &'static str, text: &str, expected: bool| assert_eq!(glob.matches(text, &[value.into()]), expected);
        check("a", "client/a", true);
        check("*", "client/a", false);
        check("?", "client/a", false);
        check("*", "client/*", true);
        assert!(!glob.matches("client/", &[]));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "a*".repeat(1_000) + "b";
        assert!(!Glob::parse(&pattern, Case::Sensitive).matches(&"a".repeat(10_000), &[]));
        assert!(!Glob::parse(&pattern, Case::Ignored).matches(&"a".repeat(10_000), &[]));
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            Some((c, rest)) => text.split_first().is_some_and(|(t, text)| (*c == '?' || c == t) && naive(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn the_naive_matcher_agrees(pattern in "[ab/\u{e4}?*]{0,8}", text in "[ab/\u{e4}]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&text));
            prop_assert_eq!(Glob::parse(&pattern, Case::Sensitive).matches(&text, &[]), expected);
            prop_assert_eq!(Glob::parse(&pattern, Case::Ignored).matches(&text.to_uppercase().replace('\u{c4}', "\u{e4}"), &[]), expected);
        }
    }
}
