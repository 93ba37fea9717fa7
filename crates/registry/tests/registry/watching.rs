//! What a watcher of the registry is told.

use names::CertificateId;
use registry::{Affected, CertificateStatus, PolicyTarget, Registry, ThingUpdate};
use store::{Batch, Change, Store, Watch};

use super::{add_certificate, add_policy, add_thing, new_registry, now};

/// What the changes so far concern, without repetition; `fence` is a change that marks their end.
fn told(watch: &mut Watch, fence: impl FnOnce()) -> Vec<Affected> {
    fence();
    let mut told = Vec::new();
    loop {
        let change = watch.blocking_next().unwrap();
        if matches!(&change, Change::Put { key, .. } if key == b"registry/fence") {
            return told;
        }
        told.extend(Registry::affected(&change).filter(|affected| told.last() != Some(affected)));
        told.dedup();
    }
}

#[test]
fn every_change_tells_whom_it_concerns() {
    let (registry, store) = new_registry();
    let (lamp, id, rules) =
        (add_thing(&registry, "lamp"), add_certificate(&registry, 0), add_policy(&registry, "rules"));
    let target = PolicyTarget::Certificate(id);
    let mut watch = registry.watch();
    let mut check = |change: &dyn Fn(&Registry), expected: &[Affected]| {
        change(&registry);
        let fence = || _ = store.commit(Batch::new().put("registry/fence", "")).wait().unwrap();
        assert_eq!(told(&mut watch, fence), expected);
    };
    let certificate = [Affected::Certificate(id)];
    check(&|registry| registry.attach_policy(&rules, &target).unwrap(), &certificate);
    check(&|registry| registry.attach_policy(&rules, &target).unwrap(), &[]);
    check(&|registry| registry.attach_thing_principal(&lamp, &id, false).unwrap(), &certificate);
    check(
        &|registry| _ = registry.update_thing(&lamp, ThingUpdate::default()).unwrap(),
        &[Affected::Thing(lamp.clone())],
    );
    check(&|registry| registry.detach_thing_principal(&lamp, &id).unwrap(), &certificate);
    check(&|registry| registry.detach_policy(&rules, &target).unwrap(), &certificate);
    let inactive = CertificateStatus::Inactive;
    check(&|registry| _ = registry.update_certificate_status(&id, inactive, now(2)).unwrap(), &certificate);
    check(&|registry| registry.delete_certificate(&id, false).unwrap(), &certificate);
    check(&|registry| registry.delete_policy(&rules).unwrap(), &[Affected::Policy(rules.clone())]);
    check(&|registry| registry.delete_thing(&lamp, None).unwrap(), &[Affected::Thing(lamp.clone())]);
}

#[test]
fn changes_of_others_and_lost_changes() {
    let check = |change: Change, expected: Option<Affected>| {
        assert_eq!(Registry::affected(&change), expected, "{change:?}");
    };
    let deleted = |key: &str| Change::Deleted { key: key.into() };
    check(Change::Lagged, Some(Affected::Everything));
    let id = CertificateId::from_der_hash([0xab; 32]);
    check(deleted(&format!("registry/certificate/{id}")), Some(Affected::Certificate(id)));
    for key in ["", "shadow/x", "registry/certificate/00", "registry/thing/", "registry/policy/a/b"] {
        check(deleted(key), None);
    }
    check(Change::Deleted { key: b"registry/thing/\xff".to_vec() }, None);
}
