//! Text to tokens, one at a time: a template's expression ends where the parser says so, not the lexer.

use crate::{Problem, SqlError};

/// One word, number, string or sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'t> {
    /// A keyword, a field's or a function's name.
    Word(&'t str),
    /// A variable's name, without the `@`.
    Variable(&'t str),
    /// Digits, maybe with fraction and exponent.
    Number(&'t str),
    /// A string between two of these quotes; a quote within is doubled.
    Text { raw: &'t str, quote: char },
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// The token in quotes, for a message.
    pub(crate) fn describe(&self) -> String {
        let text = match self {
            Self::Word(text) | Self::Number(text) | Self::Text { raw: text, .. } => text,
            Self::Variable(name) => return format!("'@{}'", shortened(name)),
            Self::Sign(sign) => sign,
            Self::End => return "the end".into(),
        };
        format!("'{}'", shortened(text))
    }
}

/// Where in the text the next token begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Lexer<'t> {
    /// Reads `text` from the byte `position` on.
    pub(crate) fn new(text: &'t str, position: usize) -> Self {
        Self { text, position }
    }

    /// The first byte after the last token.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The next token and where it begins.
    pub(crate) fn advance(&mut self) -> Result<(usize, Token<'t>), SqlError> {
        self.take_while(char::is_whitespace);
        let start = self.position;
        let Some(first) = self.rest().chars().next() else {
            return Ok((start, Token::End));
        };
        let token = match first {
            '\'' | '"' => self.text(start, first)?,
            '@' => {
                self.position += 1;
                Token::Variable(self.take_while(is_name))
            }
            '0'..='9' => Token::Number(self.number()),
            _ if first == '_' || first.is_alphabetic() => Token::Word(self.take_while(is_name)),
            _ => {
                let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
                let sign = sign.ok_or(SqlError { problem: Problem::Character(first), offset: start })?;
                self.position += sign.len();
                Token::Sign(sign)
            }
        };
        Ok((start, token))
    }

    fn text(&mut self, start: usize, quote: char) -> Result<Token<'t>, SqlError> {
        self.position += 1;
        let inside = self.position;
        loop {
            self.take_while(|character| character != quote);
            let end = self.position;
            if self.rest().is_empty() {
                return Err(SqlError { problem: Problem::UnclosedString, offset: start });
            }
            self.position += 1;
            if !self.rest().starts_with(quote) {
                return Ok(Token::Text { raw: self.text.get(inside..end).unwrap_or_default(), quote });
            }
            self.position += 1;
        }
    }

    fn number(&mut self) -> &'t str {
        let start = self.position;
        let is_digit = |character: char| character.is_ascii_digit();
        self.take_while(is_digit);
        if self.rest().starts_with('.') && self.follows(1, is_digit) {
            self.position += 1;
            self.take_while(is_digit);
        }
        if self.rest().starts_with(['e', 'E']) {
            let sign = usize::from(self.follows(1, |character| matches!(character, '+' | '-')));
            if self.follows(1 + sign, is_digit) {
                self.position += 1 + sign;
                self.take_while(is_digit);
            }
        }
        self.text.get(start..self.position).unwrap_or_default()
    }

    fn follows(&self, bytes: usize, is: impl Fn(char) -> bool) -> bool {
        self.rest().get(bytes..).and_then(|rest| rest.chars().next()).is_some_and(is)
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|character| !is(character)).unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or_default()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// A message quotes at most this much of a statement.
fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let short: String = characters.by_ref().take(40).collect();
    if characters.next().is_some() { short + "..." } else { short }
}

/// Longer signs stand before those that they begin with.
const SIGNS: &[&str] =
    &["<>", "<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", ",", ".", ":"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Token<'_>]) {
        let mut lexer = Lexer::new(text, 0);
        for token in expected {
            assert_eq!(lexer.advance().unwrap().1, *token, "{text}");
        }
        assert_eq!(lexer.advance().unwrap().1, Token::End, "{text}");
    }

    #[test]
    fn tokens_are_cut() {
        use Token::{Number, Sign, Text, Variable, Word};
        check("a.b_1", &[Word("a"), Sign("."), Word("b_1")]);
        check("1.5E-3-2e5", &[Number("1.5E-3"), Sign("-"), Number("2e5")]);
        check("1.a 2e", &[Number("1"), Sign("."), Word("a"), Number("2"), Word("e")]);
        check("a<>b<=c", &[Word("a"), Sign("<>"), Word("b"), Sign("<="), Word("c")]);
        check(
            "@v 'it''s' \"a'b\"",
            &[Variable("v"), Text { raw: "it''s", quote: '\'' }, Text { raw: "a'b", quote: '"' }],
        );
        check("''", &[Text { raw: "", quote: '\'' }]);
        check("gr\u{f6}\u{df}e", &[Word("gr\u{f6}\u{df}e")]);
    }

    #[test]
    fn what_begins_nothing_is_refused() {
        for (text, offset) in [("  'abc", 2), ("'''", 0), (" ;", 1), ("#", 0), ("$", 0), ("`a`", 0)] {
            assert_eq!(Lexer::new(text, 0).advance().unwrap_err().offset, offset, "{text}");
        }
    }
}
