//! Substitution templates: `${expression}` in the texts of a rule's actions.

use crate::ast::Expression;
use crate::error::RESULT_BYTES_MAX;
use crate::evaluate::{Evaluator, Scope};
use crate::{EvaluateError, Input, SqlError, SqlVersion, Variables, convert, parser};

/// A text with expressions in it, evaluated against the original payload (AWS IoT Core developer guide,
/// iot-substitution-templates).
#[derive(Debug)]
pub struct Template {
    version: SqlVersion,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Parses a text that may have no, one or several `${expression}`. Anything else is taken as it is, `$$` too.
    ///
    /// # Errors
    /// [`SqlError`] says what is wrong in an expression and where in the text.
    pub fn parse(text: &str, version: SqlVersion) -> Result<Self, SqlError> {
        Self::parse_with(text, version, &[])
    }

    /// The same for a text that may use variables: give it [`crate::Statement::variable_names`].
    ///
    /// # Errors
    /// [`SqlError`] says what is wrong in an expression and where in the text.
    pub fn parse_with(text: &str, version: SqlVersion, variables: &[String]) -> Result<Self, SqlError> {
        parser::check_length(text)?;
        let mut pieces = Vec::new();
        let mut position = 0;
        while let Some(length) = text.get(position..).and_then(|rest| rest.find(OPENING)) {
            let opening = position + length;
            pieces.extend(text.get(position..opening).filter(|piece| !piece.is_empty()).map(Piece::text));
            let (expression, end) = parser::braced(text, opening + OPENING.len(), version, variables.to_vec())?;
            pieces.push(Piece::Expression(expression));
            position = end;
        }
        pieces.extend(text.get(position..).filter(|piece| !piece.is_empty()).map(Piece::text));
        Ok(Self { version, pieces })
    }

    /// The text for one message; None if an expression is Undefined or has no text.
    ///
    /// # Errors
    /// An expression cannot be carried out for this message.
    pub fn render(&self, input: &Input<'_>) -> Result<Option<String>, EvaluateError> {
        self.render_with(input, &Variables::default())
    }

    /// The same with the variables of the rule's statement, [`crate::Output::variables`].
    ///
    /// # Errors
    /// An expression cannot be carried out for this message.
    pub fn render_with(&self, input: &Input<'_>, variables: &Variables) -> Result<Option<String>, EvaluateError> {
        let evaluator = Evaluator::new(input, self.version, variables);
        let mut rendered = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Expression(expression) => {
                    let value = evaluator.value(expression, Scope::Payload)?;
                    let Some(text) = convert::to_text(&value) else { return Ok(None) };
                    rendered.push_str(&text);
                }
            }
            if rendered.len() > RESULT_BYTES_MAX {
                return Err(EvaluateError::ResultTooLong("${}"));
            }
        }
        Ok(Some(rendered))
    }

    /// The text itself if there is no expression in it.
    #[must_use]
    pub fn as_constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl Piece {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

const OPENING: &str = "${";
