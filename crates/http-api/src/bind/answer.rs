//! A handler's output as the HTTP answer that the model describes, and errors as restJson1 has them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Number, Value, json};

use crate::error::ApiError;
use crate::model::{Api, Kind, Location, Model, Operation, ShapeId};

/// What a handler gives back.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// The output's members; timestamps are milliseconds since the epoch.
    Members(Value),
    /// The body itself, for outputs that are one blob.
    Raw(Bytes),
}

/// A success of `operation`.
pub(crate) fn success(model: &Model, operation: &Operation, answer: Answer) -> Result<Response<Bytes>, ApiError> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status(operation.status);
    response.headers_mut().insert(CONTENT_TYPE, APPLICATION_JSON);
    let members = match answer {
        Answer::Raw(body) => {
            *response.body_mut() = body;
            return Ok(response);
        }
        Answer::Members(Value::Object(members)) => members,
        Answer::Members(_) => Map::new(),
    };
    let Some(structure) = model.structure(operation.output) else { return Ok(response) };
    let mut body = Map::new();
    for member in &structure.members {
        let Some(value) = members.get(&member.name).filter(|value| !value.is_null()) else { continue };
        match &member.location {
            Location::Header(name) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), HeaderValue::from_str(&text)) {
                    response.headers_mut().insert(name, value);
                }
            }
            Location::StatusCode => {
                let code = value.as_u64().and_then(|code| u16::try_from(code).ok());
                *response.status_mut() = status(code.unwrap_or(operation.status));
            }
            _ => {
                body.insert(member.name.clone(), to_wire(model, member.shape, value.clone()));
            }
        }
    }
    if structure.body_members().next().is_some() {
        *response.body_mut() = write(&Value::Object(body))?;
    }
    Ok(response)
}

/// An error, with the operation that it happened in when there was one.
pub(crate) fn failure(
    model: &Model,
    operation: Option<&Operation>,
    error: &ApiError,
    request_id: &str,
) -> Response<Bytes> {
    let (name, code) = error.name_and_status(model, operation);
    let mut body = json!({ "message": error.message });
    if let (Some(resource), Some(object)) = (&error.resource, body.as_object_mut()) {
        object.insert("resourceId".to_owned(), Value::from(resource.id.as_str()));
        object.insert("resourceArn".to_owned(), Value::from(resource.arn.as_str()));
    }
    if let (Some(Api::Data), Some(object)) = (operation.map(|o| o.api), body.as_object_mut()) {
        object.insert("traceId".to_owned(), Value::from(request_id));
    }
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status(code);
    response.headers_mut().insert(CONTENT_TYPE, APPLICATION_JSON);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
    response
}

/// The value with its timestamps as seconds; members that the model does not know are left out.
fn to_wire(model: &Model, shape: ShapeId, value: Value) -> Value {
    match (&model.shape(shape).kind, value) {
        (Kind::Timestamp, Value::Number(millis)) => millis.as_f64().and_then(|m| Number::from_f64(m / 1000.0)).into(),
        (Kind::Structure(structure), Value::Object(mut object)) => {
            let known = structure.members.iter().filter_map(|member| {
                let value = object.remove(&member.name).filter(|value| !value.is_null())?;
                Some((member.name.clone(), to_wire(model, member.shape, value)))
            });
            Value::Object(known.collect())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| to_wire(model, *member, item)).collect())
        }
        (Kind::Map { value: member, .. }, Value::Object(object)) => {
            Value::Object(object.into_iter().map(|(key, item)| (key, to_wire(model, *member, item))).collect())
        }
        (_, value) => value,
    }
}

fn write(value: &Value) -> Result<Bytes, ApiError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|e| ApiError::internal(format!("an answer cannot be written: {e}")))
}

/// A status from the model or an error table; an impossible one is our fault.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(response: &Response<Bytes>) -> String {
        let errortype = response.headers().get("x-amzn-errortype").map_or("", |v| v.to_str().unwrap());
        let body = std::str::from_utf8(response.body()).unwrap();
        format!("{} {errortype} {body}", response.status().as_u16())
    }

    /// Output members of the AWS IoT API reference; timestamps in JSON are epoch seconds.
    #[test]
    fn outputs_become_bytes() {
        let model = Model::load().unwrap();
        let check = |api, name: &str, answer: Answer, expected: &str| {
            let operation = model.operation(model.find(api, name).unwrap());
            let response = success(&model, operation, answer).unwrap();
            assert_eq!(shown(&response), expected, "{name}");
            assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        };
        let members = |value| Answer::Members(value);
        let thing = json!({"thingName":"lamp","thingId":"i","thingArn":"a","unknown":1,"billingGroupName":null});
        check(Api::Control, "CreateThing", members(thing), r#"200  {"thingArn":"a","thingId":"i","thingName":"lamp"}"#);
        check(Api::Control, "DeleteThing", members(json!({})), "200  ");
        check(Api::Control, "AttachPolicy", members(json!({})), "200  ");
        check(Api::Control, "ListThings", members(json!({"things":[]})), r#"200  {"things":[]}"#);
        let policy = json!({"creationDate":1_700_000_000_123_u64});
        check(Api::Control, "GetPolicy", members(policy), r#"200  {"creationDate":1700000000.123}"#);
        let rule = json!({"rule":{"createdAt":1_700_000_000_500_u64,"sql":"S"}});
        check(Api::Control, "GetTopicRule", members(rule), r#"200  {"rule":{"createdAt":1700000000.5,"sql":"S"}}"#);
        let list = json!({"certificates":[{"creationDate":1500}]});
        check(Api::Control, "ListCertificates", members(list), r#"200  {"certificates":[{"creationDate":1.5}]}"#);
        check(Api::Control, "DeleteCommand", members(json!({"statusCode":202})), "202  ");
        check(Api::Data, "GetThingShadow", Answer::Raw(Bytes::from_static(b"{ }")), "200  { }");
    }

    /// Error bodies: AWS IoT API reference; the data plane adds a trace id.
    #[test]
    fn errors_become_bytes() {
        let model = Model::load().unwrap();
        let check = |operation: Option<(Api, &str)>, error: ApiError, expected: &str| {
            let operation = operation.map(|(api, name)| model.operation(model.find(api, name).unwrap()));
            assert_eq!(shown(&failure(&model, operation, &error, "R")), expected);
        };
        let taken = ApiError::named("ResourceAlreadyExistsException", "there \"is\" one").about("i", "a");
        let expected =
            r#"409 ResourceAlreadyExistsException {"message":"there \"is\" one","resourceArn":"a","resourceId":"i"}"#;
        check(Some((Api::Control, "CreateThing")), taken, expected);
        let absent = ApiError::named("ResourceNotFoundException", "no");
        check(
            Some((Api::Data, "GetThingShadow")),
            absent,
            r#"404 ResourceNotFoundException {"message":"no","traceId":"R"}"#,
        );
        let secret = ApiError::internal("disk /dev/sda is on fire");
        let expected = r#"500 InternalFailureException {"message":"An unexpected error has occurred."}"#;
        check(Some((Api::Control, "CreateThing")), secret, expected);
    }
}
