//! The fields of actions: texts with substitution templates, and role ARNs.

use sql::{Input, SqlVersion, Template, Variables};

use crate::ActionError;

/// A field that takes substitution templates.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    text: String,
    template: Template,
}

impl Field {
    /// `variables` are the names that the rule's statement sets.
    pub(crate) fn parse(
        name: &'static str,
        text: &str,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Self, ActionError> {
        if text.is_empty() {
            return Err(ActionError::InvalidField { field: name, problem: "is empty".to_owned() });
        }
        Self::parse_any(name, text, version, variables)
    }

    /// The same for a field that may be empty.
    pub(crate) fn parse_any(
        name: &'static str,
        text: &str,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Self, ActionError> {
        let template = Template::parse_with(text, version, variables)
            .map_err(|error| ActionError::InvalidField { field: name, problem: error.to_string() })?;
        Ok(Self { name, text: text.to_owned(), template })
    }

    /// The field's value for one message.
    pub(crate) fn render(&self, input: &Input<'_>, variables: &Variables) -> Result<String, ActionError> {
        let failed = |problem| ActionError::FailedTemplate { field: self.name, problem };
        let text = self.template.render_with(input, variables).map_err(failed)?;
        text.ok_or(ActionError::UndefinedTemplate(self.name))
    }

    /// The field's value, or the template itself when it has none: for reports.
    pub(crate) fn render_or_text(&self, input: &Input<'_>, variables: &Variables) -> String {
        self.render(input, variables).unwrap_or_else(|_| self.text.clone())
    }

    /// The field's value when it is the same for all messages.
    pub(crate) fn as_constant(&self) -> Option<&str> {
        self.template.as_constant()
    }
}

/// Checks the shape of a role's ARN; whether there is such a role is asked when the action runs, as on AWS.
pub(crate) fn role_arn(field: &'static str, arn: &str) -> Result<String, ActionError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", _, resource] if resource.starts_with("role/") && arn.len() <= ROLE_ARN_BYTES_MAX => {
            Ok(arn.to_owned())
        }
        _ => Err(ActionError::InvalidField { field, problem: "is not the ARN of an IAM role".to_owned() }),
    }
}

/// IAM API reference, `arnType`.
const ROLE_ARN_BYTES_MAX: usize = 2048;
