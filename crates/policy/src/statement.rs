//! One statement: how it is read, and whether it speaks of a question.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::MalformedPolicy;
use crate::arn_pattern::ArnPattern;
use crate::conditions::{self, Condition};
use crate::glob::{Case, Glob};
use crate::json::Json;
use crate::principal::Principal;
use crate::question::{Context, Question};
use crate::variables::{Substitution, Syntax, Unresolved};

/// What a statement does with the questions it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows them, unless another statement denies.
    Allow,
    /// It denies them, whatever else allows.
    Deny,
}

/// A compiled statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Arc<str>>,
    pub(crate) effect: Effect,
    actions: Listed<Glob>,
    /// None in a trust policy.
    resources: Option<Listed<ArnPattern>>,
    /// In a trust policy only.
    principal: Option<Principal>,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
struct Listed<T> {
    is_negated: bool,
    patterns: Vec<T>,
}

/// The first thing in a statement that keeps it from speaking of a question.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mismatch<'a> {
    Action,
    Resource,
    Condition(&'a Condition),
    Variable(&'a str),
}

/// What kind of document a statement stands in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// Version 2012-10-17.
    pub(crate) has_variables: bool,
    /// A trust policy: `Principal` instead of `Resource`.
    pub(crate) is_trust: bool,
}

impl Statement {
    pub(crate) fn read(value: Json, at: &str, dialect: Dialect) -> Result<Self, MalformedPolicy> {
        let mut members = value.into_object(at)?;
        let sid = members.remove("Sid").map(|sid| sid.into_text(&format!("{at}.Sid"))).transpose()?;
        let effect = read_effect(members.remove("Effect"), at)?;
        let actions = Listed::read(&mut members, at, "Action", read_action)?
            .ok_or_else(|| MalformedPolicy::new(at, "has neither Action nor NotAction"))?;
        let syntax = Syntax { variables: dialect.has_variables, wildcards: true, case: Case::Sensitive };
        let resources = Listed::read(&mut members, at, "Resource", |text| read_resource(text, syntax))?;
        let principal = members.remove("Principal");
        let principal = principal.map(|value| Principal::read(value, &format!("{at}.Principal"))).transpose()?;
        check_kind(at, dialect, resources.is_some(), principal.is_some())?;
        let conditions = match members.remove("Condition") {
            Some(block) => conditions::read(block, &format!("{at}.Condition"), dialect.has_variables)?,
            None => Vec::new(),
        };
        if let Some((name, _)) = members.first_key_value() {
            return Err(MalformedPolicy::new(format!("{at}.{name}"), "is not an element of a statement"));
        }
        Ok(Self { sid: sid.map(Arc::from), effect, actions, resources, principal, conditions })
    }

    /// Whether this statement, of a policy for a principal, speaks of the question.
    pub(crate) fn check(&self, question: &Question<'_>) -> Result<(), Mismatch<'_>> {
        if !self.names_action(question.action) {
            return Err(Mismatch::Action);
        }
        self.check_resource(question)?;
        self.check_conditions(question.context)
    }

    /// Whether this statement, of a trust policy, speaks of the service doing `action`.
    pub(crate) fn speaks_of_service(&self, service: &str, action: &str, context: &dyn Context) -> bool {
        self.principal.as_ref().is_some_and(|principal| principal.has_service(service))
            && self.names_action(action)
            && self.check_conditions(context).is_ok()
    }

    fn names_action(&self, action: &str) -> bool {
        self.actions.patterns.iter().any(|pattern| pattern.matches(action, &[])) != self.actions.is_negated
    }

    fn check_resource(&self, question: &Question<'_>) -> Result<(), Mismatch<'_>> {
        let Some(resources) = &self.resources else {
            return Ok(());
        };
        let widens = self.effect == Effect::Allow && !resources.is_negated && is_topic_filter(question.resource);
        let substitution = if widens { Substitution::NoMqttWildcards } else { Substitution::Any };
        let mut mismatch = Mismatch::Resource;
        for pattern in &resources.patterns {
            // A negated list must know its variables: what they stand for is what it leaves out.
            if !resources.is_negated && !pattern.could_match(question.resource) {
                continue;
            }
            match pattern.matches(question.resource, question.context, substitution) {
                Ok(true) if resources.is_negated => return Err(Mismatch::Resource),
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Unresolved(key)) if resources.is_negated => return Err(Mismatch::Variable(key)),
                Err(Unresolved(key)) => mismatch = Mismatch::Variable(key),
            }
        }
        if resources.is_negated { Ok(()) } else { Err(mismatch) }
    }

    fn check_conditions(&self, context: &dyn Context) -> Result<(), Mismatch<'_>> {
        self.conditions.iter().try_for_each(|condition| match condition.holds(context) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Mismatch::Condition(condition)),
            Err(Unresolved(key)) => Err(Mismatch::Variable(key)),
        })
    }
}

impl<T> Listed<T> {
    /// Takes `name` or `Not` + `name` out of the statement; having both is malformed.
    fn read(
        members: &mut BTreeMap<String, Json>,
        at: &str,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Self>, MalformedPolicy> {
        let negated_name = format!("Not{name}");
        let (is_negated, name, value) = match (members.remove(name), members.remove(&negated_name)) {
            (None, None) => return Ok(None),
            (Some(value), None) => (false, name, value),
            (None, Some(value)) => (true, negated_name.as_str(), value),
            (Some(_), Some(_)) => return Err(MalformedPolicy::new(at, format!("has both {name} and {negated_name}"))),
        };
        let at = format!("{at}.{name}");
        let texts = value.into_texts(&at)?;
        if texts.is_empty() {
            return Err(MalformedPolicy::new(at, "is empty"));
        }
        let parse = |text: &String| parse(text).map_err(|problem| MalformedPolicy::new(&at, problem));
        Ok(Some(Self { is_negated, patterns: texts.iter().map(parse).collect::<Result<_, _>>()? }))
    }
}

fn read_effect(value: Option<Json>, at: &str) -> Result<Effect, MalformedPolicy> {
    let value = value.ok_or_else(|| MalformedPolicy::new(at, "has no Effect"))?;
    let at = format!("{at}.Effect");
    match value.into_text(&at)?.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(MalformedPolicy::new(at, format!("{other:?} is neither Allow nor Deny"))),
    }
}

/// `*`, or `service:name` with wildcards in the name (IAM reference, action element).
fn read_action(text: &str) -> Result<Glob, String> {
    let is_action = text.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty()
            && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?' | b'_' | b'-'))
    });
    if text == "*" || is_action {
        return Ok(Glob::parse(text, Case::Ignored));
    }
    Err(format!("{text:?} is not an action such as iot:Publish, iot:* or *"))
}

/// `*` or an ARN (IAM reference, resource element).
fn read_resource(text: &str, syntax: Syntax) -> Result<ArnPattern, String> {
    if text != "*" && !text.starts_with("arn:") {
        return Err(format!("{text:?} is neither \"*\" nor an ARN"));
    }
    ArnPattern::parse(text, syntax).map_err(|problem| format!("{text:?} {problem}"))
}

fn check_kind(at: &str, dialect: Dialect, has_resource: bool, has_principal: bool) -> Result<(), MalformedPolicy> {
    let problem = match (dialect.is_trust, has_resource, has_principal) {
        (true, true, _) => "has a Resource, which a trust policy must not have",
        (true, false, false) => "has no Principal",
        (false, _, true) => "has a Principal, which only a trust policy may have",
        (false, false, _) => "has neither Resource nor NotResource",
        (true, false, true) | (false, true, false) => return Ok(()),
    };
    Err(MalformedPolicy::new(at, problem))
}

fn is_topic_filter(resource: &str) -> bool {
    resource.splitn(6, ':').nth(5).is_some_and(|name| name.starts_with("topicfilter/"))
}
