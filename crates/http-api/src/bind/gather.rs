//! Path, query, headers and body of a request, gathered into one JSON value as the operation's input shape says.

use bytes::Bytes;
use http::HeaderMap;
use names::limits;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{scalar, typed};
use crate::error::ApiError;
use crate::model::{Kind, Location, Member, Model, Operation, Structure};

/// A request's parts, as they came; the labels are decoded already.
pub(crate) struct Incoming<'a> {
    pub(crate) labels: &'a [(String, String)],
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

/// An operation's input: its members, and the body where that is a blob of its own.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Gathered {
    pub(crate) input: Map<String, Value>,
    pub(crate) payload: Bytes,
}

/// Gathers the members of the operation's input; what the model does not know is ignored.
pub(crate) fn gather(model: &Model, operation: &Operation, incoming: &Incoming<'_>) -> Result<Gathered, ApiError> {
    let Some(structure) = model.structure(operation.input) else { return Ok(Gathered::default()) };
    let query = read_query(incoming.query)?;
    let mut gathered = read_body(model, structure, incoming.body)?;
    for member in &structure.members {
        let text = match &member.location {
            Location::Path(label) => find(incoming.labels, label),
            Location::Query(parameter) => find(&query, parameter),
            Location::Header(header) => read_header(incoming.headers, header)?,
            Location::Body | Location::StatusCode => None,
        };
        if let Some(text) = text {
            gathered.input.insert(member.name.clone(), scalar::read(model, member, text)?);
        }
    }
    Ok(gathered)
}

fn read_body(model: &Model, structure: &Structure, body: &Bytes) -> Result<Gathered, ApiError> {
    if let Some(member) = structure.payload_member() {
        return read_payload(model, member, body);
    }
    if structure.body_members().next().is_none() {
        return Ok(Gathered::default());
    }
    let object = match read_json(body)? {
        None => Map::new(),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(ApiError::named("SerializationException", "The request body must be a JSON object.")),
    };
    let input = typed::conform_members(model, structure.body_members(), object, "")?;
    Ok(Gathered { input, payload: Bytes::new() })
}

fn read_payload(model: &Model, member: &Member, body: &Bytes) -> Result<Gathered, ApiError> {
    if matches!(model.shape(member.shape).kind, Kind::Blob { .. }) {
        return Ok(Gathered { input: Map::new(), payload: body.clone() });
    }
    let mut input = Map::new();
    if let Some(value) = read_json(body)? {
        input.insert(member.name.clone(), typed::conform(model, member.shape, value, &member.name)?);
    }
    Ok(Gathered { input, payload: Bytes::new() })
}

/// The body as JSON; none when it is empty. The reader bounds the depth before anything recurses.
fn read_json(body: &Bytes) -> Result<Option<Value>, ApiError> {
    let refuse = |message: String| Err(ApiError::named("SerializationException", message));
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if depth_of(body) > limits::JSON_DEPTH_MAX {
        return refuse(format!("The request body is nested deeper than {} levels.", limits::JSON_DEPTH_MAX));
    }
    match serde_json::from_slice(body) {
        Ok(value) => Ok(Some(value)),
        Err(problem) => refuse(format!("The request body is not valid JSON: {problem}.")),
    }
}

/// How deep the brackets nest outside strings, whether or not they match.
fn depth_of(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn read_query(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned());
        decoded.map_err(|_| ApiError::invalid("The query string is not valid UTF-8."))
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn read_header(headers: &HeaderMap, name: &str) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(_) => Err(ApiError::invalid(format!("The header {name} is not valid UTF-8."))),
    }
}

fn find(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Api;

    fn run(
        api: Api,
        name: &str,
        labels: &[(&str, &str)],
        query: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<Gathered, String> {
        let model = Model::load().unwrap();
        let operation = model.operation(model.find(api, name).unwrap());
        let labels: Vec<_> = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let headers: HeaderMap = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let incoming = Incoming { labels: &labels, query, headers: &headers, body: &body };
        gather(&model, operation, &incoming).map_err(|e| e.message)
    }

    fn input(value: Value) -> Result<Gathered, String> {
        let Value::Object(input) = value else { panic!("not an object") };
        Ok(Gathered { input, payload: Bytes::new() })
    }

    /// Bindings of the AWS IoT API reference.
    #[test]
    fn members_come_from_where_the_model_binds_them() {
        let thing = [("thingName", "lamp")];
        let body = r#"{"thingTypeName":"T","attributePayload":{"attributes":{"a":"b"},"merge":true,"x":1},"billingGroupName":null,"y":2}"#;
        let expected =
            json!({"thingName":"lamp","thingTypeName":"T","attributePayload":{"attributes":{"a":"b"},"merge":true}});
        assert_eq!(run(Api::Control, "CreateThing", &thing, "", &[], body), input(expected));
        assert_eq!(run(Api::Control, "CreateThing", &thing, "", &[], " \n"), input(json!({"thingName":"lamp"})));
        let query = "maxResults=5&attributeValue=a%2Bb+c&usePrefixAttributeValue=true&other=1";
        let expected = json!({"maxResults":5,"attributeValue":"a+b c","usePrefixAttributeValue":true});
        assert_eq!(run(Api::Control, "ListThings", &[], query, &[], ""), input(expected));
        let expected = json!({"ascendingOrder":false});
        assert_eq!(run(Api::Control, "ListCertificates", &[], "isAscendingOrder=false", &[], ""), input(expected));
        let expected = json!({"thingName":"lamp","principal":"arn:x"});
        assert_eq!(
            run(Api::Control, "AttachThingPrincipal", &thing, "", &[("x-amzn-principal", "arn:x")], ""),
            input(expected)
        );
        let expected = json!({"ruleName":"r","tags":"a=b","topicRulePayload":{"sql":"S","actions":[{"republish":{"roleArn":"R","topic":"t","qos":1}}]}});
        let body = r#"{"sql":"S","actions":[{"republish":{"roleArn":"R","topic":"t","qos":1}}]}"#;
        assert_eq!(
            run(Api::Control, "CreateTopicRule", &[("ruleName", "r")], "", &[("x-amz-tagging", "a=b")], body),
            input(expected)
        );
        let gathered = run(Api::Data, "UpdateThingShadow", &thing, "name=s", &[], "not json").unwrap();
        assert_eq!(Value::Object(gathered.input), json!({"thingName":"lamp","shadowName":"s"}));
        assert_eq!(gathered.payload, "not json");
        let header = [("x-amz-mqtt5-user-properties", "W3siYSI6ImIifV0=")];
        let gathered = run(Api::Data, "Publish", &[("topic", "t")], "qos=1&retain=true", &header, "\u{0}").unwrap();
        assert_eq!(
            Value::Object(gathered.input),
            json!({"topic":"t","qos":1,"retain":true,"userProperties":"[{\"a\":\"b\"}]"})
        );
        let query = "startTime=2024-01-02T03:04:05Z&endTime=1704164646";
        let expected = json!({"startTime":1_704_164_645.0,"endTime":1_704_164_646.0});
        assert_eq!(run(Api::Control, "ListAuditTasks", &[], query, &[], ""), input(expected));
        // An operation without a body does not read one.
        assert_eq!(run(Api::Control, "DeleteThing", &thing, "", &[], "{"), input(json!({"thingName":"lamp"})));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let check = |name: &str, query: &str, body: &str, expected: &str| {
            let refusal = run(Api::Control, name, &[], query, &[], body).unwrap_err();
            assert!(refusal.contains(expected), "{name} {query} {body}: {refusal}");
        };
        check("CreateThing", "", "{", "not valid JSON: EOF while parsing an object at line 1 column 1");
        check("CreateThing", "", "[]", "must be a JSON object");
        check(
            "CreateThing",
            "",
            &format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)),
            "nested deeper than 100",
        );
        check("CreateThing", "", r#"{"thingTypeName":1}"#, "'thingTypeName' must be a string, but is a number");
        let attribute = r#"{"attributePayload":{"attributes":{"k":true}}}"#;
        check(
            "CreateThing",
            "",
            attribute,
            "'attributePayload.attributes.k.member' must be a string, but is a boolean",
        );
        check("CreateThing", "", r#"{"attributePayload":[]}"#, "'attributePayload' must be an object, but is a list");
        check("CreateTopicRule", "", r#"{"sql":"S","actions":{}}"#, "'topicRulePayload.actions' must be a list");
        check(
            "CreateTopicRule",
            "",
            r#"{"sql":"S","actions":[null]}"#,
            "'topicRulePayload.actions.1.member' must be an object, but is null",
        );
        check("UpdateThing", "", r#"{"expectedVersion":1.5}"#, "'expectedVersion' must be a 64-bit integer");
        check("ListThings", "maxResults=x", "", "Value 'x' at 'maxResults' is not a 32-bit integer");
        check("ListThings", "maxResults=4294967296", "", "is not a 32-bit integer");
        check("ListThings", "usePrefixAttributeValue=yes", "", "'usePrefixAttributeValue' is not 'true' or 'false'");
        check("ListThings", "attributeName=%ff", "", "not valid UTF-8");
        check("ListAuditTasks", "startTime=yesterday", "", "'startTime' is not a timestamp");
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let check = |json: &str, expected| assert_eq!(depth_of(json.as_bytes()), expected, "{json}");
        check("1", 0);
        check("[{}]", 2);
        check(r#"{"a":"[[[\"[["}"#, 1);
        check("]]][", 1);
    }
}
