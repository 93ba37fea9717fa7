//! Text to tree: a hand-written parser with operator precedence. Nesting is bounded, so is what it builds.

mod clause;
mod expression;
mod operator;
mod primary;

use names::limits;

use crate::ast::{Expression, Select};
use crate::lexer::{Lexer, Token};
use crate::{Problem, SqlError, SqlVersion};

/// What a statement's text says.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The SET clause, in order.
    pub(crate) variables: Vec<(String, Expression)>,
    pub(crate) select: Select,
    pub(crate) from: Option<String>,
    pub(crate) condition: Option<Expression>,
}

/// Parses a whole statement.
pub(crate) fn statement(text: &str, version: SqlVersion) -> Result<Parsed, SqlError> {
    check_length(text)?;
    let mut parser = Parser::new(text, 0, version, Vec::new())?;
    parser.statement()
}

/// Parses an expression from the byte `start` on, up to a closing brace; also gives the byte after the brace.
pub(crate) fn braced(
    text: &str,
    start: usize,
    version: SqlVersion,
    variables: Vec<String>,
) -> Result<(Expression, usize), SqlError> {
    let mut parser = Parser::new(text, start, version, variables)?;
    let expression = parser.expression()?;
    // The token after the brace is not SQL, so nothing is read beyond it.
    match parser.token {
        Token::Sign("}") => Ok((expression, parser.lexer.position())),
        Token::End => Err(parser.error(Problem::UnclosedTemplate)),
        _ => Err(parser.expected("an operator or '}'")),
    }
}

/// Refuses a text that no rule could carry.
pub(crate) fn check_length(text: &str) -> Result<(), SqlError> {
    let is_short = text.len() <= limits::RULE_PAYLOAD_BYTES_MAX;
    is_short.then_some(()).ok_or(SqlError { problem: Problem::TooLong, offset: limits::RULE_PAYLOAD_BYTES_MAX })
}

/// The token at hand and what has been learnt before it.
struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token<'t>,
    offset: usize,
    version: SqlVersion,
    depth: usize,
    /// The names that SET has set so far.
    variables: Vec<String>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, start: usize, version: SqlVersion, variables: Vec<String>) -> Result<Self, SqlError> {
        let mut lexer = Lexer::new(text, start);
        let (offset, token) = lexer.advance()?;
        Ok(Self { lexer, token, offset, version, depth: 0, variables })
    }

    /// Steps to the next token and gives the one before.
    fn advance(&mut self) -> Result<Token<'t>, SqlError> {
        let (offset, token) = self.lexer.advance()?;
        self.offset = offset;
        Ok(std::mem::replace(&mut self.token, token))
    }

    /// The token after the one at hand; the end where there is none that can be read.
    fn following(&self) -> Token<'t> {
        let mut ahead = self.lexer;
        ahead.advance().map_or(Token::End, |(_, token)| token)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        is_keyword(&self.token, keyword)
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.token_is_sign(&self.token, sign)
    }

    fn token_is_sign(&self, token: &Token<'_>, sign: &str) -> bool {
        matches!(token, Token::Sign(found) if *found == sign)
    }

    fn take_keyword(&mut self, keyword: &str) -> Result<bool, SqlError> {
        let is_there = self.is_keyword(keyword);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn take_sign(&mut self, sign: &str) -> Result<bool, SqlError> {
        let is_there = self.is_sign(sign);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn require_keyword(&mut self, keyword: &'static str) -> Result<(), SqlError> {
        if self.take_keyword(keyword)? { Ok(()) } else { Err(self.expected(keyword)) }
    }

    fn require_sign(&mut self, sign: &str, expected: &'static str) -> Result<(), SqlError> {
        if self.take_sign(sign)? { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// What `parse` finds one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, SqlError>) -> Result<T, SqlError> {
        if self.depth == limits::SQL_DEPTH_MAX {
            return Err(self.error(Problem::TooDeep));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn require_version(&self, what: &str, offset: usize) -> Result<(), SqlError> {
        if self.version >= SqlVersion::V2016_03_23 {
            return Ok(());
        }
        Err(SqlError { problem: Problem::NeedsVersion(what.into()), offset })
    }

    fn expected(&self, expected: &'static str) -> SqlError {
        self.error(Problem::Expected { expected, found: self.token.describe() })
    }

    fn error(&self, problem: Problem) -> SqlError {
        SqlError { problem, offset: self.offset }
    }
}

fn is_keyword(token: &Token<'_>, keyword: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
}
