//! An update's body, read and checked; and the client token of the bodies that hold nothing else.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use smol_str::SmolStr;

use crate::error::{Problem, ShadowError};
use crate::json::count_bytes;
use crate::limits::Limits;
use crate::merge::Change;
use crate::value::{Bounded, Value};

/// A checked update: `{"state":{"desired":...,"reported":...},"clientToken":...,"version":...}`.
#[derive(Debug, Clone)]
pub struct UpdateRequest {
    /// Null, or an object of `desired` and `reported`, each an object or null.
    pub(crate) state: Value,
    pub(crate) version: Option<u64>,
    client_token: Option<SmolStr>,
}

impl UpdateRequest {
    /// Reads and checks an update's body. Keys beside `state`, `version` and `clientToken` are not looked at.
    ///
    /// # Errors
    /// [`ShadowError`] with code 400, 413 or 415, as the table in the developer guide's device-shadow-error-messages
    /// says; with the client token when that could be read.
    pub fn parse(payload: &[u8], limits: &Limits) -> Result<Self, ShadowError> {
        let depth_max = limits.depth_max.min(names::limits::JSON_DEPTH_MAX);
        let too_deep = Cell::new(false);
        // The object `state` itself is one more level above the sections.
        let body = read(payload, Bounded { levels: depth_max + 1, too_deep: &too_deep });
        let body = body.map_err(|problem| ShadowError::new(problem, None))?;
        let client_token = checked_token(body.client_token).map_err(|problem| ShadowError::new(problem, None))?;
        let refuse = |problem| ShadowError { problem, client_token: client_token.clone() };

        let version = checked_version(body.version).map_err(refuse)?;
        let state = body.state.ok_or_else(|| refuse(Problem::MissingState))?;
        check_sections(&state).map_err(refuse)?;
        if too_deep.get() {
            return Err(refuse(Problem::TooDeep(depth_max)));
        }
        if state.has_null_in_array() {
            return Err(refuse(Problem::NullInArray));
        }
        // Nulls are not stored but they are answered, with metadata: without this bound a request could blow up. What is
        // short with its white space need not be counted.
        if payload.len() > limits.state_bytes_max && count_bytes(&state) > limits.state_bytes_max {
            return Err(refuse(Problem::TooLarge));
        }
        Ok(Self { state, version, client_token })
    }

    /// The client token to be echoed.
    pub fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }

    pub(crate) fn desired(&self) -> Change<'_> {
        self.section("desired")
    }

    pub(crate) fn reported(&self) -> Change<'_> {
        self.section("reported")
    }

    fn section(&self, name: &str) -> Change<'_> {
        let Value::Object(sections) = &self.state else { return Change::Clear };
        match sections.get(name) {
            None => Change::Keep,
            Some(Value::Object(fields)) => Change::Merge(fields),
            Some(_) => Change::Clear,
        }
    }
}

/// The client token in the body of a get or a delete. Everything else there is ignored, so a body that is no JSON,
/// or a token longer than 64 bytes, is no token.
pub fn read_client_token(payload: &[u8]) -> Option<SmolStr> {
    let too_deep = Cell::new(false);
    let body = read(payload, Bounded { levels: 0, too_deep: &too_deep }).ok()?;
    checked_token(body.client_token).ok()?
}

fn checked_token(token: Option<Value>) -> Result<Option<SmolStr>, Problem> {
    match token {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(token)) if token.len() <= names::limits::SHADOW_CLIENT_TOKEN_BYTES_MAX => Ok(Some(token)),
        Some(_) => Err(Problem::InvalidClientToken),
    }
}

fn checked_version(version: Option<Value>) -> Result<Option<u64>, Problem> {
    match version {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(version)) => version.as_u64().map(Some).ok_or(Problem::InvalidVersion),
        Some(_) => Err(Problem::InvalidVersion),
    }
}

fn check_sections(state: &Value) -> Result<(), Problem> {
    let sections = match state {
        Value::Null => return Ok(()),
        Value::Object(sections) => sections,
        _ => return Err(Problem::StateNotObject),
    };
    for (key, section) in sections {
        let is_section = matches!(section, Value::Null | Value::Object(_));
        match key.as_str() {
            "desired" if !is_section => return Err(Problem::DesiredNotObject),
            "reported" if !is_section => return Err(Problem::ReportedNotObject),
            "desired" | "reported" => {}
            other => return Err(Problem::InvalidNode(other.chars().take(INVALID_NODE_CHARACTERS_MAX).collect())),
        }
    }
    Ok(())
}

fn read(payload: &[u8], state: Bounded<'_>) -> Result<Body, Problem> {
    let text = std::str::from_utf8(payload).map_err(|_| Problem::NotUtf8)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let body = BodySeed { state }.deserialize(&mut deserializer).map_err(|_| Problem::InvalidJson)?;
    deserializer.end().map_err(|_| Problem::InvalidJson)?;
    Ok(body)
}

#[derive(Default)]
struct Body {
    state: Option<Value>,
    version: Option<Value>,
    client_token: Option<Value>,
}

struct BodySeed<'a> {
    state: Bounded<'a>,
}

impl<'de> DeserializeSeed<'de> for BodySeed<'_> {
    type Value = Body;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Body, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BodySeed<'_> {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut body = Body::default();
        // One level, so that an array or object here is told from null and refused by its type.
        let not_nested = Cell::new(false);
        let scalar = Bounded { levels: 1, too_deep: &not_nested };
        while let Some(key) = map.next_key::<SmolStr>()? {
            match key.as_str() {
                "state" => body.state = Some(map.next_value_seed(self.state)?),
                "version" => body.version = Some(map.next_value_seed(scalar)?),
                "clientToken" => body.client_token = Some(map.next_value_seed(scalar)?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(body)
    }
}

/// Ours: the refusal quotes no more of a wrong key.
const INVALID_NODE_CHARACTERS_MAX: usize = 256;
