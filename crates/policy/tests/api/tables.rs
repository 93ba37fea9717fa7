//! Policies of the AWS IoT Core developer guide and what they allow; SPACE stands for the ARN prefix.

use std::sync::Arc;

use policy::{Context, Document, Effect, MapContext, PolicySet, Question, Values};

const SPACE: &str = "arn:aws:iot:us-east-1:123456789012:";

fn set(policies: &[(&str, &str)]) -> PolicySet {
    let compile = |(name, statements): &(&str, &str)| {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.replace("SPACE", SPACE));
        (Arc::from(*name), Arc::new(Document::parse(&text).unwrap()))
    };
    PolicySet::new(policies.iter().map(compile))
}

fn device() -> MapContext {
    MapContext::new()
        .with("iot:ClientId", "lamp-1")
        .with("iot:Connection.Thing.ThingName", "lamp-1")
        .with("iot:Connection.Thing.IsAttached", "true")
        .with("iot:Connection.Thing.Attributes[room]", "hall")
        .with("aws:SourceIp", "10.1.2.3")
}

fn check_in(context: &dyn Context, statements: &str, action: &str, resource: &str, expected: &str) {
    let policies = set(&[("P", statements)]);
    let resource = resource.replace("SPACE", SPACE);
    let question = Question { action, resource: &resource, context };
    let decision = policies.decide(&question);
    assert_eq!(decision.to_string(), expected, "{statements} {action} {resource}");
    assert_eq!(decision.is_allowed(), policies.allows(&question));
}

fn check(statements: &str, action: &str, resource: &str, expected: &str) {
    check_in(&device(), statements, action, resource, expected);
}

const ALLOWED: &str = r#"allowed by Statement[0] of policy "P""#;
const NO_ACTION: &str = "no statement allows the action";
const NO_RESOURCE: &str =
    r#"no statement allows it; the nearest is Statement[0] of policy "P", but it doesn't name the resource"#;

#[test]
fn actions_match_in_any_case_and_resources_exactly() {
    let publish = r#"{"Effect": "Allow", "Action": "iot:Publish", "Resource": "SPACEtopic/a"}"#;
    check(publish, "iot:Publish", "SPACEtopic/a", ALLOWED);
    check(publish, "IOT:publish", "SPACEtopic/a", ALLOWED);
    check(publish, "iot:Publish", "SPACEtopic/A", NO_RESOURCE);
    check(publish, "iot:Publish", "SPACEtopic/a/b", NO_RESOURCE);
    check(publish, "iot:Receive", "SPACEtopic/a", NO_ACTION);
    let any = r#"{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}"#;
    check(any, "iot:Subscribe", "SPACEtopicfilter/#", ALLOWED);
    check(any, "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/t", NO_ACTION);
    let but_connect = r#"{"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": "SPACEtopic/secret/*"}"#;
    check(but_connect, "iot:Connect", "SPACEclient/a", NO_ACTION);
    check(but_connect, "iot:Publish", "SPACEtopic/open", ALLOWED);
    check(but_connect, "iot:Publish", "SPACEtopic/secret/a", NO_RESOURCE);
}

#[test]
fn filters_are_matched_as_text() {
    // Developer guide, pub-sub-policy: MQTT's wildcards are plain characters, a policy's `*` crosses levels.
    let plus = r#"{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "SPACEtopicfilter/some/+/topic"}"#;
    check(plus, "iot:Subscribe", "SPACEtopicfilter/some/+/topic", ALLOWED);
    check(plus, "iot:Subscribe", "SPACEtopicfilter/some/a/topic", NO_RESOURCE);
    let star = r#"{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "SPACEtopicfilter/some/*/topic"}"#;
    check(star, "iot:Subscribe", "SPACEtopicfilter/some/+/topic", ALLOWED);
    check(star, "iot:Subscribe", "SPACEtopicfilter/some/a/b/topic", ALLOWED);
    check(star, "iot:Subscribe", "SPACEtopicfilter/some/#", NO_RESOURCE);
    let restricted = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "SPACEtopicfilter/a/restricted/*"}"#;
    check(restricted, "iot:Subscribe", "SPACEtopicfilter/a/#", ALLOWED);
    let denied = r#"denied by Statement[1] of policy "P""#;
    check(restricted, "iot:Subscribe", "SPACEtopicfilter/a/restricted/x", denied);
}

#[test]
fn variables_are_the_connections() {
    let own = r#"{"Effect": "Allow", "Action": "iot:*", "Resource": [
        "SPACEtopic/things/${iot:Connection.Thing.ThingName}/*", "SPACEclient/${iot:ClientId}",
        "SPACEtopicfilter/rooms/${iot:Connection.Thing.Attributes[room]}/*"]}"#;
    check(own, "iot:Publish", "SPACEtopic/things/lamp-1/state", ALLOWED);
    check(own, "iot:Publish", "SPACEtopic/things/lamp-2/state", NO_RESOURCE);
    check(own, "iot:Connect", "SPACEclient/lamp-1", ALLOWED);
    check(own, "iot:Subscribe", "SPACEtopicfilter/rooms/hall/#", ALLOWED);
    check_in(
        &(),
        own,
        "iot:Connect",
        "SPACEclient/lamp-1",
        r#"no statement allows it; the nearest is Statement[0] of policy "P", but ${iot:ClientId} has no value that can stand there"#,
    );
}

#[test]
fn a_client_id_is_never_a_wildcard() {
    let own = r#"{"Effect": "Allow", "Action": "*", "Resource": [
        "SPACEtopic/${iot:ClientId}/x", "SPACEtopicfilter/${iot:ClientId}/x"]}"#;
    let check = |id: &str, resource: &str, expected: bool| {
        let context = MapContext::new().with("iot:ClientId", id);
        let resource = resource.replace("SPACE", SPACE);
        let question = Question { action: "iot:Subscribe", resource: &resource, context: &context };
        assert_eq!(set(&[("P", own)]).allows(&question), expected, "{id} {resource}");
    };
    check("*", "SPACEtopic/a/x", false);
    check("*", "SPACEtopic/*/x", true);
    check("?", "SPACEtopic/a/x", false);
    check("a", "SPACEtopicfilter/a/x", true);
    check("+", "SPACEtopicfilter/+/x", false);
    check("#", "SPACEtopicfilter/#/x", false);
}

#[test]
fn a_deny_with_an_unresolved_variable_denies_nothing() {
    let both = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "SPACEtopic/${iot:Connection.Thing.ThingTypeName}"},
        {"Effect": "Deny", "Action": "*", "NotResource": "SPACEtopic/${iot:Connection.Thing.ThingTypeName}"}"#;
    check(both, "iot:Publish", "SPACEtopic/a", ALLOWED);
}

#[test]
fn the_old_version_has_no_variables() {
    let old = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:x:${iot:ClientId}"}}"#;
    let policies = PolicySet::new([(Arc::from("old"), Arc::new(Document::parse(old).unwrap()))]);
    let context = device();
    let ask = |resource| policies.allows(&Question { action: "iot:Connect", resource, context: &context });
    assert!(ask("arn:x:${iot:ClientId}"));
    assert!(!ask("arn:x:lamp-1"));
}

#[test]
fn conditions_are_explained() {
    let attached = r#"{"Sid": "OnlyThings", "Effect": "Allow", "Action": "iot:Connect", "Resource": "*",
        "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}}"#;
    check(attached, "iot:Connect", "SPACEclient/a", r#"allowed by Statement[0] ("OnlyThings") of policy "P""#);
    check_in(
        &(),
        attached,
        "iot:Connect",
        "SPACEclient/a",
        r#"no statement allows it; the nearest is Statement[0] ("OnlyThings") of policy "P", but its condition Bool on iot:Connection.Thing.IsAttached doesn't hold"#,
    );
}

#[test]
fn connect_attributes_are_a_set() {
    // Developer guide, connect-policy.
    let check = |wanted: &str, asked: &[&str], expected: bool| {
        let statement = format!(
            r#"{{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*",
            "Condition": {{"ForAllValues:StringEquals": {{"iot:ConnectAttributes": [{wanted}]}}}}}}"#
        );
        let context = MapContext::new().with_many("iot:ConnectAttributes", asked.iter().copied());
        let question = Question { action: "iot:Connect", resource: "arn:aws:iot:r:1:client/a", context: &context };
        assert_eq!(set(&[("P", &statement)]).allows(&question), expected, "{wanted} {asked:?}");
    };
    check(r#""PersistentConnect""#, &["PersistentConnect"], true);
    check(r#""PersistentConnect""#, &[], true);
    check(r#""PersistentConnect""#, &["PersistentConnect", "LastWill"], false);
    check(r#""PersistentConnect", "LastWill""#, &["PersistentConnect", "LastWill"], true);
    check("", &["LastWill"], false);
    check("", &[], true);
}

#[test]
fn policies_are_joined_and_deny_wins() {
    let allow = r#"{"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}"#;
    let deny = r#"{"Sid": "Stop", "Effect": "Deny", "Action": "iot:Publish", "Resource": "SPACEtopic/a"}"#;
    let context = device();
    let resource = format!("{SPACE}topic/a");
    let question = Question { action: "iot:Publish", resource: &resource, context: &context };
    for policies in [[("A", allow), ("B", deny)], [("B", deny), ("A", allow)]] {
        let policies = set(&policies);
        assert_eq!(policies.decide(&question).to_string(), r#"denied by Statement[0] ("Stop") of policy "B""#);
        let matches = policies.matches(&question).into_iter().map(|(effect, by)| (effect, by.policy.to_string()));
        let expected = [(Effect::Deny, "B".to_owned()), (Effect::Allow, "A".to_owned())];
        assert_eq!(matches.collect::<Vec<_>>(), expected);
    }
    let nobody = PolicySet::default();
    assert!(nobody.is_empty());
    assert_eq!(nobody.decide(&question).to_string(), NO_ACTION);
    assert!(!set(&[("A", allow)]).is_empty());
}

#[test]
fn contexts_may_compare_keys_exactly() {
    struct Exact;
    impl Context for Exact {
        fn values(&self, key: &str) -> Option<Values<'_>> {
            (key == "iot:ClientId").then(|| Values::one("lamp-1"))
        }
    }
    let shouting = r#"{"Effect": "Allow", "Action": "*", "Resource": "SPACEclient/${IOT:CLIENTID}",
        "Condition": {"StringLike": {"Iot:clientId": "lamp-*"}}}"#;
    check_in(&Exact, shouting, "iot:Connect", "SPACEclient/lamp-1", ALLOWED);
}
