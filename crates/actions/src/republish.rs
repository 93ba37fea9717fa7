//! `republish`: the result becomes a message on another topic (AWS IoT Core developer guide, republish-rule-action).

use std::sync::Arc;

use message::{Message, QoS, TopicName};
use names::{Timestamp, limits};
use sql::{Input, Output, SqlVersion};

use crate::field::{Field, role_arn};
use crate::mqtt_headers::MqttHeaders;
use crate::{ActionError, Outside, RepublishSpec};

/// A compiled `republish`.
#[derive(Debug)]
pub(crate) struct Republish {
    role_arn: String,
    topic: Field,
    qos: QoS,
    /// Most rules have none.
    headers: Option<Box<MqttHeaders>>,
}

impl Republish {
    pub(crate) fn compile(
        spec: &RepublishSpec,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Self, ActionError> {
        let role_arn = role_arn("republish.roleArn", &spec.role_arn)?;
        let topic = Field::parse(TOPIC, &spec.topic, version, variables)?;
        if let Some(text) = topic.as_constant() {
            self::topic(text)?;
        }
        let qos = match spec.qos {
            None | Some(0) => QoS::AtMostOnce,
            Some(1) => QoS::AtLeastOnce,
            Some(other) => {
                let problem = format!("is {other}, must be 0 or 1");
                return Err(ActionError::InvalidField { field: "republish.qos", problem });
            }
        };
        let headers = spec.headers.as_ref().map(|headers| MqttHeaders::compile(headers, version, variables));
        let headers = headers.transpose()?.map(Box::new);
        Ok(Self { role_arn, topic, qos, headers })
    }

    /// Publishes to the router, whose mailboxes have room or not: nobody is waited for, because a rule that publishes
    /// to itself would wait for itself.
    pub(crate) fn perform(
        &self,
        outside: &Outside,
        rule_arn: &str,
        input: &Input<'_>,
        output: &Output,
    ) -> Result<(), ActionError> {
        let topic = topic(&self.topic.render(input, output.variables())?)?;
        let properties = match &self.headers {
            Some(headers) => headers.render(input, output.variables())?,
            None => None,
        };
        check_size(&topic, output)?;
        outside.authorize(&self.role_arn, "iot:Publish", &outside.arns.topic(topic.as_str()), rule_arn)?;
        // Not retained, so there is nothing to wait for.
        let _ = outside.router.publish(Message {
            topic,
            payload: output.bytes().clone(),
            qos: self.qos,
            retain: false,
            properties,
            received_at: Timestamp::from_millis(input.timestamp_ms),
            origin: Arc::clone(&outside.origin),
        });
        Ok(())
    }

    pub(crate) fn resource(&self, input: &Input<'_>, output: &Output) -> String {
        unescaped(&self.topic.render_or_text(input, output.variables())).to_owned()
    }
}

/// The topic that a rendered text means. Jobs and Device Defender are closed to rules.
fn topic(text: &str) -> Result<TopicName, ActionError> {
    let invalid = |problem: String| ActionError::InvalidField { field: TOPIC, problem };
    let topic = TopicName::new(unescaped(text).to_owned()).map_err(|error| invalid(error.to_string()))?;
    let mut levels = topic.levels();
    let is_thing = levels.next() == Some("$aws") && levels.next() == Some("things");
    match levels.nth(1) {
        Some(service @ ("jobs" | "defender")) if is_thing => {
            Err(invalid(format!("rules cannot publish to the reserved topics of {service}")))
        }
        _ => Ok(topic),
    }
}

/// What a rule publishes keeps to the message broker's limits, as a client's message would.
fn check_size(topic: &TopicName, output: &Output) -> Result<(), ActionError> {
    let (bytes, slashes) = (topic.as_str().len(), topic.levels().count() - 1);
    if bytes > limits::AWS_TOPIC_BYTES_MAX || slashes > limits::AWS_TOPIC_SLASHES_MAX {
        let problem = format!("is {bytes} bytes with {slashes} slashes, may be 256 bytes with 7 slashes");
        return Err(ActionError::InvalidField { field: TOPIC, problem });
    }
    if output.bytes().len() > limits::AWS_PAYLOAD_BYTES_MAX {
        return Err(ActionError::Failed(format!("the result is {} bytes, over 128 KB", output.bytes().len())));
    }
    Ok(())
}

/// `$$aws/...` stands for `$aws/...`, for `$` begins a template.
fn unescaped(text: &str) -> &str {
    text.strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(text)
}

const TOPIC: &str = "republish.topic";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dollars_are_one_at_the_start() {
        let check = |text: &str, expected: &str| assert_eq!(topic(text).unwrap().as_str(), expected);
        check("$$aws/things/lamp/shadow/update", "$aws/things/lamp/shadow/update");
        check("$aws/things/lamp/shadow/update", "$aws/things/lamp/shadow/update");
        check("a/$$b", "a/$$b");
        check("plain", "plain");
    }

    #[test]
    fn topics_that_rules_may_not_use_are_refused() {
        for bad in ["", "a/+", "a/#", "$aws/things/lamp/jobs/x", "$$aws/things/lamp/defender/metrics/json"] {
            assert!(matches!(topic(bad), Err(ActionError::InvalidField { .. })), "{bad}");
        }
    }
}
