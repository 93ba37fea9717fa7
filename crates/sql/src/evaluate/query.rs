//! Select lists, of a statement and of nested queries (AWS IoT Core developer guide, iot-sql-nested-queries).

use super::{Evaluator, STEP_COST, Scope};
use crate::ast::{Item, Query, Select};
use crate::value::Object;
use crate::{EvaluateError, Value};

impl Evaluator<'_> {
    /// The value that a select list makes of the scope.
    pub(crate) fn select(&self, select: &Select, scope: Scope<'_>) -> Result<Value, EvaluateError> {
        let items = match select {
            Select::Value(expression) => return self.owned(expression, scope),
            Select::Items(items) => items,
        };
        let mut object = Object::new();
        for item in items {
            match item {
                Item::All => self.insert_all(&mut object, scope)?,
                Item::Named(names, expression) => {
                    let value = self.owned(expression, scope)?;
                    if value != Value::Undefined {
                        insert(&mut object, names, value);
                    }
                }
            }
        }
        Ok(Value::Object(object))
    }

    /// Of an array an array, of an object one value, else Undefined.
    pub(super) fn query(&self, query: &Query, scope: Scope<'_>) -> Result<Value, EvaluateError> {
        let source = self.value(&query.source, scope)?;
        match &*source {
            Value::Array(elements) => {
                let mut found = Vec::new();
                for element in elements {
                    let value = self.query_element(query, element)?;
                    if value != Value::Undefined {
                        found.push(value);
                    }
                }
                Ok(Value::Array(found))
            }
            Value::Object(_) => self.query_element(query, &source),
            _ => Ok(Value::Undefined),
        }
    }

    fn query_element(&self, query: &Query, element: &Value) -> Result<Value, EvaluateError> {
        self.charge(STEP_COST)?;
        let scope = Scope::Element(element);
        if let Some(condition) = &query.condition
            && !self.is_true(condition, scope)?
        {
            return Ok(Value::Undefined);
        }
        self.select(&query.select, scope)
    }

    /// The members of the payload; an empty payload has none (developer guide, binary-payloads).
    fn insert_all(&self, object: &mut Object, scope: Scope<'_>) -> Result<(), EvaluateError> {
        match (self.root(scope), scope) {
            (Value::Object(members), _) => {
                for (name, value) in members {
                    object.insert(name.clone(), self.copied(value)?);
                }
                Ok(())
            }
            (_, Scope::Payload) if !self.input.payload.is_empty() => Err(EvaluateError::PayloadNotObject),
            _ => Ok(()),
        }
    }
}

/// Puts a value where a dotted alias says; what stands in the way there is replaced.
fn insert(object: &mut Object, names: &[String], value: Value) {
    let Some((last, path)) = names.split_last() else { return };
    let mut target = object;
    for name in path {
        let next = target.entry(name.clone()).or_default();
        if !matches!(next, Value::Object(_)) {
            *next = Value::Object(Object::new());
        }
        let Value::Object(inner) = next else { return };
        target = inner;
    }
    target.insert(last.clone(), value);
}
