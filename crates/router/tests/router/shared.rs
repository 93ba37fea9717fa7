//! Shared subscriptions: one member of a group gets each message (MQTT 5, 4.8.2; AWS IoT Core developer guide, mqtt).

use std::sync::atomic::Ordering;

use message::{QoS, SubscribeOptions};
use names::{Dialect, limits};
use router::{MailboxClosed, Subscriber};

use crate::{
    attached, connection, drained, filter, message, options, payloads, plain, publish, received, router, stored_session,
};

const ZERO: QoS = QoS::AtMostOnce;
const ONE: QoS = QoS::AtLeastOnce;

fn counts<const N: usize>(members: [&Subscriber; N]) -> [usize; N] {
    members.map(|member| drained(member).len())
}

#[test]
fn members_take_turns() {
    let router = router();
    let members = ["a", "b", "c"].map(|id| connection(&router, id));
    members.iter().for_each(|member| assert!(member.subscribe(filter("$share/g/t/+"), plain(ONE))));
    assert!(!members[0].subscribe(filter("$share/g/t/+"), plain(ONE)), "a member already");
    for number in 0..9 {
        assert_eq!(publish(&router, message("t/x", format!("{number}"), ONE, false)).delivered, 1);
    }
    let [a, b, c] = members.each_ref().map(|member| payloads(&drained(member)));
    assert_eq!([a.len(), b.len(), c.len()], [3, 3, 3]);
    let mut all = [a, b, c].concat();
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(router.metrics().subscriptions.load(Ordering::Relaxed), 3);
}

/// Each pair of name and filter is a group of its own, and gets its own copy; so does an ordinary subscription.
#[test]
fn groups_are_told_apart() {
    let router = router();
    let subscriber = connection(&router, "a");
    for text in ["$share/g/t", "$share/h/t", "$share/g/#", "t"] {
        subscriber.subscribe(filter(text), plain(ZERO));
    }
    assert_eq!(publish(&router, message("t", "x", ZERO, false)).delivered, 4);
    let mut groups: Vec<_> = drained(&subscriber)
        .iter()
        .map(|delivery| delivery.shared().map(|shared| (shared.share_name.to_string(), shared.filter.to_string())))
        .collect();
    groups.sort();
    let group = |name: &str, filter: &str| Some((name.to_owned(), filter.to_owned()));
    assert_eq!(groups, [None, group("g", "#"), group("g", "t"), group("h", "t")]);
    assert!(subscriber.retained(&filter("$share/g/t"), plain(ZERO)).is_none(), "none for a group (MQTT 5, 4.8.2)");
}

/// AWS IoT Core: `#` does not match the parent level.
#[test]
fn a_groups_filter_matches_by_its_dialect() {
    let router = router();
    let (aws, mqtt) = (connection(&router, "a"), connection(&router, "m"));
    aws.subscribe(filter("$share/aws/t/#"), options(ZERO, Dialect::Aws));
    mqtt.subscribe(filter("$share/mqtt/t/#"), options(ZERO, Dialect::Mqtt));
    let _ = publish(&router, message("t", "x", ZERO, false));
    assert_eq!(counts([&aws, &mqtt]), [0, 1]);
    let _ = publish(&router, message("t/u", "x", ZERO, false));
    assert_eq!(counts([&aws, &mqtt]), [1, 1]);
}

/// [MQTT-3.8.4-8]: the QoS is the member's; the identifier and RETAIN as published are too [MQTT-3.3.4-5].
#[test]
fn a_copy_is_the_members_own() {
    let router = router();
    let (a, b) = (connection(&router, "a"), connection(&router, "b"));
    let a_wants = SubscribeOptions { subscription_id: Some(1), retain_as_published: true, ..plain(ZERO) };
    a.subscribe(filter("$share/g/t"), a_wants);
    b.subscribe(filter("$share/g/t"), SubscribeOptions { subscription_id: Some(2), ..plain(ONE) });
    for _ in 0..4 {
        publish(&router, message("t", "x", QoS::ExactlyOnce, true)).retained.unwrap().wait().unwrap();
    }
    let seen = |subscriber: &Subscriber| -> Vec<(QoS, bool, Vec<u32>)> {
        let deliveries = drained(subscriber);
        deliveries.iter().map(|d| (d.qos, d.retain, d.subscription_ids().to_vec())).collect()
    };
    assert_eq!(seen(&a), vec![(ZERO, true, vec![1]); 2]);
    assert_eq!(seen(&b), vec![(ONE, false, vec![2]); 2]);
}

#[test]
fn a_full_or_closed_member_is_passed_over() {
    let router = router();
    let (a, b) = (connection(&router, "a"), connection(&router, "b"));
    for member in [&a, &b] {
        member.subscribe(filter("$share/g/t"), plain(ONE));
    }
    a.subscribe(filter("a"), plain(ZERO));
    for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
        let _ = publish(&router, message("a", "x", ZERO, false));
    }
    for _ in 0..10 {
        assert_eq!(publish(&router, message("t", "x", ZERO, false)).delivered, 1);
    }
    assert_eq!(counts([&a, &b]), [limits::MAILBOX_MESSAGES_SOFT, 10]);
    a.mailbox().close(MailboxClosed::TakenOver);
    for _ in 0..10 {
        assert_eq!(publish(&router, message("t", "x", ONE, false)).delivered, 1);
    }
    assert_eq!(counts([&a, &b]), [0, 10]);
    b.mailbox().close(MailboxClosed::TakenOver);
    assert_eq!(publish(&router, message("t", "x", ONE, false)).delivered, 0);
}

/// A message that no member has room for is the loss of one member, not of the whole group.
#[test]
fn one_message_does_not_end_all_members() {
    let router = router();
    let members = ["a", "b", "c"].map(|id| connection(&router, id));
    members.iter().for_each(|member| assert!(member.subscribe(filter("$share/g/t"), plain(ONE))));
    for number in 0..3 * limits::MAILBOX_MESSAGES_HARD {
        assert_eq!(publish(&router, message("t", "x", ONE, false)).delivered, 1, "{number}");
    }
    let open = || members.iter().filter(|member| member.mailbox().closed().is_none()).count();
    assert_eq!(open(), 3);
    assert_eq!(publish(&router, message("t", "x", ZERO, false)).delivered, 0);
    assert_eq!(open(), 3, "QoS 0 is dropped");
    assert_eq!(publish(&router, message("t", "x", ONE, false)).delivered, 0);
    assert_eq!(open(), 2);
}

/// Where no connected member has room, one whose session is stored gets the message.
#[test]
fn an_absent_member_gets_what_the_connected_ones_have_no_room_for() {
    let router = router();
    let connected = connection(&router, "a");
    connected.subscribe(filter("$share/g/t"), plain(ONE));
    for _ in 0..limits::MAILBOX_MESSAGES_HARD {
        let _ = publish(&router, message("t", "x", ONE, false));
    }
    let away = stored_session(&router, "away", &[("$share/g/t", plain(ONE))]);
    router.publish(message("t", "kept", ONE, false)).1.unwrap().wait().unwrap();
    assert_eq!(router.sessions().queued(away).unwrap().0, 1);
    assert_eq!(connected.mailbox().closed(), None);
}

#[test]
fn who_leaves_gets_nothing_more() {
    let router = router();
    let [a, b, c] = ["a", "b", "c"].map(|id| connection(&router, id));
    for member in [&a, &b, &c] {
        member.subscribe(filter("$share/g/t"), plain(ZERO));
        member.subscribe(filter("own"), plain(ZERO));
    }
    let publish_all = || (0..6).map(|_| publish(&router, message("t", "x", ZERO, false)).delivered).sum::<usize>();
    assert_eq!(publish_all(), 6);
    assert_eq!(counts([&a, &b, &c]), [2, 2, 2]);
    assert!(a.unsubscribe(&filter("$share/g/t")));
    assert!(!a.unsubscribe(&filter("$share/g/t")));
    assert_eq!(publish_all(), 6);
    assert_eq!(counts([&a, &b, &c]), [0, 3, 3]);
    b.leave_groups();
    assert_eq!(publish_all(), 6);
    assert_eq!(counts([&a, &b, &c]), [0, 0, 6]);
    let _ = publish(&router, message("own", "x", ZERO, false));
    assert_eq!(counts([&a, &b]), [1, 1], "other subscriptions stay");
    drop(c);
    assert_eq!(publish_all(), 0);
    a.subscribe(filter("$share/g/t"), plain(ZERO));
    assert_eq!(publish_all(), 6, "the group begins anew");
    drop((a, b));
    assert_eq!(router.metrics().subscriptions.load(Ordering::Relaxed), 0);
}

/// [MQTT-4.8.2-5], [MQTT-4.8.2-6]: what a member that goes away cannot finish goes to another one, if there is one.
#[test]
fn what_is_not_finished_goes_to_another_member() {
    let router = router();
    let (a, b) = (connection(&router, "a"), connection(&router, "b"));
    a.subscribe(filter("$share/g/t"), plain(ONE));
    let _ = publish(&router, message("t", "unfinished", ONE, false));
    let delivery = drained(&a).remove(0);
    b.subscribe(filter("$share/g/t"), plain(ZERO));
    let plain_one = connection(&router, "other");
    plain_one.subscribe(filter("t"), plain(ONE));
    a.leave_groups();
    let mut publisher = router.publisher();
    publisher.redistribute(&delivery, None).unwrap();
    assert!(publisher.flush().is_none());
    assert_eq!(received(&b), [("t".into(), "unfinished".into(), ZERO)]);
    assert_eq!(counts([&a, &plain_one]), [0, 0], "only the group is asked");
    drop(b);
    publisher.redistribute(&delivery, None).unwrap();
    assert!(publisher.flush().is_none(), "there is no other member");
    let own = router::Delivery::plain(delivery.message.clone(), ONE, false);
    publisher.redistribute(&own, None).unwrap();
    assert_eq!(counts([&a, &plain_one]), [0, 0], "not a group's");
}

/// Messages for stored members: connected ones first, by way of the disk; QoS 0 to connected ones only.
#[test]
fn stored_members() {
    let router = router();
    let group = [("$share/g/t", plain(ONE))];
    let [here, away] = ["here", "away"].map(|id| stored_session(&router, id, &group));
    let queued = |id| router.sessions().queued(id).unwrap().0;
    let connected = attached(&router, "here", here, &group);
    for _ in 0..3 {
        router.publish(message("t", "x", ONE, false)).1.unwrap().wait().unwrap();
    }
    let _ = publish(&router, message("t", "x", ZERO, false));
    assert_eq!((queued(here), queued(away)), (3, 0));
    let deliveries = drained(&connected);
    assert_eq!(deliveries.iter().map(|d| d.seq.is_some()).collect::<Vec<_>>(), [true, true, true, false]);
    assert!(deliveries.iter().all(|delivery| delivery.shared().is_some()));

    drop(connected);
    router.publish(message("t", "x", ONE, false)).1.unwrap().wait().unwrap();
    assert_eq!(queued(here) + queued(away), 4);
    let dropped = || router.metrics().dropped_no_member.load(Ordering::Relaxed);
    let before = dropped();
    assert_eq!(publish(&router, message("t", "x", ZERO, false)).delivered, 0);
    assert_eq!((dropped() - before, queued(here) + queued(away)), (1, 4));

    let mut publisher = router.publisher();
    publisher.redistribute(&deliveries[0], Some(here)).unwrap();
    publisher.flush().unwrap().wait().unwrap();
    publisher.redistribute(&deliveries[0], Some(away)).unwrap();
    publisher.flush().unwrap().wait().unwrap();
    assert_eq!(queued(here) + queued(away), 6);
    assert!(queued(away) >= 1, "not the one that it comes from");
}
