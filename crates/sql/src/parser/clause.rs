//! The clauses: SET, SELECT, FROM, WHERE.

use super::{Parsed, Parser};
use crate::ast::{Expression, Item, Query, Select};
use crate::error::{VARIABLE_NAME_BYTES_MAX, VARIABLES_MAX};
use crate::lexer::Token;
use crate::{Problem, SqlError};

impl Parser<'_> {
    /// `[SET ...] SELECT ... [FROM 'filter'] [WHERE ...]`
    pub(super) fn statement(&mut self) -> Result<Parsed, SqlError> {
        let variables = if self.is_keyword("SET") { self.set_clause()? } else { Vec::new() };
        self.require_keyword("SELECT")?;
        let select = self.select()?;
        let from = if self.take_keyword("FROM")? { Some(self.topic_filter()?) } else { None };
        let condition = self.where_clause()?;
        if self.token != Token::End {
            let expected = match (&from, &condition) {
                (None, None) => "FROM",
                (Some(_), None) => "WHERE or the end",
                _ => "an operator or the end",
            };
            return Err(self.expected(expected));
        }
        Ok(Parsed { variables, select, from, condition })
    }

    /// `SELECT ... FROM source [WHERE ...]`, from SELECT on, up to its closing parenthesis.
    pub(super) fn query(&mut self) -> Result<Query, SqlError> {
        self.require_version("a nested query", self.offset)?;
        self.require_keyword("SELECT")?;
        let select = self.select()?;
        self.require_keyword("FROM")?;
        let source = self.postfix()?;
        let condition = self.where_clause()?;
        Ok(Query { select, source, condition })
    }

    fn set_clause(&mut self) -> Result<Vec<(String, Expression)>, SqlError> {
        self.advance()?;
        let mut variables = Vec::new();
        loop {
            let Token::Variable(name) = self.token else {
                return Err(self.expected("a variable, as in @name"));
            };
            self.check_variable(name)?;
            self.advance()?;
            self.require_sign("=", "'='")?;
            variables.push((name.to_owned(), self.expression()?));
            self.variables.push(name.to_owned());
            if !self.take_sign(",")? {
                return Ok(variables);
            }
        }
    }

    fn check_variable(&self, name: &str) -> Result<(), SqlError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > VARIABLE_NAME_BYTES_MAX || !name.bytes().all(is_name) {
            return Err(self.error(Problem::VariableName));
        }
        if self.variables.iter().any(|set| set == name) {
            return Err(self.error(Problem::VariableSetTwice(name.into())));
        }
        if self.variables.len() == VARIABLES_MAX {
            return Err(self.error(Problem::TooManyVariables));
        }
        Ok(())
    }

    fn select(&mut self) -> Result<Select, SqlError> {
        if self.is_value_keyword() {
            self.advance()?;
            return Ok(Select::Value(self.expression()?));
        }
        let mut items = vec![self.item()?];
        while self.take_sign(",")? {
            items.push(self.item()?);
        }
        Ok(Select::Items(items))
    }

    /// VALUE is no reserved word: `SELECT value FROM 't'` selects a field.
    fn is_value_keyword(&self) -> bool {
        const AFTER_A_FIELD: [&str; 14] = [",", ".", ")", "}", "=", "<>", "<", "<=", ">", ">=", "+", "/", "%", "!="];
        let is_field = match self.following() {
            Token::End => true,
            Token::Sign(sign) => AFTER_A_FIELD.contains(&sign),
            Token::Word(word) => {
                ["FROM", "AS", "WHERE", "AND", "OR"].iter().any(|next| word.eq_ignore_ascii_case(next))
            }
            Token::Variable(_) | Token::Number(_) | Token::Text { .. } => false,
        };
        self.is_keyword("VALUE") && !is_field
    }

    fn item(&mut self) -> Result<Item, SqlError> {
        let offset = self.offset;
        let name = self.function_name();
        let expression = self.expression()?;
        if self.take_keyword("AS")? {
            return Ok(Item::Named(self.alias()?, expression));
        }
        let own_name = match &expression {
            Expression::Whole => return Ok(Item::All),
            Expression::Path(names) | Expression::Members(_, names) => names.last().cloned(),
            Expression::Variable(name) => Some(name.clone()),
            Expression::Call(_) | Expression::Cast(..) | Expression::OrDefault(..) => name,
            _ => None,
        };
        let own_name = own_name.ok_or(SqlError { problem: Problem::NeedsAlias, offset })?;
        Ok(Item::Named(vec![own_name], expression))
    }

    /// The name at hand if an opening parenthesis follows it.
    fn function_name(&self) -> Option<String> {
        match self.token {
            Token::Word(word) if self.following() == Token::Sign("(") => Some(word.to_owned()),
            _ => None,
        }
    }

    fn alias(&mut self) -> Result<Vec<String>, SqlError> {
        let mut names = vec![self.field_name()?];
        while self.take_sign(".")? {
            names.push(self.field_name()?);
            self.check_path(&names)?;
        }
        Ok(names)
    }

    fn topic_filter(&mut self) -> Result<String, SqlError> {
        match self.token {
            Token::Text { raw, quote: '\'' } if !raw.is_empty() => {
                self.advance()?;
                Ok(raw.replace("''", "'"))
            }
            _ => Err(self.expected("a topic filter in single quotes")),
        }
    }

    fn where_clause(&mut self) -> Result<Option<Expression>, SqlError> {
        if self.take_keyword("WHERE")? { self.expression().map(Some) } else { Ok(None) }
    }
}
