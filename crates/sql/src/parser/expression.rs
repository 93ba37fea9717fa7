//! Expressions: operators by precedence, and what stands before and behind a value.

use names::limits;

use super::Parser;
use super::operator::{NOT_POWER, OPERAND_POWER};
use crate::ast::Expression;
use crate::lexer::Token;
use crate::{Problem, SqlError, Value};

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expression, SqlError> {
        self.chain(0)
    }

    /// Operators that bind at least as strongly as `power`. Those of one precedence become one flat chain, so that a
    /// long condition is not a deep tree.
    fn chain(&mut self, power: u8) -> Result<Expression, SqlError> {
        let mut left = self.prefix()?;
        while let Some((_, level)) = self.operator()?.filter(|(_, level)| *level >= power) {
            let mut rest = Vec::new();
            while let Some((operator, _)) = self.operator()?.filter(|(_, next)| *next == level) {
                self.advance()?;
                rest.push((operator, self.chain(level + 1)?));
            }
            left = Expression::Chain(Box::new(left), rest);
        }
        Ok(left)
    }

    fn prefix(&mut self) -> Result<Expression, SqlError> {
        if self.take_keyword("NOT")? {
            let operand = self.nested(|parser| parser.chain(NOT_POWER))?;
            return Ok(Expression::Not(Box::new(operand)));
        }
        if !self.take_sign("-")? {
            return self.postfix();
        }
        Ok(match self.nested(|parser| parser.chain(OPERAND_POWER))? {
            Expression::Literal(Value::Int(number)) => Expression::Literal(Value::Int(-number)),
            Expression::Literal(Value::Decimal(number)) => Expression::Literal(Value::Decimal(number.negated())),
            operand => Expression::Negative(Box::new(operand)),
        })
    }

    /// A value and the members that are taken from it.
    pub(super) fn postfix(&mut self) -> Result<Expression, SqlError> {
        let value = self.nested(Self::primary)?;
        let mut names = match value {
            Expression::Path(ref names) => names.clone(),
            _ => Vec::new(),
        };
        while self.take_sign(".")? {
            names.push(self.field_name()?);
            self.check_path(&names)?;
        }
        Ok(match value {
            Expression::Path(_) => Expression::Path(names),
            value if names.is_empty() => value,
            value => Expression::Members(Box::new(value), names),
        })
    }

    /// A name behind a point or AS, where no word is reserved.
    pub(super) fn field_name(&mut self) -> Result<String, SqlError> {
        let Token::Word(word) = self.token else {
            return Err(self.expected("a field's name"));
        };
        self.advance()?;
        Ok(word.to_owned())
    }

    /// A path may not be deeper than an expression.
    pub(super) fn check_path(&self, names: &[String]) -> Result<(), SqlError> {
        if names.len() > limits::SQL_DEPTH_MAX { Err(self.error(Problem::TooDeep)) } else { Ok(()) }
    }
}
