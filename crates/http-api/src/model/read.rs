//! Reads a model's JSON into the arena. A model that does not make sense is refused at start, not at a request.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Number;

use super::pattern::Pattern;
use super::shape::{Bounds, Kind, Location, Member, Shape, ShapeId, Structure};
use super::{Api, Model, Operation};

/// Why the API models, or the table of handlers over them, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not JSON of the expected form.
    #[error("the API model {api} cannot be read: {problem}")]
    Json {
        /// The model's name.
        api: &'static str,
        /// What the JSON reader said.
        problem: serde_json::Error,
    },
    /// A shape, operation or error is named that the model does not have.
    #[error("the API model {api} refers to {name:?}, which it does not have")]
    Unknown {
        /// The model's name.
        api: &'static str,
        /// The missing name.
        name: String,
    },
    /// A part of the model has a form that is not understood.
    #[error("the API model {api} has {name:?}: {problem}")]
    Unsupported {
        /// The model's name.
        api: &'static str,
        /// The shape or operation.
        name: String,
        /// What is not understood.
        problem: String,
    },
}

/// Reads all models into one arena.
pub(super) fn read(texts: &[(Api, &str)]) -> Result<Model, ModelError> {
    let mut model = Model { shapes: Vec::new(), operations: Vec::new(), error_statuses: HashMap::new() };
    for (api, text) in texts {
        let raw: RawModel =
            serde_json::from_str(text).map_err(|problem| ModelError::Json { api: api.name(), problem })?;
        Reader { api: *api, first_shape: model.shapes.len(), raw: &raw }.read_into(&mut model)?;
    }
    Ok(model)
}

struct Reader<'a> {
    api: Api,
    /// Shape ids of this model start here.
    first_shape: usize,
    raw: &'a RawModel,
}

impl Reader<'_> {
    fn read_into(&self, model: &mut Model) -> Result<(), ModelError> {
        let ids: HashMap<&str, ShapeId> = self
            .raw
            .shapes
            .keys()
            .enumerate()
            .map(|(n, name)| (name.as_str(), ShapeId(self.first_shape + n)))
            .collect();
        for (name, raw) in &self.raw.shapes {
            model.shapes.push(Shape { kind: self.kind(name, raw, &ids)?, is_sensitive: raw.sensitive });
            if let Some(error) = &raw.error {
                model.error_statuses.insert(name.clone(), error.http_status_code);
            }
        }
        for (name, raw) in &self.raw.operations {
            model.operations.push(self.operation(name, raw, &ids)?);
        }
        Ok(())
    }

    fn operation(&self, name: &str, raw: &RawOperation, ids: &Ids) -> Result<Operation, ModelError> {
        let method = raw.http.method.parse().map_err(|_| self.unsupported(name, "its method is no HTTP method"))?;
        let shape = |shape: &Option<String>| shape.as_deref().map(|s| self.id(s, ids)).transpose();
        let mut errors = Vec::new();
        for error in &raw.errors {
            let raw_error = self.raw.shapes.get(error).and_then(|s| s.error.as_ref());
            errors.push((error.clone(), raw_error.ok_or_else(|| self.unknown(error))?.http_status_code));
        }
        Ok(Operation {
            api: self.api,
            name: name.to_owned(),
            method,
            template: raw.http.request_uri.clone(),
            input: shape(&raw.input)?,
            output: shape(&raw.output)?,
            status: raw.http.response_code.unwrap_or(200),
            errors,
        })
    }

    fn kind(&self, name: &str, raw: &RawShape, ids: &Ids) -> Result<Kind, ModelError> {
        let element = |reference: &Option<RawReference>| match reference {
            Some(reference) => self.id(&reference.shape, ids),
            None => Err(self.unsupported(name, "it does not say what it holds")),
        };
        Ok(match raw.kind.as_str() {
            "structure" => Kind::Structure(self.structure(name, raw, ids)?),
            "list" => Kind::List { member: element(&raw.member)?, size: self.sizes(name, raw)? },
            "map" => Kind::Map { key: element(&raw.key)?, value: element(&raw.value)?, size: self.sizes(name, raw)? },
            "string" => Kind::Text {
                length: self.sizes(name, raw)?,
                pattern: raw.pattern.clone().map(Pattern::new),
                values: raw.values.clone(),
            },
            "blob" => Kind::Blob { length: self.sizes(name, raw)? },
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer { range: self.bounds(name, raw, Number::as_i64)? },
            "long" => Kind::Long { range: self.bounds(name, raw, Number::as_i64)? },
            "double" => Kind::Double { range: self.bounds(name, raw, Number::as_f64)? },
            "timestamp" => Kind::Timestamp,
            other => return Err(self.unsupported(name, &format!("its type is {other:?}"))),
        })
    }

    fn structure(&self, name: &str, raw: &RawShape, ids: &Ids) -> Result<Structure, ModelError> {
        let mut members = Vec::new();
        for (member, reference) in &raw.members {
            members.push(Member {
                name: member.clone(),
                shape: self.id(&reference.shape, ids)?,
                is_required: raw.required.contains(member),
                location: self.location(name, member, reference)?,
                is_json_value: reference.jsonvalue,
            });
        }
        if let Some(payload) = raw.payload.as_ref().filter(|payload| !raw.members.contains_key(*payload)) {
            return Err(self.unknown(payload));
        }
        Ok(Structure { members, payload: raw.payload.clone() })
    }

    /// Lists and maps travel in bodies only; there the name on the wire is the member's own.
    fn location(&self, shape: &str, member: &str, raw: &RawReference) -> Result<Location, ModelError> {
        let wire_name = raw.location_name.clone().unwrap_or_else(|| member.to_owned());
        let Some(location) = raw.location.as_deref() else {
            return if wire_name == member {
                Ok(Location::Body)
            } else {
                Err(self.unsupported(shape, "a body member has another name on the wire"))
            };
        };
        let is_scalar =
            self.raw.shapes.get(&raw.shape).is_some_and(|s| !matches!(&*s.kind, "list" | "map" | "structure"));
        match location {
            _ if !is_scalar => Err(self.unsupported(shape, "a member outside the body is no scalar")),
            "uri" => Ok(Location::Path(wire_name)),
            "querystring" => Ok(Location::Query(wire_name)),
            "header" => Ok(Location::Header(wire_name)),
            "statusCode" => Ok(Location::StatusCode),
            other => Err(self.unsupported(shape, &format!("a member's location is {other:?}"))),
        }
    }

    fn sizes(&self, name: &str, raw: &RawShape) -> Result<Bounds<u64>, ModelError> {
        self.bounds(name, raw, Number::as_u64)
    }

    fn bounds<T>(
        &self,
        name: &str,
        raw: &RawShape,
        convert: impl Fn(&Number) -> Option<T>,
    ) -> Result<Bounds<T>, ModelError> {
        let bound = |number: &Option<Number>| match number {
            None => Ok(None),
            Some(number) => match convert(number) {
                Some(bound) => Ok(Some(bound)),
                None => Err(self.unsupported(name, &format!("its bound is {number}"))),
            },
        };
        Ok(Bounds { min: bound(&raw.min)?, max: bound(&raw.max)? })
    }

    fn id(&self, name: &str, ids: &Ids) -> Result<ShapeId, ModelError> {
        ids.get(name).copied().ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> ModelError {
        ModelError::Unknown { api: self.api.name(), name: name.to_owned() }
    }

    fn unsupported(&self, name: &str, problem: &str) -> ModelError {
        ModelError::Unsupported { api: self.api.name(), name: name.to_owned(), problem: problem.to_owned() }
    }
}

type Ids<'a> = HashMap<&'a str, ShapeId>;

#[derive(Deserialize)]
struct RawModel {
    operations: BTreeMap<String, RawOperation>,
    shapes: BTreeMap<String, RawShape>,
}

#[derive(Deserialize)]
struct RawOperation {
    http: RawHttp,
    input: Option<String>,
    output: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHttp {
    method: String,
    request_uri: String,
    response_code: Option<u16>,
}

#[derive(Deserialize)]
struct RawShape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    members: BTreeMap<String, RawReference>,
    #[serde(default)]
    required: Vec<String>,
    payload: Option<String>,
    member: Option<RawReference>,
    key: Option<RawReference>,
    value: Option<RawReference>,
    min: Option<Number>,
    max: Option<Number>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    values: Vec<String>,
    #[serde(default)]
    sensitive: bool,
    error: Option<RawError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReference {
    shape: String,
    location: Option<String>,
    location_name: Option<String>,
    #[serde(default)]
    jsonvalue: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawError {
    http_status_code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API model counts: AWS IoT API reference as of botocore 1.44.5.
    #[test]
    fn all_three_models_are_read_whole() {
        let model = Model::load().unwrap();
        let count = |api| model.operations().filter(|(_, o)| o.api == api).count();
        assert_eq!([count(Api::Control), count(Api::Data), count(Api::JobsData)], [272, 11, 5]);
        assert_eq!(model.error_status("CertificateStateException"), Some(406));
        assert_eq!(model.error_status("NoSuchException"), None);
    }

    #[test]
    fn every_pattern_of_the_models_compiles() {
        let model = Model::load().unwrap();
        let mut patterns = 0;
        for shape in &model.shapes {
            if let Kind::Text { pattern: Some(pattern), .. } = &shape.kind {
                patterns += 1;
                assert!(pattern.compiles(), "{}", pattern.as_str());
            }
        }
        assert_eq!(patterns, 139);
    }

    #[test]
    fn a_model_that_makes_no_sense_is_refused() {
        let check = |text: &str, expected: &str| {
            let refusal = Model::from_text(text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(refusal.contains(expected), "{text}: {refusal}");
        };
        check("{", "cannot be read");
        check(r#"{"operations":{},"shapes":{"A":{"type":"tensor"}}}"#, "its type is \"tensor\"");
        check(r#"{"operations":{},"shapes":{"A":{"type":"list"}}}"#, "does not say what it holds");
        check(r#"{"operations":{},"shapes":{"A":{"type":"list","member":{"shape":"B"}}}}"#, "\"B\"");
        check(r#"{"operations":{},"shapes":{"A":{"type":"string","min":-1}}}"#, "its bound is -1");
        let operation = r#"{"operations":{"O":{"http":{"method":"GET","requestUri":"/"},"errors":["E"]}},"shapes":{}}"#;
        check(operation, "\"E\"");
        let nested = r#"{"operations":{},"shapes":{"L":{"type":"list","member":{"shape":"L"}},
            "A":{"type":"structure","members":{"m":{"shape":"L","location":"querystring"}}}}}"#;
        check(nested, "is no scalar");
    }
}
