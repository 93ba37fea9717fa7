//! An action as the API writes it: `{"republish": {...}}` (AWS IoT Core API reference, `Action`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// One action of a rule. A kind that Althing does not serve is kept as it came, and refused when it is compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionSpec {
    /// `republish`: to another MQTT topic.
    Republish(RepublishSpec),
    /// `dynamoDBv2`: each attribute of the result into its own column.
    DynamoDbV2(DynamoDbV2Spec),
    /// Any other kind: its name and its value.
    Other(String, Value),
}

/// The fields of `republish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepublishSpec {
    /// The role that allows `iot:Publish` on the topic.
    pub role_arn: String,
    /// The topic, with substitution templates; `$$aws/` stands for `$aws/`.
    pub topic: String,
    /// 0 or 1; 0 when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<i64>,
    /// MQTT 5 properties of the new message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<MqttHeadersSpec>,
}

/// The fields of `republish.headers`, all with substitution templates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MqttHeadersSpec {
    /// `UNSPECIFIED_BYTES` or `UTF8_DATA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_format_indicator: Option<String>,
    /// What the payload is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where an answer is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_topic: Option<String>,
    /// Bytes in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_data: Option<String>,
    /// A whole number of seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_expiry: Option<String>,
    /// Names and values, in order; 100 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_properties: Vec<UserPropertySpec>,
}

/// One of `republish.headers.userProperties`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPropertySpec {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// The fields of `dynamoDBv2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamoDbV2Spec {
    /// The role that allows `dynamodb:PutItem` on the table.
    pub role_arn: String,
    /// Where to put the item.
    pub put_item: PutItemSpec,
}

/// The fields of `dynamoDBv2.putItem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutItemSpec {
    /// The table's name, with substitution templates.
    pub table_name: String,
}

impl ActionSpec {
    /// The kind of action as the API names it, such as `dynamoDBv2`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Republish(_) => REPUBLISH,
            Self::DynamoDbV2(_) => DYNAMODB_V2,
            Self::Other(kind, _) => kind,
        }
    }
}

impl Serialize for ActionSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Republish(spec) => serializer.collect_map([(REPUBLISH, spec)]),
            Self::DynamoDbV2(spec) => serializer.collect_map([(DYNAMODB_V2, spec)]),
            Self::Other(kind, value) => serializer.collect_map([(kind, value)]),
        }
    }
}

impl<'de> Deserialize<'de> for ActionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let members = Map::<String, Value>::deserialize(deserializer)?;
        // Absent members may be written as null.
        let mut members = members.into_iter().filter(|(_, value)| !value.is_null());
        let (Some((kind, value)), None) = (members.next(), members.next()) else {
            return Err(D::Error::custom("an action has exactly one kind"));
        };
        let within = |error: serde_json::Error| D::Error::custom(format!("{kind}: {error}"));
        match kind.as_str() {
            REPUBLISH => serde_json::from_value(value).map(Self::Republish).map_err(within),
            DYNAMODB_V2 => serde_json::from_value(value).map(Self::DynamoDbV2).map_err(within),
            _ => Ok(Self::Other(kind, value)),
        }
    }
}

const REPUBLISH: &str = "republish";
const DYNAMODB_V2: &str = "dynamoDBv2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_go_both_ways() {
        let check = |json: &str, kind: &str| {
            let spec: ActionSpec = serde_json::from_str(json).unwrap();
            assert_eq!(spec.kind(), kind);
            let (again, expected): (Value, Value) =
                (serde_json::to_value(&spec).unwrap(), serde_json::from_str(json).unwrap());
            assert_eq!(again, expected);
        };
        check(r#"{"republish":{"roleArn":"r","topic":"a/${topic()}","qos":1}}"#, "republish");
        check(r#"{"republish":{"roleArn":"r","topic":"a","headers":{"contentType":"x"}}}"#, "republish");
        let all = r#"{"payloadFormatIndicator":"UTF8_DATA","contentType":"c","responseTopic":"r","correlationData":"MQ==",
            "messageExpiry":"60","userProperties":[{"key":"a","value":"b"}]}"#;
        check(&format!(r#"{{"republish":{{"roleArn":"r","topic":"a","headers":{all}}}}}"#), "republish");
        check(r#"{"republish":{"roleArn":"r","topic":"a","headers":{}}}"#, "republish");
        check(r#"{"dynamoDBv2":{"roleArn":"r","putItem":{"tableName":"t"}}}"#, "dynamoDBv2");
        check(r#"{"lambda":{"functionArn":"f"}}"#, "lambda");
    }

    #[test]
    fn bad_actions_are_refused() {
        let check = |json: &str, expected: &str| {
            let refusal = serde_json::from_str::<ActionSpec>(json).unwrap_err().to_string();
            assert!(refusal.starts_with(expected), "{refusal}");
        };
        check("{}", "an action has exactly one kind");
        check(r#"{"s3":null}"#, "an action has exactly one kind");
        check(r#"{"s3":{},"sns":{}}"#, "an action has exactly one kind");
        check(r#"{"republish":{"topic":"a"}}"#, "republish: missing field `roleArn`");
        check(r#"{"dynamoDBv2":{"roleArn":"r"}}"#, "dynamoDBv2: missing field `putItem`");
        check("7", "invalid type");
    }
}
