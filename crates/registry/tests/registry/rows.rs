//! Rows that another release wrote, or that are damaged, are refused and do no further harm.

use registry::PageRequest;
use store::{Batch, Store};

use super::{add_policy, new_registry, policy_name, refusal, thing_name};

#[test]
fn rows_of_another_shape_are_refused_with_a_reason() {
    let (registry, store) = new_registry();
    let check = |value: &[u8], expected: &str| {
        store.commit(Batch::new().put("registry/thing/lamp", value)).wait().unwrap();
        let (kind, text) = refusal(registry.thing(&thing_name("lamp")));
        assert_eq!(kind, "Store");
        assert!(text.contains(expected) && text.contains("registry/thing/lamp"), "{text}");
    };
    check(br#"{"v":2,"id":"i","version":1,"created_at":0}"#, "has shape 2, not 1");
    check(br#"{"id":"i","version":1,"created_at":0}"#, "cannot be read");
    check(br#"{"v":1}"#, "cannot be read");
    check(b"", "cannot be read");
    check(b"\xff", "cannot be read");
    let plain = br#"{"v":1,"id":"i","version":7,"created_at":0,"later":true}"#;
    store.commit(Batch::new().put("registry/thing/lamp", plain.as_slice())).wait().unwrap();
    assert_eq!(registry.thing(&thing_name("lamp")).unwrap().version, 7, "members that are not known are passed over");
}

/// A process that dies between the two steps of a deletion leaves a policy that is marked.
#[test]
fn a_deletion_that_was_broken_off_can_be_done_again() {
    let (registry, store) = new_registry();
    let name = add_policy(&registry, "rules");
    let row = store.get(b"registry/policy/rules").unwrap().unwrap();
    let marked = String::from_utf8(row.value).unwrap().replace(r#"{"v":1,"#, r#"{"v":1,"deleting":true,"#);
    store.commit(Batch::new().put("registry/policy/rules", marked)).wait().unwrap();
    assert_eq!(registry.policy(&name).unwrap().name, name, "until then it is there");
    assert_eq!(registry.list_policies(&PageRequest::default()).unwrap().items.len(), 1);
    registry.delete_policy(&name).unwrap();
    assert_eq!(refusal(registry.policy(&policy_name("rules"))).0, "NotFound");
}
