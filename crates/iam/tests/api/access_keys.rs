//! Access keys are kept, found and never printed.

use iam::{AccessKey, IamError};
use store::MemoryStore;

use crate::{NOW, iam, over};

fn key(id: &str) -> AccessKey {
    AccessKey {
        id: id.to_owned(),
        secret: "very-secret".to_owned(),
        principal_arn: "arn:aws:iam::123456789012:user/admin".to_owned(),
        user_id: "AIDAEXAMPLE".to_owned(),
        created_at: NOW,
    }
}

#[test]
fn keys_outlive_the_service() {
    let store = MemoryStore::new();
    let iam = over(&store);
    iam.put_access_key(key("AKIB")).unwrap();
    iam.put_access_key(key("AKIA")).unwrap();
    let again = over(&store);
    assert_eq!(again.access_key("AKIA").unwrap(), Some(key("AKIA")));
    assert_eq!(again.access_key("AKI").unwrap(), None);
    assert_eq!(again.access_keys().unwrap(), [key("AKIA"), key("AKIB")]);
    again.put_access_key(AccessKey { secret: "other".to_owned(), ..key("AKIA") }).unwrap();
    assert_eq!(iam.access_key("AKIA").unwrap().unwrap().secret, "other");
    iam.delete_access_key("AKIA").unwrap();
    iam.delete_access_key("AKIA").unwrap();
    assert_eq!(again.access_keys().unwrap(), [key("AKIB")]);
}

#[test]
fn many_keys_are_all_listed() {
    let iam = iam();
    let ids: Vec<String> = (0..1_001).map(|n| format!("K{n:04}")).collect();
    ids.iter().for_each(|id| iam.put_access_key(key(id)).unwrap());
    let listed: Vec<String> = iam.access_keys().unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(listed, ids);
}

#[test]
fn a_key_does_not_print_its_secret() {
    let printed = format!("{:?} {:#?}", key("AKIA"), Some(key("AKIA")));
    assert!(printed.contains("AKIA") && !printed.contains("very-secret"), "{printed}");
}

#[test]
fn malformed_keys_are_refused() {
    let iam = iam();
    for bad in ["", "a/b", "a b", "\u{e4}", &"A".repeat(129)] {
        assert!(matches!(iam.put_access_key(key(bad)), Err(IamError::InvalidInput(_))), "{bad}");
        assert_eq!(iam.access_key(bad).unwrap(), None);
    }
    let no_secret = AccessKey { secret: String::new(), ..key("AKIA") };
    assert!(matches!(iam.put_access_key(no_secret), Err(IamError::InvalidInput(_))));
    let long_arn = AccessKey { principal_arn: "a".repeat(1025), ..key("AKIA") };
    assert!(matches!(iam.put_access_key(long_arn), Err(IamError::InvalidInput(_))));
}
