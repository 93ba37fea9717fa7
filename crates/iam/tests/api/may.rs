//! What a rule may do in a role: trust, permission, and changes that count at once.

use iam::{NewRole, RoleRefusal, RoleRequest};
use store::{Batch, MemoryStore, Store};

use crate::{NOW, TRUSTS_IOT, allow, document, iam, name, new_role, over};

const ROLE: &str = "arn:aws:iam::123456789012:role/writer";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/states";
const RULE: &str = "arn:aws:iot:us-east-1:123456789012:rule/states";

fn put_item() -> RoleRequest<'static> {
    RoleRequest { service: "iot.amazonaws.com", action: "dynamodb:PutItem", resource: TABLE, source_arn: Some(RULE) }
}

#[test]
fn trust_and_permission_are_both_needed() {
    let iam = iam();
    assert!(matches!(iam.may(ROLE, &put_item()), Err(RoleRefusal::NoSuchRole(_))));
    iam.create_role(new_role("writer"), NOW).unwrap();
    let refusal = iam.may(ROLE, &put_item()).unwrap_err().to_string();
    assert_eq!(refusal, format!("{ROLE} may not do dynamodb:PutItem on {TABLE}: no statement allows the action"));
    iam.put_role_policy(&name("writer"), "write", &allow("dynamodb:PutItem", TABLE), NOW).unwrap();
    iam.may(ROLE, &put_item()).unwrap();
    let elsewhere = RoleRequest { resource: "arn:aws:dynamodb:us-east-1:123456789012:table/other", ..put_item() };
    let refusal = iam.may(ROLE, &elsewhere).unwrap_err().to_string();
    assert!(
        refusal.ends_with(
            r#"no statement allows it; the nearest is Statement[0] of policy "write", but it doesn't name the resource"#
        ),
        "{refusal}"
    );
    let lambda = RoleRequest { service: "lambda.amazonaws.com", ..put_item() };
    let refusal = iam.may(ROLE, &lambda).unwrap_err();
    assert!(matches!(refusal, RoleRefusal::NotTrusted { .. }), "{refusal}");
    assert_eq!(
        refusal.to_string(),
        format!("the trust policy of {ROLE} doesn't let lambda.amazonaws.com take on the role")
    );
}

#[test]
fn changes_count_from_the_next_call_on() {
    let store = MemoryStore::new();
    // The second service stands for another process over the same store.
    let (iam, other) = (over(&store), over(&store));
    let role = name("writer");
    iam.create_role(new_role("writer"), NOW).unwrap();
    let may = || iam.may(ROLE, &put_item()).is_ok();
    assert!(!may());
    other.put_role_policy(&role, "write", &allow("dynamodb:*", "*"), NOW).unwrap();
    assert!(may());
    let deny = document(r#"{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}"#);
    other.put_role_policy(&role, "deny", &deny, NOW).unwrap();
    assert!(!may());
    other.delete_role_policy(&role, "deny").unwrap();
    assert!(may());
    other.update_trust_policy(&role, &TRUSTS_IOT.replace("iot.", "lambda.")).unwrap();
    assert!(!may());
    other.update_trust_policy(&role, TRUSTS_IOT).unwrap();
    assert!(may());
    other.delete_role_policy(&role, "write").unwrap();
    other.delete_role(&role).unwrap();
    assert!(matches!(iam.may(ROLE, &put_item()), Err(RoleRefusal::NoSuchRole(_))));
    other.create_role(new_role("writer"), NOW).unwrap();
    assert!(matches!(iam.may(ROLE, &put_item()), Err(RoleRefusal::Denied { .. })));
}

#[test]
fn the_source_may_be_demanded() {
    let iam = iam();
    let demanding = document(
        r#"{"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": "arn:aws:iot:us-east-1:123456789012:rule/s*"}}}"#,
    );
    iam.create_role(NewRole { trust_policy: demanding, ..new_role("writer") }, NOW).unwrap();
    iam.put_role_policy(&name("writer"), "write", &allow("*", "*"), NOW).unwrap();
    iam.may(ROLE, &put_item()).unwrap();
    let other_rule = Some("arn:aws:iot:us-east-1:123456789012:rule/t");
    for source_arn in [None, other_rule] {
        let answer = iam.may(ROLE, &RoleRequest { source_arn, ..put_item() });
        assert!(matches!(answer, Err(RoleRefusal::NotTrusted { .. })), "{answer:?}");
    }
}

#[test]
fn the_whole_arn_counts() {
    let iam = iam();
    iam.create_role(NewRole { path: "/rules/".to_owned(), ..new_role("writer") }, NOW).unwrap();
    iam.put_role_policy(&name("writer"), "write", &allow("*", "*"), NOW).unwrap();
    iam.may("arn:aws:iam::123456789012:role/rules/writer", &put_item()).unwrap();
    for bad in [
        "",
        "writer",
        ROLE,
        "arn:aws:iam::123456789012:role/other/writer",
        "arn:aws:iam::123456789012:role/rules/",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::210987654321:role/rules/writer",
        "arn:aws:iam::123456789012:user/rules/writer",
    ] {
        assert!(matches!(iam.may(bad, &put_item()), Err(RoleRefusal::NoSuchRole(_))), "{bad}");
    }
}

#[test]
fn a_damaged_record_is_an_error_and_no_permission() {
    let store = MemoryStore::new();
    let iam = over(&store);
    iam.create_role(new_role("writer"), NOW).unwrap();
    iam.put_role_policy(&name("writer"), "write", &allow("*", "*"), NOW).unwrap();
    store.commit(Batch::new().put("iam/role/writer", "{}")).wait().unwrap();
    assert!(matches!(iam.may(ROLE, &put_item()), Err(RoleRefusal::Store(_))));
}
