//! A rule's statement: parsed once, evaluated for every message.

use bytes::Bytes;

use crate::ast::{Expression, Item, Select};
use crate::error::VARIABLES_BYTES_MAX;
use crate::evaluate::{Evaluator, Scope};
use crate::parser::{self, Parsed};
use crate::{EvaluateError, Input, Output, SqlError, SqlVersion, Value, Variables};

/// A statement of AWS IoT SQL (AWS IoT Core developer guide, iot-sql-reference).
#[derive(Debug)]
pub struct Statement {
    version: SqlVersion,
    parsed: Parsed,
}

impl Statement {
    /// Parses a statement. Functions that are unknown or not served are refused here, never Undefined in silence.
    ///
    /// # Errors
    /// [`SqlError`] says what is wrong and where.
    pub fn parse(sql: &str, version: SqlVersion) -> Result<Self, SqlError> {
        parser::statement(sql, version).map(|parsed| Self { version, parsed })
    }

    /// The topic filter after FROM as it is written; None if the statement has no FROM (Basic Ingest needs none).
    #[must_use]
    pub fn from_filter(&self) -> Option<&str> {
        self.parsed.from.as_deref()
    }

    /// The version of the language that the statement was parsed with.
    #[must_use]
    pub fn version(&self) -> SqlVersion {
        self.version
    }

    /// The names that the SET clause sets, for [`crate::Template::parse_with`].
    #[must_use]
    pub fn variable_names(&self) -> Vec<String> {
        self.parsed.variables.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The result's bytes for one message; None if WHERE is not true. The filter after FROM is not looked at.
    ///
    /// # Errors
    /// The statement cannot be carried out for this message; no action may run.
    pub fn evaluate(&self, input: &Input<'_>) -> Result<Option<Bytes>, EvaluateError> {
        Ok(self.select(input)?.map(Output::into_bytes))
    }

    /// The same as [`Self::evaluate`], with the result's value and the variables beside the bytes.
    ///
    /// # Errors
    /// The statement cannot be carried out for this message; no action may run.
    pub fn select(&self, input: &Input<'_>) -> Result<Option<Output>, EvaluateError> {
        let variables = self.set(input)?;
        let value = {
            let evaluator = Evaluator::new(input, self.version, &variables);
            if let Some(condition) = &self.parsed.condition
                && !evaluator.is_true(condition, Scope::Payload)?
            {
                return Ok(None);
            }
            if self.is_untouched() { None } else { Some(evaluator.select(&self.parsed.select, Scope::Payload)?) }
        };
        let Some(value) = value else {
            return Ok(Some(Output::untouched(input.payload, self.version, variables)));
        };
        if matches!(value, Value::Array(_)) && !self.version.collapses_whole_decimals() {
            return Err(EvaluateError::ArrayNeedsVersion);
        }
        Ok(Some(Output::made(value, self.version, variables)))
    }

    /// Carries out the SET clause, one variable after the other.
    fn set(&self, input: &Input<'_>) -> Result<Variables, EvaluateError> {
        let mut variables = Variables::default();
        let mut bytes = 0;
        for (name, expression) in &self.parsed.variables {
            let value = Evaluator::new(input, self.version, &variables).owned(expression, Scope::Payload)?;
            bytes += value.to_json().len();
            if bytes > VARIABLES_BYTES_MAX {
                return Err(EvaluateError::VariablesTooLong(name.clone()));
            }
            variables.0.push((name.clone(), value));
        }
        Ok(variables)
    }

    /// `SELECT *` and `SELECT VALUE *` hand on the payload as it is.
    fn is_untouched(&self) -> bool {
        match &self.parsed.select {
            Select::Value(expression) => matches!(expression, Expression::Whole),
            Select::Items(items) => matches!(items.as_slice(), [Item::All]),
        }
    }
}
