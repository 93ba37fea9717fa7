//! Roles and their policies through their whole life, with IAM's error texts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use iam::{IamError, NewRole};
use store::{Batch, Direction, Done, Entry, MemoryStore, Store, StoreError, Versioned, Watch};

use crate::{NOW, TRUSTS_IOT, allow, iam, name, new_role, over};

fn refusal<T: std::fmt::Debug>(answer: Result<T, IamError>) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn a_role_is_made_listed_and_deleted() {
    let iam = iam();
    let new = NewRole { path: "/rules/".to_owned(), description: Some("d".to_owned()), ..new_role("writer") };
    let role = iam.create_role(new, NOW).unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/rules/writer");
    assert_eq!((role.trust_policy.as_str(), role.created_at, role.max_session_seconds), (TRUSTS_IOT, NOW, 3600));
    assert_eq!(iam.role(&name("writer")).unwrap(), role);
    assert_eq!(refusal(iam.create_role(new_role("writer"), NOW)), "Role with name writer already exists.");
    iam.delete_role(&name("writer")).unwrap();
    assert_eq!(refusal(iam.role(&name("writer"))), "The role with name writer cannot be found.");
    assert_eq!(refusal(iam.delete_role(&name("writer"))), "The role with name writer cannot be found.");
}

#[test]
fn roles_are_listed_in_pages() {
    let iam = iam();
    for role in ["c", "a", "ab", "b"] {
        iam.create_role(new_role(role), NOW).unwrap();
        iam.put_role_policy(&name(role), "p", &allow("iot:*", "*"), NOW).unwrap();
    }
    let check = |after: Option<&str>, limit: usize, expected: &[&str]| {
        let names: Vec<String> = iam.roles(after, limit).unwrap().iter().map(|role| role.name.to_string()).collect();
        assert_eq!(names, expected, "{after:?} {limit}");
    };
    check(None, 10, &["a", "ab", "b", "c"]);
    check(None, 2, &["a", "ab"]);
    check(Some("a"), 2, &["ab", "b"]);
    check(Some("aa"), 10, &["ab", "b", "c"]);
    check(Some("c"), 10, &[]);
}

#[test]
fn policies_are_put_read_and_deleted() {
    let iam = iam();
    let (role, document) = (name("writer"), allow("dynamodb:PutItem", "*"));
    let no_role = "The role with name writer cannot be found.";
    assert_eq!(refusal(iam.put_role_policy(&role, "p", &document, NOW)), no_role);
    assert_eq!(refusal(iam.role_policies(&role)), no_role);
    iam.create_role(new_role("writer"), NOW).unwrap();
    iam.create_role(new_role("writer.2"), NOW).unwrap();
    iam.put_role_policy(&name("writer.2"), "other", &document, NOW).unwrap();
    iam.put_role_policy(&role, "q", &document, NOW).unwrap();
    iam.put_role_policy(&role, "p", &document, NOW).unwrap();
    let replaced = allow("iot:Publish", "*");
    iam.put_role_policy(&role, "p", &replaced, NOW).unwrap();
    assert_eq!(iam.role_policies(&role).unwrap(), ["p", "q"]);
    assert_eq!(iam.role_policy(&role, "p").unwrap(), replaced);
    assert_eq!(refusal(iam.role_policy(&role, "x")), "The role policy with name x cannot be found.");
    assert_eq!(refusal(iam.delete_role(&role)), "Cannot delete entity, must delete policies first.");
    assert!(matches!(iam.delete_role(&role), Err(IamError::DeleteConflict)));
    for policy in ["p", "q"] {
        iam.delete_role_policy(&role, policy).unwrap();
    }
    assert_eq!(refusal(iam.delete_role_policy(&role, "p")), "The role policy with name p cannot be found.");
    iam.delete_role(&role).unwrap();
    assert_eq!(iam.role_policies(&name("writer.2")).unwrap(), ["other"]);
}

#[test]
fn malformed_input_is_refused() {
    let iam = iam();
    iam.create_role(new_role("there"), NOW).unwrap();
    let invalid = |new: NewRole| {
        let answer = iam.create_role(new, NOW);
        assert!(matches!(answer, Err(IamError::InvalidInput(_))), "{answer:?}");
    };
    for path in ["", "a", "/a", "a/", "//", "/\u{e4}/", "/a b/", &format!("/{}/", "a".repeat(511))] {
        invalid(NewRole { path: path.to_owned(), ..new_role("r") });
    }
    invalid(NewRole { description: Some("d".repeat(1001)), ..new_role("r") });
    invalid(NewRole { max_session_seconds: 3599, ..new_role("r") });
    invalid(NewRole { max_session_seconds: 43_201, ..new_role("r") });
    invalid(NewRole { role_id: String::new(), ..new_role("r") });
    for bad in ["", "a/b", "a b", &"p".repeat(129)] {
        let answer = iam.put_role_policy(&name("there"), bad, &allow("*", "*"), NOW);
        assert!(matches!(answer, Err(IamError::InvalidInput(_))), "{bad}");
    }
    let malformed = |answer: Result<(), IamError>, expected: &str| {
        assert!(matches!(answer, Err(IamError::MalformedPolicyDocument(_))), "{answer:?}");
        assert_eq!(refusal(answer), expected);
    };
    malformed(
        iam.put_role_policy(&name("there"), "p", TRUSTS_IOT, NOW),
        "Statement[0]: has a Principal, which only a trust policy may have",
    );
    let trust = NewRole { trust_policy: "{}".to_owned(), ..new_role("r") };
    malformed(iam.create_role(trust, NOW).map(drop), "the document: has no Statement");
    malformed(
        iam.update_trust_policy(&name("there"), &allow("*", "*")),
        "Statement[0]: has a Resource, which a trust policy must not have",
    );
}

#[test]
fn quotas_are_kept() {
    let iam = iam();
    let role = name("r");
    iam.create_role(new_role("r"), NOW).unwrap();
    // IAM quotas: 10,240 characters of inline policies in a role, not counting white space.
    let of_size = |characters: usize| {
        let empty = allow("iot:Publish", "arn:");
        let spare = characters - policy::characters_without_white_space(&empty);
        allow("iot:Publish", &format!("arn:{}", "x".repeat(spare)))
    };
    iam.put_role_policy(&role, "a", &of_size(5_000), NOW).unwrap();
    iam.put_role_policy(&role, "b", &of_size(5_240), NOW).unwrap();
    iam.put_role_policy(&role, "b", &(" ".repeat(100) + &of_size(5_240)), NOW).unwrap();
    let full = "Maximum policy size of 10240 bytes exceeded for role r";
    assert_eq!(refusal(iam.put_role_policy(&role, "b", &of_size(5_241), NOW)), full);
    assert_eq!(refusal(iam.put_role_policy(&role, "c", &of_size(100), NOW)), full);
    let long = TRUSTS_IOT.replace("iot.amazonaws.com", &"i".repeat(2048));
    assert_eq!(
        refusal(iam.create_role(NewRole { trust_policy: long, ..new_role("s") }, NOW)),
        "Cannot exceed quota for ACLSizePerRole: 2048"
    );
}

#[test]
fn an_account_has_at_most_a_thousand_roles() {
    let iam = iam();
    for n in 0..1_000 {
        iam.create_role(new_role(&format!("r{n}")), NOW).unwrap();
    }
    assert_eq!(refusal(iam.create_role(new_role("one-more"), NOW)), "Cannot exceed quota for RolesPerAccount: 1000");
    assert!(matches!(iam.create_role(new_role("r1"), NOW), Err(IamError::EntityAlreadyExists(_))));
}

/// A store in which others always wrote first, so many times.
struct Contested {
    inner: Arc<MemoryStore>,
    conflicts_left: AtomicUsize,
}

impl Store for Contested {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        let left = self.conflicts_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return self.inner.commit_then(batch, done);
        }
        done(Err(StoreError::Conflict));
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

#[test]
fn a_writer_outlasts_the_others_who_meet_at_the_same_role() {
    let store = Arc::new(Contested { inner: MemoryStore::new(), conflicts_left: AtomicUsize::new(64) });
    over(&store).create_role(new_role("r"), NOW).unwrap();
    assert_eq!(over(&store).role(&name("r")).unwrap().role_id, "AROAEXAMPLE");
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let store = MemoryStore::new();
    over(&store).create_role(new_role("r"), NOW).unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let iam = Arc::new(over(&store));
            std::thread::spawn(move || {
                let put = |n: usize| iam.put_role_policy(&name("r"), &format!("p{writer}{n}"), &allow("*", "*"), NOW);
                // A conflict is an answer too: the caller may try again.
                (0..5).for_each(|n| while matches!(put(n), Err(IamError::Store(StoreError::Conflict))) {});
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(over(&store).role_policies(&name("r")).unwrap().len(), 20);
}
