//! The parameters of a Query request.

use std::collections::HashMap;
use std::str::FromStr;

use super::refusal::Refusal;

/// A form's parameters; of a repeated one the first counts.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    pub(super) fn read(body: &[u8]) -> Self {
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            parameters.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(parameters)
    }

    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| {
            if name == "Action" {
                return Refusal::new("MissingAction", 400, "The request is missing an action.");
            }
            invalid(format!("Value null at '{}' failed to satisfy constraint: Member must not be null", member(name)))
        })
    }

    /// A name or number that checks itself.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let refuse = |problem| {
            let shown: String = text.chars().take(256).collect();
            invalid(format!("Value '{shown}' at '{}' failed to satisfy constraint: {problem}", member(name)))
        };
        text.parse().map(Some).map_err(refuse)
    }

    pub(super) fn parsed_required<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<T, Refusal> {
        self.required(name)?;
        self.parsed(name)?.ok_or_else(|| invalid(format!("Value null at '{}'", member(name))))
    }
}

fn invalid(problem: String) -> Refusal {
    Refusal::new("ValidationError", 400, format!("1 validation error detected: {problem}"))
}

/// Parameters start in upper case, members in lower.
fn member(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use names::RoleName;

    use super::*;

    #[test]
    fn parameters_are_read_and_missing_ones_named() {
        let form = Form::read(b"Action=GetRole&RoleName=a%2Bb&RoleName=c&Path=%2F");
        assert_eq!(form.required("Action").ok(), Some("GetRole"));
        assert_eq!(form.parsed_required::<RoleName>("RoleName").ok(), RoleName::new("a+b").ok());
        assert_eq!(form.optional("Description"), None);
        let missing = form.required("PolicyName").err().unwrap();
        assert_eq!(
            missing.message,
            "1 validation error detected: Value null at 'policyName' failed to satisfy constraint: Member must not be null"
        );
        let bad = Form::read(b"RoleName=a%20b").parsed::<RoleName>("RoleName").err().unwrap();
        assert!(
            bad.message.starts_with("1 validation error detected: Value 'a b' at 'roleName' failed"),
            "{}",
            bad.message
        );
        assert_eq!(Form::read(b"").required("Action").err().map(|r| r.code), Some("MissingAction"));
    }
}
