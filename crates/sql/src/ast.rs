//! What a statement says, as a tree. Its depth is bounded by the parser, so walking it may recurse.

use regex::Regex;

use crate::Value;
use crate::convert::CastType;
use crate::functions::Function;
use crate::operators::Operator;

/// What makes a value.
#[derive(Debug)]
pub(crate) enum Expression {
    Literal(Value),
    /// `*`: the whole payload, or the element of a nested query.
    Whole,
    /// Members of the payload, or of the element of a nested query, from the outside in.
    Path(Vec<String>),
    /// What SET gave this name.
    Variable(String),
    /// Members of a value, from the outside in.
    Members(Box<Expression>, Vec<String>),
    Call(Call),
    /// `get_or_default(value[, default])`, which catches what fails.
    OrDefault(Box<Expression>, Option<Box<Expression>>),
    Cast(Box<Expression>, CastType),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    /// Operators of one precedence, from left to right.
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
    Case(Case),
    Object(Vec<(String, Expression)>),
    Array(Vec<Expression>),
    Query(Box<Query>),
}

/// A call of a function of the table.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) arguments: Vec<Expression>,
    /// The second argument, where it is a literal and the function takes a regular expression there.
    pub(crate) regex: Option<Regex>,
}

/// `CASE operand WHEN value THEN result ... ELSE otherwise END`.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) operand: Box<Expression>,
    pub(crate) branches: Vec<(Expression, Expression)>,
    pub(crate) otherwise: Option<Box<Expression>>,
}

/// `(SELECT ... FROM source WHERE condition)`.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) select: Select,
    pub(crate) source: Expression,
    pub(crate) condition: Option<Expression>,
}

/// What stands between SELECT and FROM.
#[derive(Debug)]
pub(crate) enum Select {
    /// `SELECT VALUE expression`.
    Value(Expression),
    /// `SELECT item, ...`.
    Items(Vec<Item>),
}

/// One item of a select list.
#[derive(Debug)]
pub(crate) enum Item {
    /// `*`: all members.
    All,
    /// An expression and where its value goes, from the outside in.
    Named(Vec<String>, Expression),
}
