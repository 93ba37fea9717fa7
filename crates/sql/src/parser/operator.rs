//! The operators and how strongly they bind. AWS documents no precedence; this is standard SQL's.

use super::Parser;
use crate::lexer::Token;
use crate::operators::Operator;
use crate::{Problem, SqlError};

/// How strongly NOT binds: less than comparisons, more than AND.
pub(super) const NOT_POWER: u8 = 3;
/// Stronger than every operator between two values.
pub(super) const OPERAND_POWER: u8 = 7;

impl Parser<'_> {
    /// The operator at hand and how strongly it binds.
    pub(super) fn operator(&self) -> Result<Option<(Operator, u8)>, SqlError> {
        match self.token {
            Token::Sign("!=") => Err(self.error(Problem::Unsupported("the operator != (use <>)".into()))),
            Token::Sign(sign) => Ok(find(sign)),
            Token::Word(word) => {
                let upper = word.to_ascii_uppercase();
                if ["IN", "LIKE", "BETWEEN", "IS", "EXISTS"].contains(&upper.as_str()) {
                    return Err(self.error(Problem::Unsupported(format!("the operator {upper}"))));
                }
                Ok(find(&upper))
            }
            _ => Ok(None),
        }
    }
}

fn find(word: &str) -> Option<(Operator, u8)> {
    OPERATORS.iter().find(|(operator, ..)| *operator == word).map(|(_, operator, power)| (*operator, *power))
}

const OPERATORS: [(&str, Operator, u8); 13] = [
    ("OR", Operator::Or, 1),
    ("AND", Operator::And, 2),
    ("=", Operator::Equal, 4),
    ("<>", Operator::NotEqual, 4),
    ("<", Operator::Less, 4),
    ("<=", Operator::LessOrEqual, 4),
    (">", Operator::Greater, 4),
    (">=", Operator::GreaterOrEqual, 4),
    ("+", Operator::Plus, 5),
    ("-", Operator::Minus, 5),
    ("*", Operator::Times, 6),
    ("/", Operator::Divide, 6),
    ("%", Operator::Modulo, 6),
];
