//! Several callers at once: what is attached is never left without what it is attached to.

use registry::{CertificateStatus, PageRequest, PolicyTarget, RegistryError, ThingUpdate};

use super::{add_certificate, add_policy, add_thing, new_registry, now, register};

#[test]
fn concurrent_updates_are_all_counted() {
    let (registry, _) = new_registry();
    let lamp = add_thing(&registry, "lamp");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| _ = registry.update_thing(&lamp, ThingUpdate::default()).unwrap()));
        }
    });
    assert_eq!(registry.thing(&lamp).unwrap().version, 81);
}

#[test]
fn ten_policies_are_the_limit_also_when_eleven_come_at_once() {
    let (registry, _) = new_registry();
    let target = PolicyTarget::Certificate(add_certificate(&registry, 0));
    let names: Vec<_> = (0..11).map(|n| add_policy(&registry, &format!("p{n:02}"))).collect();
    let refused = std::thread::scope(|scope| {
        let attach = |name| {
            scope.spawn({
                let registry = &registry;
                let target = &target;
                move || registry.attach_policy(name, target)
            })
        };
        let threads: Vec<_> = names.iter().map(attach).collect();
        let answers = threads.into_iter().map(|thread| thread.join().unwrap());
        answers.filter(|answer| matches!(answer, Err(RegistryError::LimitExceeded(_)))).count()
    });
    assert_eq!(refused, 1);
    assert_eq!(registry.attached_policies(&target, &PageRequest::default()).unwrap().items.len(), 10);
}

#[test]
fn a_policy_is_deleted_or_attached_but_not_both() {
    let mut outcomes = [0, 0];
    for round in 0..100 {
        let (registry, store) = new_registry();
        let id = add_certificate(&registry, 0);
        let (rules, target) = (add_policy(&registry, "rules"), PolicyTarget::Certificate(id));
        let (deleted, attached) = std::thread::scope(|scope| {
            let attach = scope.spawn(|| {
                (0..round % 5).for_each(|_| std::thread::yield_now());
                registry.attach_policy(&rules, &target)
            });
            (registry.delete_policy(&rules), attach.join().unwrap())
        });
        assert_ne!(deleted.is_ok(), attached.is_ok(), "{deleted:?} {attached:?}");
        outcomes[usize::from(deleted.is_ok())] += 1;
        let targets = store::Store::range(
            &*store,
            b"registry/policy-target/",
            b"registry/policy-targeu",
            9,
            store::Direction::Forward,
        );
        assert_eq!(targets.unwrap().len(), usize::from(attached.is_ok()));
        assert_eq!(registry.policies_of(&id).unwrap().len(), usize::from(attached.is_ok()));
    }
    assert_eq!(outcomes[0] + outcomes[1], 100);
}

#[test]
fn a_thing_or_certificate_is_deleted_or_attached_but_not_both() {
    for round in 0..100 {
        let (registry, _) = new_registry();
        let (lamp, id) =
            (add_thing(&registry, "lamp"), register(&registry, 1, CertificateStatus::Inactive, 1).unwrap());
        let (deleted, attached) = std::thread::scope(|scope| {
            let attach = scope.spawn(|| registry.attach_thing_principal(&lamp, &id, false));
            let deleted = match round % 2 {
                0 => registry.delete_thing(&lamp, None),
                _ => registry.delete_certificate(&id, true),
            };
            (deleted, attach.join().unwrap())
        });
        assert_ne!(deleted.is_ok(), attached.is_ok(), "{deleted:?} {attached:?}");
        assert_eq!(registry.is_attached(&lamp, &id).unwrap(), attached.is_ok());
    }
}

#[test]
fn a_certificate_goes_to_one_thing_exclusively() {
    let (registry, _) = new_registry();
    let id = add_certificate(&registry, 2);
    let things: Vec<_> = (0..6).map(|n| add_thing(&registry, &format!("t{n}"))).collect();
    let won = std::thread::scope(|scope| {
        let attach = |thing| {
            scope.spawn({
                let registry = &registry;
                let id = &id;
                move || registry.attach_thing_principal(thing, id, true).is_ok()
            })
        };
        let threads: Vec<_> = things.iter().map(attach).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let holder = won.iter().position(|won| *won).unwrap();
    assert_eq!(registry.exclusive_thing(&id).unwrap().as_ref(), Some(&things[holder]));
    registry.update_certificate_status(&id, CertificateStatus::Revoked, now(2)).unwrap();
    assert!(matches!(registry.delete_certificate(&id, true), Err(RegistryError::DeleteConflict(_))));
}
