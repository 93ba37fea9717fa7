//! `dynamoDBv2`: each attribute of the result into its own column (AWS IoT Core developer guide,
//! dynamodb-v2-rule-action).

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use names::PARTITION;
use sql::{Input, Output, SqlVersion};

use crate::field::{Field, role_arn};
use crate::{ActionError, DynamoDbV2Spec, Outside, attribute_value};

/// A compiled `dynamoDBv2`.
#[derive(Debug)]
pub(crate) struct DynamoDbV2 {
    role_arn: String,
    table_name: Field,
}

/// An item on its way to its table.
pub(crate) struct Item {
    table_name: String,
    attributes: HashMap<String, AttributeValue>,
}

impl DynamoDbV2 {
    pub(crate) fn compile(
        spec: &DynamoDbV2Spec,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Self, ActionError> {
        let role_arn = role_arn("dynamoDBv2.roleArn", &spec.role_arn)?;
        let table_name = Field::parse(TABLE_NAME, &spec.put_item.table_name, version, variables)?;
        if let Some(name) = table_name.as_constant() {
            check_table_name(name)?;
        }
        Ok(Self { role_arn, table_name })
    }

    /// The item to put, when the role may put it.
    pub(crate) fn prepare(
        &self,
        outside: &Outside,
        rule_arn: &str,
        input: &Input<'_>,
        output: &Output,
    ) -> Result<Item, ActionError> {
        let table_name = self.table_name.render(input, output.variables())?;
        check_table_name(&table_name)?;
        let (region, account) = (outside.aws.region(), &outside.arns.account);
        let table_arn = format!("arn:{PARTITION}:dynamodb:{region}:{account}:table/{table_name}");
        outside.authorize(&self.role_arn, "dynamodb:PutItem", &table_arn, rule_arn)?;
        let attributes = attribute_value::item(output.value()).ok_or_else(|| {
            ActionError::UnsuitableResult("the result is not a JSON object, as dynamoDBv2 needs it".to_owned())
        })?;
        Ok(Item { table_name, attributes })
    }

    pub(crate) fn resource(&self, input: &Input<'_>, output: &Output) -> String {
        self.table_name.render_or_text(input, output.variables())
    }
}

impl Item {
    pub(crate) async fn put(self, outside: &Outside) -> Result<(), ActionError> {
        let client = outside.aws.dynamodb().await;
        let request = client.put_item().table_name(self.table_name).set_item(Some(self.attributes));
        request.send().await.map(|_| ()).map_err(|error| {
            let reason = reason(&error);
            let text = format!("Failed to insert record to DynamoDB V2. The error received was {reason}");
            match error {
                SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => ActionError::Unanswered(text),
                _ => ActionError::Failed(text),
            }
        })
    }
}

/// DynamoDB API reference, `TableName`; the ARN form is not offered by the rule action.
/// What went wrong in the AWS SDK's words, as the developer guide's rule-error-handling shows them: no dump of the whole
/// response, because a rule's error action publishes it.
fn reason(error: &SdkError<PutItemError>) -> String {
    let text = match error {
        SdkError::ServiceError(answer) => {
            let (code, message) = (error.code().unwrap_or("Unknown"), error.message().unwrap_or("no message"));
            let (status, id) = (answer.raw().status(), error.request_id().unwrap_or("null"));
            format!(
                "{message} (Service: AmazonDynamoDBv2; Status Code: {status}; Error Code: {code}; Request ID: {id})"
            )
        }
        _ => {
            let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
            causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        }
    };
    text.chars().take(REASON_CHARACTERS_MAX).collect()
}

fn check_table_name(name: &str) -> Result<(), ActionError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if (3..=255).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let problem = "must have 3 to 255 letters, digits, '_', '.' and '-'".to_owned();
    Err(ActionError::InvalidField { field: TABLE_NAME, problem })
}

/// Of a failure's reason (ours).
const REASON_CHARACTERS_MAX: usize = 1024;
const TABLE_NAME: &str = "dynamoDBv2.putItem.tableName";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_keep_to_their_alphabet() {
        for (name, valid) in [("abc", true), ("a_b.c-9", true), ("ab", false), ("", false), ("a/bc", false)] {
            assert_eq!(check_table_name(name).is_ok(), valid, "{name}");
        }
        assert!(check_table_name(&"x".repeat(255)).is_ok());
        assert!(check_table_name(&"x".repeat(256)).is_err());
    }
}
