//! Registering certificates, their status, and deleting them.

use names::CertificateId;
use registry::CertificateStatus::{Active, Inactive, PendingActivation, PendingTransfer, RegisterInactive, Revoked};
use registry::{CertificateMode, CertificateStatus, NewCertificate, PageRequest, PolicyTarget, RegistryError};

use super::{PEMS, add_policy, add_thing, new_registry, now, refusal, register};

#[test]
fn a_certificate_is_registered_once_under_the_hash_of_its_bytes() {
    let (registry, _) = new_registry();
    let parsed = x509::Certificate::from_pem(&PEMS[0]).unwrap();
    let pem = format!("text before\n{}text after\n", PEMS[0]);
    let new = NewCertificate { pem, status: Inactive, mode: CertificateMode::SniOnly };
    let record = registry.register_certificate(new.clone(), "generation", now(9)).unwrap();
    assert_eq!(record.id, parsed.id);
    assert_eq!(record.pem, PEMS[0], "what stood around the certificate is not kept");
    assert_eq!((record.status, record.mode, record.customer_version), (Inactive, CertificateMode::SniOnly, 1));
    assert_eq!((record.created_at, record.modified_at), (now(9), now(9)));
    assert_eq!((record.not_before, record.not_after), (parsed.not_before, parsed.not_after));
    assert_eq!(record.generation_id, "generation");
    assert_eq!(registry.certificate(&record.id).unwrap(), record);
    let again = registry.register_certificate(new, "other", now(10)).unwrap_err();
    assert_eq!(again.to_string(), "The certificate is already provisioned or registered");
    let RegistryError::AlreadyExists { resource_id, resource_arn, .. } = again else { panic!("{again:?}") };
    assert_eq!(resource_id, record.id.to_string());
    assert_eq!(resource_arn, format!("arn:aws:iot:us-east-1:123456789012:cert/{}", record.id));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (registry, _) = new_registry();
    for pem in ["", "no certificate", &PEMS[0][..200], &"x".repeat(1_000_000)] {
        let new = NewCertificate { pem: pem.to_owned(), status: Active, mode: CertificateMode::Default };
        assert_eq!(refusal(registry.register_certificate(new, "g", now(1))).0, "CertificateValidation");
    }
    let none = CertificateId::from_der_hash([7; 32]);
    assert_eq!(refusal(registry.certificate(&none)).0, "NotFound");
    assert_eq!(refusal(registry.update_certificate_status(&none, Active, now(1))).0, "NotFound");
    assert_eq!(refusal(registry.delete_certificate(&none, true)).0, "NotFound");
}

#[test]
fn only_three_statuses_can_be_registered() {
    let check = |status: CertificateStatus, allowed: bool| {
        let (registry, _) = new_registry();
        let answer = register(&registry, 0, status, 1);
        assert_eq!(answer.is_ok(), allowed, "{status:?}");
        if !allowed {
            let text = format!("Not allowed to register certificate with {} status", status.as_str());
            assert_eq!(refusal(answer), ("CertificateState", text));
        }
    };
    check(Active, true);
    check(Inactive, true);
    check(Revoked, true);
    check(PendingActivation, false);
    check(PendingTransfer, false);
    check(RegisterInactive, false);
}

/// AWS IoT Core developer guide, activate-or-deactivate-device-cert: a revoked certificate stays revoked.
#[test]
fn statuses_change_as_aws_allows() {
    let check = |from: CertificateStatus, to: CertificateStatus, allowed: bool| {
        let (registry, _) = new_registry();
        let id = register(&registry, 0, from, 1).unwrap();
        let answer = registry.update_certificate_status(&id, to, now(2));
        assert_eq!(answer.is_ok(), allowed, "{from:?} {to:?}");
        let record = registry.certificate(&id).unwrap();
        let (version, modified) = if allowed && from != to { (2, 2) } else { (1, 1) };
        assert_eq!((record.customer_version, record.modified_at), (version, now(modified)));
        match answer {
            Ok(answer) => assert_eq!((answer.status, &answer), (to, &record)),
            refused => assert_eq!((refusal(refused).0, record.status), ("CertificateState", from)),
        }
    };
    check(Active, Inactive, true);
    check(Active, Revoked, true);
    check(Active, Active, true);
    check(Inactive, Active, true);
    check(Inactive, Revoked, true);
    check(Revoked, Active, false);
    check(Revoked, Inactive, false);
    check(Revoked, Revoked, true);
    for status in [PendingTransfer, RegisterInactive, PendingActivation] {
        check(Active, status, false);
        check(Inactive, status, false);
    }
}

#[test]
fn certificates_are_listed_by_registration() {
    let (registry, _) = new_registry();
    let ids: Vec<_> =
        [30, 10, 20].iter().enumerate().map(|(n, &at)| register(&registry, n, Active, at).unwrap()).collect();
    let (late, early, middle) = (ids[0], ids[1], ids[2]);
    let check = |ascending: bool, limit: usize, expected: &[&[CertificateId]]| {
        let mut request = PageRequest { after: None, limit };
        for (n, expected) in expected.iter().enumerate() {
            let page = registry.list_certificates(&request, ascending).unwrap();
            assert_eq!(page.items.iter().map(|record| record.id).collect::<Vec<_>>(), *expected, "{ascending} {n}");
            request.after = page.next;
        }
        assert_eq!(request.after, None);
    };
    check(true, 10, &[&[early, middle, late]]);
    check(false, 10, &[&[late, middle, early]]);
    check(false, 2, &[&[late, middle], &[early]]);
    check(true, 1, &[&[early], &[middle], &[late]]);
    registry.update_certificate_status(&middle, Inactive, now(99)).unwrap();
    check(true, 3, &[&[early, middle, late]]);
    registry.delete_certificate(&middle, false).unwrap();
    check(true, 2, &[&[early, late]]);
}

#[test]
fn a_certificate_in_use_is_not_deleted() {
    let (registry, store) = new_registry();
    let id = register(&registry, 0, Active, 1).unwrap();
    let arn = registry.arns().certificate(&id);
    let active = format!("Certificate must be deactivated (not ACTIVE) before deletion. Id: {id}");
    assert_eq!(refusal(registry.delete_certificate(&id, true)), ("CertificateState", active));
    registry.update_certificate_status(&id, Inactive, now(2)).unwrap();
    let (lamp, rules) = (add_thing(&registry, "lamp"), add_policy(&registry, "rules"));
    registry.attach_thing_principal(&lamp, &id, false).unwrap();
    registry.attach_policy(&rules, &PolicyTarget::Certificate(id)).unwrap();
    let things = format!("Things must be detached before deletion (arn: {arn})");
    assert_eq!(refusal(registry.delete_certificate(&id, true)), ("DeleteConflict", things));
    registry.detach_thing_principal(&lamp, &id).unwrap();
    let policies = format!("Certificate policies must be detached before deletion (arn: {arn})");
    assert_eq!(refusal(registry.delete_certificate(&id, false)), ("DeleteConflict", policies));
    registry.delete_certificate(&id, true).unwrap();
    assert_eq!(refusal(registry.certificate(&id)).0, "NotFound");
    assert!(registry.policies_of(&id).unwrap().is_empty());
    registry.delete_policy(&rules).unwrap();
    registry.delete_thing(&lamp, None).unwrap();
    let left = store::Store::range(&*store, b"", b"", 10, store::Direction::Forward).unwrap();
    assert_eq!(left, [], "nothing is left behind");
}
