//! Texts with places to fill in: topics, filters and bodies.

/// A text in which `{i}` is a client's number and `{seq}` a message's; all other braces are themselves, as in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Number,
    Sequence,
}

impl Template {
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = PLACES.iter().find_map(|(place, part)| Some((part, rest.strip_prefix(place)?)));
            if let Some((part, after)) = found {
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(part.clone());
                rest = after;
            } else {
                plain.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| *part != Part::Text(String::new()));
        Self(parts)
    }

    /// Appends the text with its places filled in.
    pub(crate) fn fill(&self, number: usize, sequence: u64, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Number => out.extend_from_slice(number.to_string().as_bytes()),
                Part::Sequence => out.extend_from_slice(sequence.to_string().as_bytes()),
            }
        }
    }
}

const PLACES: [(&str, Part); 2] = [("{i}", Part::Number), ("{seq}", Part::Sequence)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_places_are_filled_in() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            Template::new(text).fill(7, 42, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check("", "");
        check("a/b", "a/b");
        check("{i}", "7");
        check("t{i}/{seq}/x{i}", "t7/42/x7");
        check("{\"state\":{\"reported\":{\"seq\":{seq}}}}", "{\"state\":{\"reported\":{\"seq\":42}}}");
        check("{{i}} {k} \u{e9}{", "{7} {k} \u{e9}{");
    }
}
