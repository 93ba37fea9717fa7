//! An action compiled for a rule: templates parsed, fields checked. One arm a kind; the work is in each kind's file.

use sql::{Input, Output, SqlVersion};

#[cfg(feature = "dynamodb")]
use crate::dynamodb_v2::DynamoDbV2;
use crate::republish::Republish;
use crate::{ActionError, ActionSpec, Outside};

/// An action that can be performed.
#[derive(Debug)]
pub struct Action(Kind);

#[derive(Debug)]
enum Kind {
    Republish(Republish),
    #[cfg(feature = "dynamodb")]
    DynamoDbV2(DynamoDbV2),
}

impl Action {
    /// Compiles an action of a rule whose statement sets no variables.
    ///
    /// # Errors
    /// [`ActionError::NotSupported`] for a kind that is not served, [`ActionError::InvalidField`] for a bad field.
    pub fn compile(spec: &ActionSpec, version: SqlVersion) -> Result<Self, ActionError> {
        Self::compile_with(spec, version, &[])
    }

    /// The same; templates may use `variables`, the names that the rule's statement sets.
    ///
    /// # Errors
    /// [`ActionError::NotSupported`] for a kind that is not served, [`ActionError::InvalidField`] for a bad field.
    pub fn compile_with(spec: &ActionSpec, version: SqlVersion, variables: &[String]) -> Result<Self, ActionError> {
        match spec {
            ActionSpec::Republish(spec) => Ok(Self(Kind::Republish(Republish::compile(spec, version, variables)?))),
            #[cfg(feature = "dynamodb")]
            ActionSpec::DynamoDbV2(spec) => Ok(Self(Kind::DynamoDbV2(DynamoDbV2::compile(spec, version, variables)?))),
            other => Err(ActionError::NotSupported(other.kind().to_owned())),
        }
    }

    /// Asks IAM whether the rule's role may do it, and does it. Templates are rendered before this returns, so the
    /// future holds neither `input` nor `output`.
    ///
    /// # Errors
    /// [`ActionError::NotAuthorized`] when the role is refused, in which case nothing was done; the others say why it
    /// did not succeed, the SDK's own retries included.
    pub fn perform<'a>(
        &'a self,
        outside: &'a Outside,
        rule_arn: &str,
        input: &Input<'_>,
        output: &Output,
    ) -> impl Future<Output = Result<(), ActionError>> + Send + use<'a> {
        let prepared = match &self.0 {
            Kind::Republish(action) => Prepared::Done(action.perform(outside, rule_arn, input, output)),
            #[cfg(feature = "dynamodb")]
            Kind::DynamoDbV2(action) => match action.prepare(outside, rule_arn, input, output) {
                Ok(item) => Prepared::DynamoDbV2(item),
                Err(error) => Prepared::Done(Err(error)),
            },
        };
        async move {
            match prepared {
                Prepared::Done(answer) => answer,
                #[cfg(feature = "dynamodb")]
                Prepared::DynamoDbV2(item) => item.put(outside).await,
            }
        }
    }

    /// Whether it stays in the house: performing it never waits.
    pub fn is_local(&self) -> bool {
        matches!(self.0, Kind::Republish(_))
    }

    /// What the message of an error action calls this kind (AWS IoT Core developer guide, rule-error-handling).
    pub fn report_name(&self) -> &'static str {
        match &self.0 {
            Kind::Republish(_) => "RepublishAction",
            #[cfg(feature = "dynamodb")]
            Kind::DynamoDbV2(_) => "DynamoActionV2",
        }
    }

    /// What the action acts on for this message, such as a table's name: for reports. A template without a value is
    /// given as it is written.
    pub fn report_resource(&self, input: &Input<'_>, output: &Output) -> String {
        match &self.0 {
            Kind::Republish(action) => action.resource(input, output),
            #[cfg(feature = "dynamodb")]
            Kind::DynamoDbV2(action) => action.resource(input, output),
        }
    }
}

/// What is left to do when all templates are rendered and IAM has agreed.
enum Prepared {
    Done(Result<(), ActionError>),
    #[cfg(feature = "dynamodb")]
    DynamoDbV2(crate::dynamodb_v2::Item),
}
