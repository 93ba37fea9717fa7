//! What an expression is made of: literals, paths, variables, calls, CASE, brackets of all kinds.

use super::Parser;
use crate::ast::{Call, Case, Expression};
use crate::convert::CastType;
use crate::functions::{self, Served};
use crate::json::read_number;
use crate::lexer::Token;
use crate::{Problem, SqlError, Value};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expression, SqlError> {
        match self.token {
            Token::Number(text) => {
                let number = read_number(text, self.version).ok_or_else(|| self.error(Problem::NumberRange))?;
                self.advance()?;
                Ok(Expression::Literal(number))
            }
            Token::Text { raw, quote } => {
                self.advance()?;
                Ok(Expression::Literal(Value::String(unquoted(raw, quote))))
            }
            Token::Variable(name) => self.variable(name),
            Token::Word(word) => self.word(word),
            Token::Sign("*") => {
                self.advance()?;
                Ok(Expression::Whole)
            }
            Token::Sign("(") => self.parenthesis(),
            Token::Sign("[") => self.array(),
            Token::Sign("{") => self.object(),
            Token::Sign(_) | Token::End => Err(self.expected("an expression")),
        }
    }

    fn variable(&mut self, name: &str) -> Result<Expression, SqlError> {
        if !self.variables.iter().any(|set| set == name) {
            return Err(self.error(Problem::UnknownVariable(name.into())));
        }
        self.advance()?;
        Ok(Expression::Variable(name.to_owned()))
    }

    fn word(&mut self, word: &str) -> Result<Expression, SqlError> {
        let offset = self.offset;
        if self.following() == Token::Sign("(") {
            self.advance()?;
            self.advance()?;
            return self.call(&word.to_ascii_lowercase(), offset);
        }
        let literal = match word.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            "case" => return self.case(),
            reserved if RESERVED.contains(&reserved) => return Err(self.expected("an expression")),
            _ => None,
        };
        self.advance()?;
        Ok(literal.map_or_else(|| Expression::Path(vec![word.to_owned()]), Expression::Literal))
    }

    /// A call, from behind its opening parenthesis on.
    fn call(&mut self, name: &str, offset: usize) -> Result<Expression, SqlError> {
        match functions::find(name) {
            _ if name == "cast" => self.cast(),
            Some(Served::Special(since)) => {
                self.check_since(name, since, offset)?;
                self.or_default()
            }
            Some(Served::Function(function)) => {
                self.check_since(name, function.since, offset)?;
                let arguments = self.list(")", "',' or ')'")?;
                let regex = match arguments.get(1) {
                    Some(Expression::Literal(Value::String(pattern))) if function.takes_regex => {
                        functions::compile_regex(pattern).map_err(|problem| SqlError { problem, offset })?
                    }
                    _ => None,
                };
                if function.name == "decode"
                    && let Some(Expression::Literal(Value::String(encoding))) = arguments.get(1)
                    && encoding == "proto"
                {
                    let problem = Problem::UnsupportedFunction("decode with 'proto'".into());
                    return Err(SqlError { problem, offset });
                }
                Ok(Expression::Call(Call { function, arguments, regex }))
            }
            Some(Served::Not) => Err(SqlError { problem: Problem::UnsupportedFunction(name.into()), offset }),
            None => Err(SqlError { problem: Problem::UnknownFunction(name.into()), offset }),
        }
    }

    fn check_since(&self, name: &str, since: crate::SqlVersion, offset: usize) -> Result<(), SqlError> {
        if self.version >= since { Ok(()) } else { self.require_version(&format!("the function {name}"), offset) }
    }

    fn cast(&mut self) -> Result<Expression, SqlError> {
        let value = self.expression()?;
        self.require_keyword("AS")?;
        let offset = self.offset;
        let word = self.field_name()?;
        let (to, is_later) = match word.to_ascii_lowercase().as_str() {
            "string" | "nvarchar" | "text" | "ntext" | "varchar" => (CastType::String, false),
            "int" | "integer" => (CastType::Int, false),
            "double" => (CastType::Double, false),
            "decimal" => (CastType::Decimal, true),
            "bool" | "boolean" => (CastType::Boolean, true),
            _ => return Err(SqlError { problem: Problem::UnknownType(word), offset }),
        };
        if is_later {
            self.require_version(&format!("cast to {word}"), offset)?;
        }
        self.require_sign(")", "')'")?;
        Ok(Expression::Cast(Box::new(value), to))
    }

    fn or_default(&mut self) -> Result<Expression, SqlError> {
        let value = self.expression()?;
        let default = if self.take_sign(",")? { Some(Box::new(self.expression()?)) } else { None };
        self.require_sign(")", "')'")?;
        Ok(Expression::OrDefault(Box::new(value), default))
    }

    fn case(&mut self) -> Result<Expression, SqlError> {
        self.advance()?;
        let operand = Box::new(self.expression()?);
        let mut branches = Vec::new();
        while self.take_keyword("WHEN")? {
            let value = self.expression()?;
            self.require_keyword("THEN")?;
            branches.push((value, self.expression()?));
        }
        if branches.is_empty() {
            return Err(self.expected("WHEN"));
        }
        let otherwise = if self.take_keyword("ELSE")? { Some(Box::new(self.expression()?)) } else { None };
        self.require_keyword("END")?;
        Ok(Expression::Case(Case { operand, branches, otherwise }))
    }

    fn parenthesis(&mut self) -> Result<Expression, SqlError> {
        self.advance()?;
        let inside =
            if self.is_keyword("SELECT") { Expression::Query(Box::new(self.query()?)) } else { self.expression()? };
        self.require_sign(")", "')'")?;
        Ok(inside)
    }

    fn array(&mut self) -> Result<Expression, SqlError> {
        self.require_version("an array literal", self.offset)?;
        self.advance()?;
        Ok(Expression::Array(self.list("]", "',' or ']'")?))
    }

    fn object(&mut self) -> Result<Expression, SqlError> {
        self.require_version("an object literal", self.offset)?;
        self.advance()?;
        let mut members = Vec::new();
        if self.take_sign("}")? {
            return Ok(Expression::Object(members));
        }
        loop {
            let name = match self.token {
                Token::Text { raw, quote } => unquoted(raw, quote),
                Token::Word(word) => word.to_owned(),
                _ => return Err(self.expected("a key")),
            };
            self.advance()?;
            self.require_sign(":", "':'")?;
            members.push((name, self.expression()?));
            if self.take_sign("}")? {
                return Ok(Expression::Object(members));
            }
            self.require_sign(",", "',' or '}'")?;
        }
    }

    /// Expressions up to a closing bracket, from behind the opening one on.
    fn list(&mut self, close: &'static str, expected: &'static str) -> Result<Vec<Expression>, SqlError> {
        let mut items = Vec::new();
        if self.take_sign(close)? {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if self.take_sign(close)? {
                return Ok(items);
            }
            self.require_sign(",", expected)?;
        }
    }
}

fn unquoted(raw: &str, quote: char) -> String {
    let mut doubled = [0; 4];
    let quote = quote.encode_utf8(&mut doubled);
    raw.replace(&format!("{quote}{quote}"), quote)
}

/// Words that name no field of the payload; `get(*, 'end')` does.
const RESERVED: [&str; 11] = ["select", "from", "where", "as", "and", "or", "not", "when", "then", "else", "end"];
