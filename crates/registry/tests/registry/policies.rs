//! Policies, and attaching them to certificates.

use names::CertificateId;
use registry::{PageRequest, PolicyTarget, RegistryError};

use super::{DOCUMENT, add_certificate, add_policy, new_registry, now, policy_name, refusal};

#[test]
fn a_policy_is_made_once_and_kept_as_it_was_written() {
    let (registry, _) = new_registry();
    let name = policy_name("rules");
    let document = DOCUMENT.replace(',', ",\n  ");
    let made = registry.create_policy(&name, &document, now(255)).unwrap();
    assert_eq!((&made.document, made.default_version_id.as_str()), (&document, "1"));
    assert_eq!((made.created_at, made.modified_at), (now(255), now(255)));
    assert_eq!(registry.policy(&name).unwrap(), made);
    let again = registry.create_policy(&name, &document, now(256)).unwrap_err();
    assert_eq!(again.to_string(), "Policy cannot be created - name already exists (name=rules)");
    assert!(matches!(again, RegistryError::AlreadyExists { resource_arn, .. }
        if resource_arn == "arn:aws:iot:us-east-1:123456789012:policy/rules"));
    registry.delete_policy(&name).unwrap();
    assert_eq!(refusal(registry.policy(&name)).0, "NotFound");
    let anew = registry.create_policy(&name, &document, now(300)).unwrap();
    assert_ne!(anew.generation_id, made.generation_id);
}

#[test]
fn documents_are_read_and_measured_before_they_are_kept() {
    let (registry, _) = new_registry();
    let padded = |characters: usize| {
        let sid = "x".repeat(characters - DOCUMENT.len() - r#""Sid":"","#.len());
        DOCUMENT.replace(r#"{"Effect""#, &format!(r#"{{"Sid":"{sid}","Effect""#))
    };
    assert_eq!(padded(2048).len(), 2048);
    let check = |document: &str, expected: Result<(), &str>| {
        let answer = registry.create_policy(&policy_name("rules"), document, now(1)).map(|_| ());
        match expected {
            Ok(()) => answer.and_then(|()| registry.delete_policy(&policy_name("rules"))).unwrap(),
            Err(kind) => assert_eq!(refusal(answer).0, kind),
        }
    };
    check(&padded(2048), Ok(()));
    check(&padded(2049), Err("MalformedPolicy"));
    check(&format!("{}{}", " ".repeat(40_000), padded(2048)), Ok(()));
    check(&format!("{}{}", "\n".repeat(47_104), padded(2048)), Ok(()));
    check(&format!("{}{}", " ".repeat(47_105), padded(2048)), Err("MalformedPolicy"));
    for bad in ["", "{}", "[]", "null", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}"#] {
        check(bad, Err("MalformedPolicy"));
    }
}

#[test]
fn policies_are_listed_by_name() {
    let (registry, _) = new_registry();
    for name in ["b", "a", "c"] {
        add_policy(&registry, name);
    }
    let first = registry.list_policies(&PageRequest { after: None, limit: 2 }).unwrap();
    assert_eq!(first.items.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let second = registry.list_policies(&PageRequest { after: first.next, limit: 2 }).unwrap();
    assert_eq!((second.items[0].name.as_str(), second.next), ("c", None));
}

#[test]
fn policies_are_attached_to_certificates() {
    let (registry, _) = new_registry();
    let (first, second) = (add_certificate(&registry, 0), add_certificate(&registry, 1));
    let (a, b) = (add_policy(&registry, "a"), add_policy(&registry, "b"));
    for (policy, id) in [(&b, first), (&a, first), (&a, second), (&a, first)] {
        registry.attach_policy(policy, &PolicyTarget::Certificate(id)).unwrap();
    }
    let of = |id| registry.policies_of(&id).unwrap().into_iter().map(|policy| policy.name).collect::<Vec<_>>();
    assert_eq!(of(first), [a.clone(), b.clone()], "twice is once");
    assert_eq!(of(second), std::slice::from_ref(&a));
    assert_eq!(registry.policies_of(&first).unwrap()[0].document, DOCUMENT);
    let page =
        |after, limit| registry.attached_policies(&PolicyTarget::Certificate(first), &PageRequest { after, limit });
    let one = page(None, 1).unwrap();
    assert_eq!(one.items, std::slice::from_ref(&a));
    let two = page(one.next, 1).unwrap();
    assert_eq!((two.items, two.next), (vec![b.clone()], None));
    assert_eq!(refusal(page(Some("no/name".to_owned()), 1)).0, "InvalidToken");
    let mut expected = [first, second];
    expected.sort();
    let targets = registry.policy_targets(&a, &PageRequest::default()).unwrap();
    assert_eq!(targets.items, expected.map(PolicyTarget::Certificate));
    let attached = "The policy cannot be deleted as the policy is attached to one or more principals (name=a)";
    assert_eq!(refusal(registry.delete_policy(&a)), ("DeleteConflict", attached.to_owned()));
    registry.detach_policy(&a, &PolicyTarget::Certificate(first)).unwrap();
    registry.detach_policy(&a, &PolicyTarget::Certificate(first)).unwrap();
    assert_eq!(of(first), [b]);
    assert_eq!(refusal(registry.delete_policy(&a)).0, "DeleteConflict");
    registry.detach_policy(&a, &PolicyTarget::Certificate(second)).unwrap();
    registry.delete_policy(&a).unwrap();
    assert_eq!(of(second), []);
}

#[test]
fn what_is_not_there_is_not_attached() {
    let (registry, _) = new_registry();
    let (id, rules) = (add_certificate(&registry, 0), add_policy(&registry, "rules"));
    let (no_policy, nobody) = (policy_name("none"), PolicyTarget::Certificate(CertificateId::from_der_hash([1; 32])));
    assert_eq!(refusal(registry.attach_policy(&no_policy, &PolicyTarget::Certificate(id))).0, "NotFound");
    assert_eq!(refusal(registry.attach_policy(&rules, &nobody)).0, "NotFound");
    assert_eq!(refusal(registry.detach_policy(&no_policy, &PolicyTarget::Certificate(id))).0, "NotFound");
    assert_eq!(refusal(registry.attached_policies(&nobody, &PageRequest::default())).0, "NotFound");
    assert_eq!(refusal(registry.delete_policy(&no_policy)).0, "NotFound");
    let targets = registry.policy_targets(&no_policy, &PageRequest::default());
    assert_eq!(refusal(targets), ("NotFound", "Policy not found".to_owned()));
    registry.delete_policy(&rules).unwrap();
}

/// AWS quotas, security: ten policies a certificate.
#[test]
fn a_certificate_has_at_most_ten_policies() {
    let (registry, _) = new_registry();
    let target = PolicyTarget::Certificate(add_certificate(&registry, 0));
    let names: Vec<_> = (0..11).map(|n| add_policy(&registry, &format!("p{n:02}"))).collect();
    names[..10].iter().for_each(|name| registry.attach_policy(name, &target).unwrap());
    assert_eq!(refusal(registry.attach_policy(&names[10], &target)).0, "LimitExceeded");
    registry.attach_policy(&names[3], &target).unwrap();
    registry.detach_policy(&names[3], &target).unwrap();
    registry.attach_policy(&names[10], &target).unwrap();
}
