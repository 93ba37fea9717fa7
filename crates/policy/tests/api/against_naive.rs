//! `allows` and `decide` against an evaluator that walks the statements with recursion and string comparison.

use std::sync::Arc;

use proptest::prelude::*;

use policy::{Decision, Document, MapContext, PolicySet, Question};

/// A statement as the generator makes it: small alphabets, so that matches are frequent.
#[derive(Debug, Clone)]
struct Plain {
    allows: bool,
    action_is_negated: bool,
    actions: Vec<String>,
    resource_is_negated: bool,
    resources: Vec<String>,
    conditions: Vec<(&'static str, &'static str, Vec<String>)>,
}

/// The values of `k:a` and `k:b`.
type Known = [Option<String>; 2];

#[derive(Clone, PartialEq)]
enum Symbol {
    Char(char),
    Any,
    Run,
}

fn value<'a>(key: &str, known: &'a Known) -> Option<&'a str> {
    let index = ["k:a", "k:b"].iter().position(|name| *name == key)?;
    known[index].as_deref()
}

/// None when a variable has no value.
fn symbols(pattern: &str, known: &Known, wildcards: bool) -> Option<Vec<Symbol>> {
    let Some(first) = pattern.chars().next() else {
        return Some(Vec::new());
    };
    let (mut front, rest) = if let Some(rest) = pattern.strip_prefix("${") {
        let (key, rest) = rest.split_once('}').unwrap();
        let text = if ["*", "?", "$"].contains(&key) { key } else { value(key, known)? };
        (text.chars().map(Symbol::Char).collect(), rest)
    } else {
        let symbol = match first {
            '*' if wildcards => Symbol::Run,
            '?' if wildcards => Symbol::Any,
            c => Symbol::Char(c),
        };
        (vec![symbol], &pattern[first.len_utf8()..])
    };
    front.extend(symbols(rest, known, wildcards)?);
    Some(front)
}

fn matches(symbols: &[Symbol], text: &[char]) -> bool {
    match (symbols.split_first(), text.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Symbol::Run, rest)), None) => matches(rest, text),
        (Some((Symbol::Run, rest)), Some((_, tail))) => matches(rest, text) || matches(symbols, tail),
        (Some(_), None) => false,
        (Some((Symbol::Any, rest)), Some((_, tail))) => matches(rest, tail),
        (Some((Symbol::Char(c), rest)), Some((t, tail))) => c == t && matches(rest, tail),
    }
}

fn fits(pattern: &str, text: &str, known: &Known, wildcards: bool) -> Option<bool> {
    Some(matches(&symbols(pattern, known, wildcards)?, &text.chars().collect::<Vec<_>>()))
}

fn condition_holds(operator: &str, key: &str, values: &[String], known: &Known) -> bool {
    let actual = value(key, known);
    if operator == "Null" {
        return values.contains(&actual.is_none().to_string());
    }
    if operator.ends_with("IfExists") && actual.is_none() {
        return true;
    }
    let wildcards = operator.contains("Like");
    let answers: Vec<Option<bool>> =
        values.iter().map(|wanted| fits(wanted, actual.unwrap_or("\0"), known, wildcards)).collect();
    if operator.contains("Not") {
        return answers.iter().all(|answer| answer.is_some())
            && (actual.is_none() || answers.iter().all(|answer| *answer == Some(false)));
    }
    actual.is_some() && answers.contains(&Some(true))
}

fn speaks(statement: &Plain, action: &str, resource: &str, known: &Known) -> bool {
    let names = |pattern: &String| fits(&pattern.to_lowercase(), &action.to_lowercase(), &[None, None], true).unwrap();
    let action_fits = statement.actions.iter().any(names) != statement.action_is_negated;
    let answers: Vec<Option<bool>> = statement.resources.iter().map(|r| fits(r, resource, known, true)).collect();
    let resource_fits = if statement.resource_is_negated {
        answers.iter().all(|answer| *answer == Some(false))
    } else {
        answers.contains(&Some(true))
    };
    let holds = |(operator, key, values): &(&str, &str, Vec<String>)| condition_holds(operator, key, values, known);
    action_fits && resource_fits && statement.conditions.iter().all(holds)
}

fn json(statement: &Plain) -> serde_json::Value {
    let mut condition = serde_json::Map::new();
    for (operator, key, values) in &statement.conditions {
        let keys = condition.entry(operator.to_string()).or_insert_with(|| serde_json::json!({}));
        keys[*key] = serde_json::json!(values);
    }
    let mut members = serde_json::Map::new();
    members.insert("Effect".to_owned(), if statement.allows { "Allow" } else { "Deny" }.into());
    let name = |negated: bool, name: &str| if negated { format!("Not{name}") } else { name.to_owned() };
    members.insert(name(statement.action_is_negated, "Action"), serde_json::json!(statement.actions));
    members.insert(name(statement.resource_is_negated, "Resource"), serde_json::json!(statement.resources));
    members.insert("Condition".to_owned(), condition.into());
    members.into()
}

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[ab/]", 1 => Just("*".to_owned()), 1 => Just("?".to_owned()),
        1 => Just("${k:a}".to_owned()), 1 => Just("${k:b}".to_owned()), 1 => Just("${*}".to_owned())
    ];
    prop::collection::vec(atom, 0..5).prop_map(|atoms| atoms.concat())
}

fn condition() -> impl Strategy<Value = (&'static str, &'static str, Vec<String>)> {
    let text = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
    ]);
    let key = || prop::sample::select(vec!["k:a", "k:b"]);
    let null = (key(), any::<bool>()).prop_map(|(key, absent)| ("Null", key, vec![absent.to_string()]));
    prop_oneof![5 => (text, key(), prop::collection::vec(pattern(), 0..3)), 1 => null]
}

fn statement() -> impl Strategy<Value = Plain> {
    let action = prop::sample::select(vec!["s:A", "s:B", "S:a", "s:*", "s:?", "*"]).prop_map(str::to_owned);
    let resource = prop_oneof![1 => Just("*".to_owned()), 5 => pattern().prop_map(|rest| format!("arn:{rest}"))];
    let (actions, resources) = (prop::collection::vec(action, 1..3), prop::collection::vec(resource, 1..3));
    let conditions = prop::collection::vec(condition(), 0..3);
    (prop::bool::weighted(0.7), prop::bool::weighted(0.1), actions, prop::bool::weighted(0.2), resources, conditions)
        .prop_map(|(allows, action_is_negated, actions, resource_is_negated, resources, mut conditions)| {
            conditions.sort();
            conditions.dedup_by_key(|(operator, key, _)| (*operator, *key));
            Plain { allows, action_is_negated, actions, resource_is_negated, resources, conditions }
        })
}

fn known() -> impl Strategy<Value = Known> {
    let value = || prop::option::weighted(0.7, "[ab*?]{0,2}");
    (value(), value()).prop_map(|(a, b)| [a, b])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_naive_evaluator_agrees(
        statements in prop::collection::vec(statement(), 0..5),
        action in prop::sample::select(vec!["s:A", "s:b"]),
        rest in "[ab/*]{0,4}",
        known in known(),
    ) {
        let resource = format!("arn:{rest}");
        let speaking: Vec<&Plain> = statements.iter().filter(|s| speaks(s, action, &resource, &known)).collect();
        let expected = speaking.iter().all(|s| s.allows) && !speaking.is_empty();

        let document = |statement: &Plain| {
            let text = serde_json::json!({"Version": "2012-10-17", "Statement": json(statement)}).to_string();
            Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let policies = PolicySet::new(statements.iter().map(|s| (Arc::from("p"), Arc::new(document(s)))));
        let mut context = MapContext::new();
        for (key, value) in ["k:a", "k:b"].into_iter().zip(&known) {
            if let Some(value) = value {
                context = context.with(key, value.as_str());
            }
        }
        let question = Question { action, resource: &resource, context: &context };
        let decision = policies.decide(&question);
        prop_assert_eq!(policies.allows(&question), expected);
        prop_assert_eq!(decision.is_allowed(), expected);
        let denies = speaking.iter().any(|s| !s.allows);
        prop_assert_eq!(matches!(decision, Decision::ExplicitDeny(_)), denies);
        prop_assert_eq!(policies.matches(&question).len(), speaking.len());
    }

    #[test]
    fn any_text_is_a_document_or_an_error(text in "[{}\\[\\]\":,a-z0-9${* ]{0,60}") {
        let _ = Document::parse(&text);
        let _ = Document::parse_trust(&text);
    }
}
