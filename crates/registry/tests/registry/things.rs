//! Making, changing, listing and deleting things.

use std::collections::BTreeMap;

use names::ThingTypeName;
use registry::{NewThing, PageRequest, Registry, RegistryError, ThingQuery, ThingUpdate};

use super::{add_thing, new_registry, now, refusal, thing_name};

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with(pairs: &[(&str, &str)]) -> NewThing {
    NewThing { attributes: attributes(pairs), ..NewThing::default() }
}

#[test]
fn a_thing_is_made_once() {
    let (registry, _) = new_registry();
    let name = thing_name("lamp");
    let made = registry.create_thing(&name, with(&[("a", "1")]), "id-1", now(5)).unwrap();
    assert_eq!((made.id.as_str(), made.version, made.created_at), ("id-1", 1, now(5)));
    assert_eq!(registry.thing(&name).unwrap(), made);
    let same = registry.create_thing(&name, with(&[("a", "1"), ("empty", "")]), "id-2", now(6)).unwrap();
    assert_eq!(same, made, "the same again answers the one that is there");
    let other = registry.create_thing(&name, with(&[("a", "2")]), "id-3", now(7)).unwrap_err();
    assert_eq!(other.to_string(), "Thing lamp already exists in account with different attributes");
    let RegistryError::AlreadyExists { resource_id, resource_arn, .. } = other else { panic!("{other:?}") };
    assert_eq!(resource_id, "lamp");
    assert_eq!(resource_arn, "arn:aws:iot:us-east-1:123456789012:thing/lamp");
}

#[test]
fn what_a_new_thing_names_must_exist() {
    let (registry, _) = new_registry();
    let check = |new: NewThing, expected: &str| {
        let answer = registry.create_thing(&thing_name("lamp"), new, "id", now(1));
        assert_eq!(refusal(answer).0, expected);
        assert_eq!(refusal(registry.thing(&thing_name("lamp"))).0, "NotFound");
    };
    check(NewThing { thing_type: Some(ThingTypeName::new("bulb").unwrap()), ..NewThing::default() }, "NotFound");
    check(NewThing { billing_group: Some("home".to_owned()), ..NewThing::default() }, "NotFound");
    check(with(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]), "InvalidRequest");
    check(with(&[("a", "not allowed")]), "InvalidRequest");
}

#[test]
fn updates_replace_or_merge_and_raise_the_version() {
    let (registry, _) = new_registry();
    let name = thing_name("lamp");
    registry.create_thing(&name, with(&[("a", "1"), ("b", "2")]), "id", now(1)).unwrap();
    let mut version = 1;
    let mut check = |merge: bool, changes: Option<&[(&str, &str)]>, expected: &[(&str, &str)]| {
        let update = ThingUpdate { attributes: changes.map(attributes), merge, ..ThingUpdate::default() };
        let thing = registry.update_thing(&name, update).unwrap();
        version += 1;
        assert_eq!((&thing.attributes, thing.version), (&attributes(expected), version), "{changes:?}");
        assert_eq!(registry.thing(&name).unwrap(), thing);
    };
    check(true, Some(&[("b", "3"), ("c", "4")]), &[("a", "1"), ("b", "3"), ("c", "4")]);
    check(true, Some(&[("a", "")]), &[("b", "3"), ("c", "4")]);
    check(false, None, &[("b", "3"), ("c", "4")]);
    check(false, Some(&[("d", "5")]), &[("d", "5")]);
    check(false, Some(&[]), &[]);
}

#[test]
fn an_update_is_refused_whole() {
    let (registry, _) = new_registry();
    let name = add_thing(&registry, "lamp");
    let check = |update: ThingUpdate, expected: &str, text: &str| {
        let (kind, found) = refusal(registry.update_thing(&name, update));
        assert_eq!(kind, expected);
        assert!(found.contains(text), "{found}");
        assert_eq!(registry.thing(&name).unwrap().version, 1);
    };
    let bulb = || Some(ThingTypeName::new("bulb").unwrap());
    let wrong = "The version for thing lamp does not match the expected version.";
    check(ThingUpdate { expected_version: Some(2), ..ThingUpdate::default() }, "VersionConflict", wrong);
    let both = ThingUpdate { thing_type: bulb(), remove_thing_type: true, ..ThingUpdate::default() };
    check(both, "InvalidRequest", "removeThingType");
    check(ThingUpdate { thing_type: bulb(), ..ThingUpdate::default() }, "NotFound", "bulb");
    let four = attributes(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
    check(ThingUpdate { attributes: Some(four), ..ThingUpdate::default() }, "InvalidRequest", "at most 3");
    let missing = registry.update_thing(&thing_name("none"), ThingUpdate::default());
    assert_eq!(refusal(missing).0, "NotFound");
    let expected = ThingUpdate { expected_version: Some(1), ..ThingUpdate::default() };
    assert_eq!(registry.update_thing(&name, expected).unwrap().version, 2);
}

#[test]
fn deleting_what_is_not_there_is_no_error() {
    let (registry, store) = new_registry();
    let name = thing_name("lamp");
    registry.create_thing(&name, with(&[("a", "1")]), "id", now(1)).unwrap();
    assert_eq!(refusal(registry.delete_thing(&name, Some(2))).0, "VersionConflict");
    registry.delete_thing(&name, Some(1)).unwrap();
    assert_eq!(refusal(registry.thing(&name)).0, "NotFound");
    registry.delete_thing(&name, None).unwrap();
    registry.delete_thing(&name, Some(7)).unwrap();
    let left = store::Store::range(&*store, b"", b"", 10, store::Direction::Forward).unwrap();
    assert_eq!(left, [], "nothing is left behind in the indexes");
}

fn listed(registry: &Registry, query: &ThingQuery) -> Vec<String> {
    let page = registry.list_things(query, &PageRequest { after: None, limit: 250 }).unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|thing| thing.name.to_string()).collect()
}

#[test]
fn things_are_listed_by_attribute() {
    let (registry, _) = new_registry();
    let make = |name: &str, pairs: &[(&str, &str)]| {
        registry.create_thing(&thing_name(name), with(pairs), "id", now(1)).unwrap();
    };
    make("a", &[("room", "hall")]);
    make("b", &[("room", "hallway"), ("floor", "1")]);
    make("c", &[("room", "kitchen"), ("floor", "1")]);
    make("d", &[("roomy", "hall")]);
    make("e", &[]);
    let check = |name: &str, value: Option<&str>, prefix: bool, expected: &[&str]| {
        let attribute = Some((name.to_owned(), value.map(str::to_owned)));
        let found = listed(&registry, &ThingQuery { attribute, prefix, ..ThingQuery::default() });
        assert_eq!(found, expected, "{name} {value:?} {prefix}");
    };
    check("room", Some("hall"), false, &["a"]);
    check("room", Some("hall"), true, &["a", "b"]);
    check("room", Some(""), true, &["a", "b", "c"]);
    check("room", None, false, &["a", "b", "c"]);
    check("floor", Some("1"), false, &["b", "c"]);
    check("floor", Some("2"), false, &[]);
    check("none", None, false, &[]);
    assert_eq!(listed(&registry, &ThingQuery::default()), ["a", "b", "c", "d", "e"]);
    let typed = ThingQuery { thing_type: Some("bulb".to_owned()), ..ThingQuery::default() };
    assert_eq!(listed(&registry, &typed), Vec::<String>::new());
    let update = ThingUpdate { attributes: Some(attributes(&[("floor", "2")])), merge: true, ..ThingUpdate::default() };
    registry.update_thing(&thing_name("b"), update).unwrap();
    check("floor", Some("1"), false, &["c"]);
    check("floor", Some("2"), false, &["b"]);
    check("room", Some("hallway"), false, &["b"]);
    registry.delete_thing(&thing_name("b"), None).unwrap();
    check("room", None, false, &["a", "c"]);
}

/// The last page has no token, also when it is full, as AWS answers two things at one a page.
#[test]
fn pages_of_things_follow_one_another() {
    let (registry, _) = new_registry();
    add_thing(&registry, "a");
    add_thing(&registry, "b");
    let first = registry.list_things(&ThingQuery::default(), &PageRequest { after: None, limit: 1 }).unwrap();
    assert_eq!(first.items[0].name.as_str(), "a");
    let request = PageRequest { after: first.next, limit: 1 };
    let second = registry.list_things(&ThingQuery::default(), &request).unwrap();
    assert_eq!((second.items[0].name.as_str(), second.next), ("b", None));
    let query = ThingQuery { attribute: Some(("x".to_owned(), None)), ..ThingQuery::default() };
    assert_eq!(refusal(registry.list_things(&query, &request)).0, "InvalidToken", "a token of another list");
}
