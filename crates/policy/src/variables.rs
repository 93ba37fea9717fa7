//! Texts of a statement in which `${key}` stands for a value of the context, and `${*}`, `${?}` and `${$}` for the
//! character itself (IAM reference, policy variables).

use std::borrow::Cow;

use crate::glob::{Case, Glob};
use crate::keys;
use crate::question::{Context, Values};

/// A pattern whose slots are variables.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    glob: Glob,
    variables: Vec<Variable>,
}

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// False in documents of version 2008-10-17, where `${` is plain text.
    pub(crate) variables: bool,
    /// False where `*` and `?` are plain, as in `StringEquals`.
    pub(crate) wildcards: bool,
    pub(crate) case: Case,
}

/// Which values may be put in place of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Substitution {
    Any,
    /// Not those with `+` or `#`: within an allowed topic filter they would widen what it allows.
    NoMqttWildcards,
}

/// The key of a variable that has no value in this context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unresolved<'a>(pub(crate) &'a str);

#[derive(Debug, Clone)]
struct Variable {
    key: Box<str>,
    default: Option<Box<str>>,
}

impl Template {
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, String> {
        let mut template = Self { glob: Glob::new(syntax.case), variables: Vec::new() };
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '$' if syntax.variables && rest.as_str().starts_with('{') => {
                    let after = rest.as_str().get(1..).unwrap_or_default();
                    let (inside, after) = after.split_once('}').ok_or("has a \"${\" without its \"}\"")?;
                    template.push_variable(inside)?;
                    rest = after.chars();
                }
                '*' if syntax.wildcards => template.glob.push_run(),
                '?' if syntax.wildcards => template.glob.push_any(),
                _ => template.glob.push_char(c),
            }
        }
        Ok(template)
    }

    fn push_variable(&mut self, inside: &str) -> Result<(), String> {
        if let ("*" | "?" | "$", Some(c)) = (inside, inside.chars().next()) {
            self.glob.push_char(c);
            return Ok(());
        }
        self.glob.push_slot(self.variables.len());
        self.variables.push(Variable::parse(inside)?);
        Ok(())
    }

    /// False when the beginning already rules a match out, whatever the variables are.
    pub(crate) fn could_match(&self, text: &str) -> bool {
        self.glob.could_match(text)
    }

    pub(crate) fn matches(
        &self,
        text: &str,
        context: &dyn Context,
        substitution: Substitution,
    ) -> Result<bool, Unresolved<'_>> {
        if self.variables.is_empty() {
            return Ok(self.glob.matches(text, &[]));
        }
        let resolve = |variable| resolve(variable, context, substitution);
        let values = self.variables.iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        Ok(self.glob.matches(text, &values))
    }

    pub(crate) fn first_unresolved(&self, context: &dyn Context) -> Option<Unresolved<'_>> {
        self.variables.iter().find_map(|variable| resolve(variable, context, Substitution::Any).err())
    }
}

impl Variable {
    /// `key`, or `key, 'default'`.
    fn parse(inside: &str) -> Result<Self, String> {
        let (key, default) = match inside.split_once(',') {
            Some((key, default)) => (key, Some(default.trim())),
            None => (inside, None),
        };
        let malformed = || format!("has ${{{inside}}}, which is not a variable");
        if key.is_empty() || key.chars().any(|c| c.is_whitespace() || matches!(c, '$' | '{')) {
            return Err(malformed());
        }
        let unquote = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.into());
        let default = default.map(|text| unquote(text).ok_or_else(malformed)).transpose()?;
        Ok(Self { key: keys::canonical(key), default })
    }
}

fn resolve<'c, 'v: 'c>(
    variable: &'v Variable,
    context: &'c dyn Context,
    substitution: Substitution,
) -> Result<Cow<'c, str>, Unresolved<'v>> {
    let unresolved = Unresolved(&variable.key);
    let value = match context.values(&variable.key) {
        Some(Values::One(value)) => value,
        Some(Values::Many(_)) => return Err(unresolved),
        None => Cow::Borrowed(variable.default.as_deref().ok_or(unresolved)?),
    };
    // AWS IoT Core developer guide, cert-policy-variables: such values of certificates are not substituted.
    let is_certificates = variable.key.starts_with("iot:Certificate.");
    if is_certificates && value.contains(['*', '$', '+', '?', '#']) {
        return Err(unresolved);
    }
    if substitution == Substitution::NoMqttWildcards && value.contains(['+', '#']) {
        return Err(unresolved);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapContext;

    const RESOURCE: Syntax = Syntax { variables: true, wildcards: true, case: Case::Sensitive };

    fn context() -> MapContext {
        MapContext::new()
            .with("iot:ClientId", "c*1")
            .with("iot:Connection.Thing.Attributes[Room]", "hall")
            .with("iot:Certificate.Subject.CommonName", "lamp")
            .with("iot:Certificate.Subject.Title", "a+b")
            .with_many("iot:Certificate.Subject.CommonName.List", ["lamp"])
    }

    #[test]
    fn variables_take_their_value_as_plain_text() {
        let check = |pattern: &str, text: &str, expected: Result<bool, &str>| {
            let template = Template::parse(pattern, RESOURCE).unwrap();
            let answer = template.matches(text, &context(), Substitution::Any).map_err(|Unresolved(key)| key);
            assert_eq!(answer, expected, "{pattern} {text}");
        };
        check("topic/${iot:ClientId}/x", "topic/c*1/x", Ok(true));
        check("topic/${iot:ClientId}/x", "topic/cab1/x", Ok(false));
        check("topic/${IOT:clientID}/*", "topic/c*1/x/y", Ok(true));
        check("*/${iot:ClientId}/*", "a/b/c*1/x", Ok(true));
        check("${iot:Connection.Thing.Attributes[Room]}", "hall", Ok(true));
        check("${iot:Certificate.Subject.CommonName}", "lamp", Ok(true));
        check("a${*}b", "a*b", Ok(true));
        check("a${*}b", "axb", Ok(false));
        check("a${?}${$}{b", "a?${b", Ok(true));
        check("$aws/things/*", "$aws/things/a", Ok(true));
        check("${iot:DomainName, 'home'}", "home", Ok(true));
        check("${iot:ClientId, 'home'}", "home", Ok(false));
        check("${iot:DomainName}", "", Err("iot:DomainName"));
        check("${iot:Certificate.Subject.CommonName.1}", "lamp", Err("iot:Certificate.Subject.CommonName.1"));
        check("${iot:Certificate.Subject.CommonName.List}", "lamp", Err("iot:Certificate.Subject.CommonName.List"));
        check("${iot:Certificate.Subject.Title}", "a+b", Err("iot:Certificate.Subject.Title"));
    }

    #[test]
    fn mqtt_wildcards_can_be_kept_out() {
        let template = Template::parse("topicfilter/${iot:ClientId}/x", RESOURCE).unwrap();
        let check = |id: &str, text: &str, substitution, expected: bool| {
            let context = MapContext::new().with("iot:ClientId", id);
            assert_eq!(template.matches(text, &context, substitution).unwrap_or(false), expected, "{id}");
        };
        check("+", "topicfilter/+/x", Substitution::Any, true);
        check("+", "topicfilter/+/x", Substitution::NoMqttWildcards, false);
        check("a", "topicfilter/a/x", Substitution::NoMqttWildcards, true);
    }

    #[test]
    fn plain_syntax_has_neither_variables_nor_wildcards() {
        let check = |syntax: Syntax, text: &str, matched: &str, expected: bool| {
            let template = Template::parse(text, syntax).unwrap();
            assert_eq!(template.matches(matched, &context(), Substitution::Any), Ok(expected), "{text}");
        };
        let old = Syntax { variables: false, ..RESOURCE };
        check(old, "topic/${iot:ClientId}", "topic/${iot:ClientId}", true);
        check(old, "topic/${iot:ClientId}", "topic/c*1", false);
        check(old, "topic/${", "topic/${", true);
        let equals = Syntax { wildcards: false, ..RESOURCE };
        check(equals, "a*", "a*", true);
        check(equals, "a*", "ab", false);
    }

    #[test]
    fn malformed_variables_are_refused() {
        for bad in ["${iot:ClientId", "${}", "${ iot:ClientId}", "${a${b}}", "${a, b}", "${a, 'b}"] {
            assert!(Template::parse(bad, RESOURCE).is_err(), "{bad}");
        }
    }
}
