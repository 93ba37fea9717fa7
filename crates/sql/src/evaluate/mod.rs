//! Carries a statement out for one message. Values of the payload are borrowed until something new is made of them;
//! the work is counted, so that no statement can make a small message expensive.

mod query;

use std::borrow::Cow;
use std::cell::Cell;

use crate::ast::{Call, Case, Expression};
use crate::functions::Arguments;
use crate::operators::Operator;
use crate::output::Variables;
use crate::value::{Object, UNDEFINED};
use crate::{EvaluateError, Input, SqlVersion, Value, convert, operators};

/// What evaluation needs beside the tree.
pub(crate) struct Evaluator<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) version: SqlVersion,
    pub(crate) variables: &'a Variables,
    work: Cell<usize>,
}

/// What paths begin at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'v> {
    /// The message's payload.
    Payload,
    /// The element at hand in a nested query.
    Element(&'v Value),
}

type Evaluated<'v> = Result<Cow<'v, Value>, EvaluateError>;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(input: &'a Input<'a>, version: SqlVersion, variables: &'a Variables) -> Self {
        Self { input, version, variables, work: Cell::new(0) }
    }

    /// The value of an expression; decimals without a fraction have become Int where the version says so.
    pub(crate) fn value<'v>(&'v self, expression: &'v Expression, scope: Scope<'v>) -> Evaluated<'v> {
        self.charge(STEP_COST)?;
        Ok(match self.raw_value(expression, scope)? {
            Cow::Owned(Value::Decimal(number)) => Cow::Owned(Value::number(number, self.version)),
            value => value,
        })
    }

    /// Whether a condition is exactly true.
    pub(crate) fn is_true(&self, condition: &Expression, scope: Scope<'_>) -> Result<bool, EvaluateError> {
        Ok(*self.value(condition, scope)? == Value::Bool(true))
    }

    fn raw_value<'v>(&'v self, expression: &'v Expression, scope: Scope<'v>) -> Evaluated<'v> {
        match expression {
            Expression::Literal(value) => Ok(Cow::Borrowed(value)),
            Expression::Whole => Ok(Cow::Borrowed(self.root(scope))),
            Expression::Path(names) => Ok(Cow::Borrowed(self.path(names, scope))),
            Expression::Variable(name) => Ok(Cow::Borrowed(self.variables.value(name))),
            Expression::Members(of, names) => self.members(of, names, scope),
            Expression::Call(call) => self.call(call, scope).map(Cow::Owned),
            Expression::OrDefault(value, default) => self.or_default(value, default.as_deref(), scope),
            Expression::Cast(value, to) => {
                let cast = convert::cast(&*self.value(value, scope)?, *to, self.version).unwrap_or_default();
                self.charge(cast.weight())?;
                Ok(Cow::Owned(cast))
            }
            Expression::Not(operand) => Ok(Cow::Owned(operators::not(&*self.value(operand, scope)?))),
            Expression::Negative(operand) => Ok(Cow::Owned(operators::negative(&*self.value(operand, scope)?))),
            Expression::Chain(first, rest) => self.chain(first, rest, scope),
            Expression::Case(case) => self.case(case, scope),
            Expression::Object(members) => self.object(members, scope).map(Cow::Owned),
            Expression::Array(items) => self.array(items, scope).map(Cow::Owned),
            Expression::Query(query) => self.query(query, scope).map(Cow::Owned),
        }
    }

    fn root<'v>(&'v self, scope: Scope<'v>) -> &'v Value {
        match scope {
            Scope::Payload => self.input.json(self.version),
            Scope::Element(element) => element,
        }
    }

    fn path<'v>(&'v self, names: &[String], scope: Scope<'v>) -> &'v Value {
        match (scope, names) {
            // Reads no more of the payload than this member.
            (Scope::Payload, [first, rest @ ..]) => walk(self.input.member(first, self.version), rest),
            _ => walk(self.root(scope), names),
        }
    }

    fn members<'v>(&'v self, of: &'v Expression, names: &[String], scope: Scope<'v>) -> Evaluated<'v> {
        match self.value(of, scope)? {
            Cow::Borrowed(value) => Ok(Cow::Borrowed(walk(value, names))),
            Cow::Owned(value) => self.copied(walk(&value, names)).map(Cow::Owned),
        }
    }

    fn call(&self, call: &Call, scope: Scope<'_>) -> Result<Value, EvaluateError> {
        if !call.function.arguments.contains(&call.arguments.len()) {
            return Ok(Value::Undefined);
        }
        let takes_payload = matches!((call.arguments.first(), scope), (Some(Expression::Whole), Scope::Payload));
        let mut values = Vec::with_capacity(call.arguments.len());
        for (index, argument) in call.arguments.iter().enumerate() {
            // The published bytes do not need to be JSON, nor to be parsed.
            let value = if index == 0 && takes_payload && call.function.takes_bytes {
                Cow::Borrowed(&UNDEFINED)
            } else {
                self.value(argument, scope)?
            };
            if !call.function.looks_only {
                self.charge(value.weight())?;
            }
            values.push(value);
        }
        let arguments = Arguments {
            input: self.input,
            version: self.version,
            values: &values,
            payload: takes_payload.then_some(self.input.payload),
            regex: call.regex.as_ref(),
        };
        if call.function.takes_regex {
            let text = arguments.value(0).weight().saturating_mul(REGEX_STEP_COST);
            self.charge(text + if call.regex.is_none() { REGEX_COST } else { 0 })?;
        }
        let result = (call.function.run)(&arguments)?.unwrap_or_default();
        self.charge(result.weight())?;
        Ok(result)
    }

    /// The default for Null, Undefined and what fails; but work that is used up stays used up.
    fn or_default<'v>(
        &'v self,
        value: &'v Expression,
        default: Option<&'v Expression>,
        scope: Scope<'v>,
    ) -> Evaluated<'v> {
        match self.value(value, scope) {
            Err(EvaluateError::TooMuchWork) => Err(EvaluateError::TooMuchWork),
            Ok(value) if !matches!(*value, Value::Null | Value::Undefined) => Ok(value),
            _ => default.map_or(Ok(Cow::Borrowed(&UNDEFINED)), |default| self.value(default, scope)),
        }
    }

    fn chain<'v>(
        &'v self,
        first: &'v Expression,
        rest: &'v [(Operator, Expression)],
        scope: Scope<'v>,
    ) -> Evaluated<'v> {
        let mut left = self.value(first, scope)?;
        for (operator, right) in rest {
            let right = self.value(right, scope)?;
            self.charge(left.weight() + right.weight())?;
            left = Cow::Owned(match operators::apply(*operator, &left, &right)? {
                Value::Decimal(number) => Value::number(number, self.version),
                value => value,
            });
        }
        Ok(left)
    }

    fn case<'v>(&'v self, case: &'v Case, scope: Scope<'v>) -> Evaluated<'v> {
        let operand = self.value(&case.operand, scope)?;
        if *operand == Value::Undefined {
            return Ok(operand);
        }
        for (value, result) in &case.branches {
            if operators::equal(&operand, &*self.value(value, scope)?) == Some(true) {
                return self.value(result, scope);
            }
        }
        case.otherwise.as_ref().map_or(Ok(Cow::Borrowed(&UNDEFINED)), |otherwise| self.value(otherwise, scope))
    }

    fn object(&self, members: &[(String, Expression)], scope: Scope<'_>) -> Result<Value, EvaluateError> {
        let mut object = Object::new();
        for (name, expression) in members {
            let value = self.owned(expression, scope)?;
            if value != Value::Undefined {
                object.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(object))
    }

    fn array(&self, items: &[Expression], scope: Scope<'_>) -> Result<Value, EvaluateError> {
        items.iter().map(|item| self.owned(item, scope)).collect::<Result<_, _>>().map(Value::Array)
    }

    /// The value of an expression as one's own; what copying costs is counted first.
    pub(crate) fn owned(&self, expression: &Expression, scope: Scope<'_>) -> Result<Value, EvaluateError> {
        match self.value(expression, scope)? {
            Cow::Borrowed(value) => self.copied(value),
            Cow::Owned(value) => Ok(value),
        }
    }

    fn copied(&self, value: &Value) -> Result<Value, EvaluateError> {
        self.charge(value.weight())?;
        Ok(value.clone())
    }

    fn charge(&self, cost: usize) -> Result<(), EvaluateError> {
        let work = self.work.get().saturating_add(cost);
        self.work.set(work);
        if work > WORK_MAX { Err(EvaluateError::TooMuchWork) } else { Ok(()) }
    }
}

fn walk<'v>(value: &'v Value, names: &[String]) -> &'v Value {
    names.iter().fold(value, |value, name| value.member(name))
}

/// Work for one message, about one unit a byte copied (ours): far above what a rule of sense needs, yet well below a
/// second.
const WORK_MAX: usize = 64 * 1_048_576;
/// What each step of the tree counts.
const STEP_COST: usize = 16;
/// What searching each byte by a regular expression counts: the worst patterns walk hundreds of states for each byte.
const REGEX_STEP_COST: usize = 128;
/// What compiling a regular expression counts that is not known before the message.
const REGEX_COST: usize = 200_000;
