//! All policies of a principal as one, and the answer to a question: an explicit Deny wins, otherwise any Allow
//! allows, otherwise it is denied (AWS IoT Core developer guide, iot-policies).

use std::sync::Arc;

use crate::document::Document;
use crate::explain::{By, Decision, Miss, NearMiss};
use crate::question::Question;
use crate::statement::{Effect, Mismatch, Statement};

/// The compiled policies of one principal.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    denies: Vec<Rule>,
    allows: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    policy: Arc<str>,
    index: usize,
    statement: Arc<Statement>,
}

impl PolicySet {
    /// Joins the documents, each with its policy's name.
    pub fn new(policies: impl IntoIterator<Item = (Arc<str>, Arc<Document>)>) -> Self {
        let mut set = Self::default();
        for (policy, document) in policies {
            for (index, statement) in document.statements.iter().enumerate() {
                let rule = Rule { policy: Arc::clone(&policy), index, statement: Arc::clone(statement) };
                match statement.effect {
                    Effect::Deny => set.denies.push(rule),
                    Effect::Allow => set.allows.push(rule),
                }
            }
        }
        set
    }

    /// Whether there is no statement at all, so that nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.denies.is_empty() && self.allows.is_empty()
    }

    /// The answer alone: the same as [`PolicySet::decide`] gives, without the work of explaining it.
    pub fn allows(&self, question: &Question<'_>) -> bool {
        let speaks = |rule: &Rule| rule.statement.check(question).is_ok();
        !self.denies.iter().any(speaks) && self.allows.iter().any(speaks)
    }

    /// The answer and its reason.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        if let Some(deny) = self.denies.iter().find(|rule| rule.statement.check(question).is_ok()) {
            return Decision::ExplicitDeny(deny.by());
        }
        let mut nearest: Option<NearMiss> = None;
        for rule in &self.allows {
            let miss = match rule.statement.check(question) {
                Ok(()) => return Decision::Allowed(rule.by()),
                Err(Mismatch::Action) => continue,
                Err(mismatch) => Miss::from(mismatch),
            };
            if nearest.as_ref().is_none_or(|nearest| nearest.miss.rank() < miss.rank()) {
                nearest = Some(NearMiss { by: rule.by(), miss });
            }
        }
        Decision::ImplicitDeny { nearest }
    }

    /// Every statement that speaks of the question: those that deny first, then those that allow.
    pub fn matches(&self, question: &Question<'_>) -> Vec<(Effect, By)> {
        let rules = self.denies.iter().chain(&self.allows);
        let speaking = rules.filter(|rule| rule.statement.check(question).is_ok());
        speaking.map(|rule| (rule.statement.effect, rule.by())).collect()
    }
}

impl Rule {
    fn by(&self) -> By {
        By { policy: Arc::clone(&self.policy), statement: self.index, sid: self.statement.sid.clone() }
    }
}

impl From<Mismatch<'_>> for Miss {
    fn from(mismatch: Mismatch<'_>) -> Self {
        match mismatch {
            Mismatch::Action | Mismatch::Resource => Self::Resource,
            Mismatch::Variable(key) => Self::Variable { key: key.to_owned() },
            Mismatch::Condition(condition) => {
                Self::Condition { operator: condition.operator.to_string(), key: condition.key.to_string() }
            }
        }
    }
}
