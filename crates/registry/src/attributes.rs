//! Which attributes a thing may have (API model, `AttributeName`, `AttributeValue`; AWS quotas, registry).

use std::collections::BTreeMap;

use names::limits;

use crate::RegistryError;

/// Checks names, values and count. `has_type` says whether the thing has a type, which allows more of them. AWS's
/// quota on all of them together, 47 KB, cannot be passed: 50 of the longest have 46,400 bytes.
pub(crate) fn check(attributes: &BTreeMap<String, String>, has_type: bool) -> Result<(), RegistryError> {
    let max = if has_type { limits::TYPED_THING_ATTRIBUTES_MAX } else { limits::THING_ATTRIBUTES_MAX };
    if attributes.len() > max {
        let kind = if has_type { "with a type" } else { "without a type" };
        let count = attributes.len();
        let problem = format!("A thing {kind} can have at most {max} attributes, and this one has {count}.");
        return Err(RegistryError::InvalidRequest(problem));
    }
    for (name, value) in attributes {
        check_text("name", name, NAME_BYTES_MAX, |c| matches!(c, '_' | '.' | ',' | '@' | '/' | ':' | '#' | '-'))?;
        let is_mark = |c| matches!(c, '_' | '.' | ',' | '@' | '/' | ':' | '#' | '=' | '[' | ']' | '-');
        check_text("value", value, VALUE_BYTES_MAX, is_mark)?;
        if name.is_empty() {
            return Err(RegistryError::invalid("An attribute's name must not be empty."));
        }
    }
    Ok(())
}

/// Takes away attributes with an empty value: setting one to nothing is how it is removed (API reference, UpdateThing).
pub(crate) fn without_empty(mut attributes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    attributes.retain(|_, value| !value.is_empty());
    attributes
}

fn check_text(part: &str, text: &str, bytes_max: usize, is_mark: fn(char) -> bool) -> Result<(), RegistryError> {
    if text.len() > bytes_max {
        let length = text.len();
        let problem = format!("An attribute's {part} can have at most {bytes_max} characters, and one has {length}.");
        return Err(RegistryError::InvalidRequest(problem));
    }
    match text.chars().find(|&c| !c.is_ascii_alphanumeric() && !is_mark(c)) {
        None => Ok(()),
        Some(c) => Err(RegistryError::InvalidRequest(format!(
            "The attribute's {part} {text:?} has the character {c:?}, which is not allowed there."
        ))),
    }
}

/// An attribute's name (API model, `AttributeName`).
const NAME_BYTES_MAX: usize = 128;
/// An attribute's value (API model, `AttributeValue`).
const VALUE_BYTES_MAX: usize = 800;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> BTreeMap<String, String> {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn attributes_keep_to_their_alphabet_count_and_size() {
        let allowed = |attributes: BTreeMap<String, String>, has_type: bool, expected: bool| {
            assert_eq!(check(&attributes, has_type).is_ok(), expected, "{attributes:?}");
        };
        let many = |count: usize, value: &str| of((0..count).map(|n| (format!("a{n}"), value.to_owned())));
        allowed(many(3, "v"), false, true);
        allowed(many(4, "v"), false, false);
        allowed(many(50, "v"), true, true);
        allowed(many(51, "v"), true, false);
        allowed(many(50, &"v".repeat(800)), true, true);
        allowed(of([("n", "v".repeat(801))]), false, false);
        allowed(of([("n".repeat(128), "v")]), false, true);
        allowed(of([("n".repeat(129), "v")]), false, false);
        allowed(of([("aZ09_.,@/:#-", "aZ09_.,@/:#=[]-")]), false, true);
        for (name, value) in [("", "v"), ("a b", "v"), ("a=", "v"), ("a\0", "v"), ("n", "a b"), ("n", "é"), ("n", "\0")]
        {
            allowed(of([(name, value)]), false, false);
        }
    }
}
