//! Patterns of ARNs. A `*` or `?` stands for text within one component; only in the last it may stand for colons too
//! (IAM reference, resource element and ARN condition operators).

use crate::question::Context;
use crate::variables::{Substitution, Syntax, Template, Unresolved};

/// An ARN's components, each a pattern of its own; the last one given takes the rest.
#[derive(Debug, Clone)]
pub(crate) struct ArnPattern {
    components: Vec<Template>,
    /// All in one, when no component but the last has a wildcard or a variable: quicker, and the same.
    whole: Option<Template>,
}

impl ArnPattern {
    /// The error is the problem with `text`, without its place.
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, String> {
        let parts = split(text, syntax.variables);
        let is_plain = |part: &&str| !part.contains(['*', '?', '$']);
        let head = parts.len().saturating_sub(1);
        let whole = parts.iter().take(head).all(is_plain).then(|| Template::parse(text, syntax)).transpose()?;
        let components = parts.into_iter().map(|part| Template::parse(part, syntax)).collect::<Result<_, _>>()?;
        Ok(Self { components, whole })
    }

    /// Whether all six components are given.
    pub(crate) fn is_complete(&self) -> bool {
        self.components.len() == COMPONENTS
    }

    /// False when the beginning already rules a match out, whatever the variables are.
    pub(crate) fn could_match(&self, text: &str) -> bool {
        match &self.whole {
            Some(template) => template.could_match(text),
            None => {
                let parts = text.splitn(self.components.len(), ':');
                self.components.iter().zip(parts).all(|(component, part)| component.could_match(part))
            }
        }
    }

    /// A variable without a value is an error even where another component rules the match out.
    pub(crate) fn matches(
        &self,
        text: &str,
        context: &dyn Context,
        substitution: Substitution,
    ) -> Result<bool, Unresolved<'_>> {
        if let Some(template) = &self.whole {
            return template.matches(text, context, substitution);
        }
        let mut parts = text.splitn(self.components.len(), ':');
        let mut is_match = true;
        for component in &self.components {
            let part = parts.next();
            let fits = component.matches(part.unwrap_or_default(), context, substitution)?;
            is_match &= fits && part.is_some();
        }
        Ok(is_match)
    }

    pub(crate) fn first_unresolved(&self, context: &dyn Context) -> Option<Unresolved<'_>> {
        self.components.iter().find_map(|component| component.first_unresolved(context))
    }
}

/// Splits at the first five colons that don't stand in a variable.
fn split(text: &str, variables: bool) -> Vec<&str> {
    let (mut parts, mut start, mut in_variable) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        let opens = variables && text.get(at..).is_some_and(|rest| rest.starts_with("${"));
        in_variable = opens || (in_variable && c != '}');
        if c == ':' && !in_variable && parts.len() + 1 < COMPONENTS {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

const COMPONENTS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapContext;
    use crate::glob::Case;

    fn check(pattern: &str, text: &str, expected: Result<bool, &str>) {
        let context = MapContext::new().with("iot:ClientId", "c:1");
        let syntax = Syntax { variables: true, wildcards: true, case: Case::Sensitive };
        let pattern_read = ArnPattern::parse(pattern, syntax).unwrap();
        let answer = pattern_read.matches(text, &context, Substitution::Any).map_err(|Unresolved(key)| key);
        assert_eq!(answer, expected, "{pattern} {text}");
        if answer == Ok(true) {
            assert!(pattern_read.could_match(text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_wildcard_stays_in_its_component() {
        // IAM reference, resource element: a wildcard can't span components, but for the last.
        let arn = |resource: &str| format!("arn:aws:iot:us-east-1:123456789012:{resource}");
        check("arn:aws:iot:*:*:topic/a", &arn("topic/a"), Ok(true));
        check("arn:aws:iot:*:*:topic/a", &arn("topic/evil:topic/a"), Ok(false));
        check("arn:aws:iot:*:999999999999:topic/a*", &arn("topic/x:999999999999:topic/a"), Ok(false));
        check("arn:aws:iot:us-east-1:*:topic/a*", &arn("topic/x:topic/ab"), Ok(false));
        check("arn:aws:iot:us-*-1:123456789012:topic/*", &arn("topic/x:y"), Ok(true));
        check("arn:aws:iot:us-east-?:123456789012:topic/*", &arn("topic/x:y"), Ok(true));
        check("arn:aws:iot:us-east-1:123456789012:topic/*/b", &arn("topic/a:b:c/b"), Ok(true));
        check("arn:aws:iot:*:*:topic/${iot:ClientId}/*", &arn("topic/c:1/x"), Ok(true));
        check("arn:aws:iot:*:*:topic/${iot:ClientId}/*", &arn("topic/c/x"), Ok(false));
    }

    #[test]
    fn the_last_component_given_takes_the_rest() {
        check("*", "arn:aws:iot:us-east-1:123456789012:topic/a", Ok(true));
        check("arn:*", "arn:aws:iot:us-east-1:123456789012:topic/a", Ok(true));
        check("arn:aws:iot:*", "arn:aws:iot:us-east-1:123456789012:topic/a", Ok(true));
        check("arn:aws:*:*", "arn:aws:iot:us-east-1:123456789012:topic/a", Ok(true));
        check("arn:*:iot:*:*:*", "arn:aws:iot", Ok(false));
    }

    #[test]
    fn variables_are_asked_for_whatever_the_others_say() {
        check("arn:aws:iot:*:9:topic/${iot:DomainName}", "arn:aws:iot:r:1:topic/a", Err("iot:DomainName"));
    }
}
