//! Attaching certificates to things.

use names::CertificateId;
use registry::PageRequest;

use super::{add_certificate, add_thing, new_registry, refusal, thing_name};

#[test]
fn certificates_and_things_are_attached_many_to_many() {
    let (registry, _) = new_registry();
    let (lamp, door) = (add_thing(&registry, "lamp"), add_thing(&registry, "door"));
    let (first, second) = (add_certificate(&registry, 0), add_certificate(&registry, 1));
    for (thing, id) in [(&lamp, &first), (&lamp, &second), (&door, &first), (&lamp, &first)] {
        registry.attach_thing_principal(thing, id, false).unwrap();
    }
    let mut ids = [first, second];
    ids.sort();
    let of_lamp = |after, limit| registry.thing_principals(&lamp, &PageRequest { after, limit }).unwrap();
    assert_eq!(of_lamp(None, 2).items, ids);
    let page = of_lamp(None, 1);
    assert_eq!(of_lamp(page.next, 1).items, ids[1..]);
    let things = |id| registry.principal_things(id, &PageRequest::default()).unwrap().items;
    assert_eq!(things(&first), [door.clone(), lamp.clone()]);
    assert_eq!(things(&second), std::slice::from_ref(&lamp));
    assert!(registry.is_attached(&door, &first).unwrap());
    assert!(!registry.is_attached(&door, &second).unwrap());
    let attached = "Cannot delete. Thing lamp is still attached to one or more principals".to_owned();
    assert_eq!(refusal(registry.delete_thing(&lamp, None)), ("InvalidRequest", attached));
    registry.detach_thing_principal(&lamp, &first).unwrap();
    registry.detach_thing_principal(&lamp, &first).unwrap();
    assert_eq!(refusal(registry.delete_thing(&lamp, None)).0, "InvalidRequest", "one is left");
    registry.detach_thing_principal(&lamp, &second).unwrap();
    registry.delete_thing(&lamp, None).unwrap();
    assert_eq!(things(&first), [door]);
}

#[test]
fn what_is_not_there_is_not_attached() {
    let (registry, _) = new_registry();
    let (lamp, id) = (add_thing(&registry, "lamp"), add_certificate(&registry, 0));
    let (no_thing, nobody) = (thing_name("none"), CertificateId::from_der_hash([1; 32]));
    for (thing, id) in [(&no_thing, &id), (&lamp, &nobody)] {
        assert_eq!(refusal(registry.attach_thing_principal(thing, id, false)).0, "NotFound");
        assert_eq!(refusal(registry.detach_thing_principal(thing, id)).0, "NotFound");
        assert!(!registry.is_attached(thing, id).unwrap());
        assert_eq!(registry.is_attached_exclusively(thing, id).unwrap(), None);
    }
    let page = PageRequest::default();
    let text = "Failed to list principals for thing none because the thing does not exist in your account";
    assert_eq!(refusal(registry.thing_principals(&no_thing, &page)), ("NotFound", text.to_owned()));
    assert_eq!(refusal(registry.principal_things(&nobody, &page)).0, "NotFound");
    let bad = PageRequest { after: Some("zz".to_owned()), limit: 1 };
    assert_eq!(refusal(registry.thing_principals(&lamp, &bad)).0, "InvalidToken");
    assert_eq!(refusal(registry.principal_things(&id, &bad)).0, "InvalidToken");
}

/// AWS IoT Core developer guide, exclusive-thing: the thing is then the only one attached to the principal.
#[test]
fn an_exclusive_attachment_is_the_only_one() {
    let (registry, _) = new_registry();
    let (lamp, door) = (add_thing(&registry, "lamp"), add_thing(&registry, "door"));
    let (first, second) = (add_certificate(&registry, 0), add_certificate(&registry, 1));
    registry.attach_thing_principal(&lamp, &first, true).unwrap();
    registry.attach_thing_principal(&lamp, &first, true).unwrap();
    assert_eq!(registry.exclusive_thing(&first).unwrap(), Some(lamp.clone()));
    assert_eq!(registry.is_attached_exclusively(&lamp, &first).unwrap(), Some(true));
    let refused = |thing, id, exclusive| {
        assert_eq!(refusal(registry.attach_thing_principal(thing, id, exclusive)).0, "InvalidRequest");
    };
    refused(&lamp, &first, false);
    refused(&door, &first, false);
    refused(&door, &first, true);
    registry.attach_thing_principal(&lamp, &second, false).unwrap();
    assert_eq!(registry.exclusive_thing(&second).unwrap(), None);
    refused(&door, &second, true);
    refused(&lamp, &second, true);
    registry.detach_thing_principal(&lamp, &first).unwrap();
    assert_eq!(registry.exclusive_thing(&first).unwrap(), None);
    registry.attach_thing_principal(&door, &first, false).unwrap();
    assert_eq!(registry.is_attached_exclusively(&door, &first).unwrap(), Some(false));
}
