//! Sessions that outlive their connections: what is above QoS 0 is on the disk before the client or the publisher hears
//! of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use message::{QoS, SubscribeOptions};
use names::Timestamp;
use persistent_sessions::{SessionId, Stage};
use router::{Delivery, Router};

use crate::switch::{Mode, over_a_switch};
use crate::{NOW, attached, described, drained, message, payloads, plain, publish, router, stored_session};

const ZERO: QoS = QoS::AtMostOnce;
const ONE: QoS = QoS::AtLeastOnce;

/// What the disk has for a session.
fn on_disk(router: &Arc<Router>, id: SessionId) -> Vec<Delivery> {
    let rows = router.sessions().read(id, 0, 1_000, usize::MAX).unwrap();
    let delivery = |row: persistent_sessions::Queued| match row.stage {
        Stage::Publish(queued) => router::stored_delivery(queued, row.seq),
        Stage::Released => panic!("nothing was released"),
    };
    rows.into_iter().map(delivery).collect()
}

/// The mailbox has it after the commit and not before, and so does the publisher its ticket.
#[test]
fn a_connected_session_gets_a_message_after_its_commit() {
    let (switch, router) = over_a_switch();
    let filters = [("t", plain(ONE))];
    let id = stored_session(&router, "c", &filters);
    let subscriber = attached(&router, "c", id, &filters);
    switch.set(Mode::Hold);
    let mut publisher = router.publisher();
    assert_eq!(publisher.publish(message("t", "1", ONE, false)).delivered, 1);
    assert_eq!(publisher.publish(message("t", "2", QoS::ExactlyOnce, false)).delivered, 1);
    assert_eq!(switch.held(), 0, "nothing goes before flush");
    let mut write = publisher.flush().unwrap();
    publisher.wake();
    assert_eq!(switch.held(), 1, "one batch for all");
    assert!(drained(&subscriber).is_empty());
    let mut context = Context::from_waker(Waker::noop());
    assert!(subscriber.mailbox().poll_waiting(&mut context).is_pending());
    assert!(std::pin::Pin::new(&mut write).poll(&mut context).is_pending());
    switch.release();
    let deliveries = drained(&subscriber);
    assert_eq!(payloads(&deliveries), ["1", "2"]);
    assert!(deliveries.iter().all(|delivery| delivery.qos == ONE && delivery.seq.is_some()));
    assert!(deliveries[0].seq < deliveries[1].seq);
    assert!(matches!(std::pin::Pin::new(&mut write).poll(&mut context), Poll::Ready(Ok(()))));
    assert!(publisher.flush().is_none(), "nothing is written twice");
    assert_eq!(router.metrics().queued.load(Ordering::Relaxed), 2);
}

#[test]
fn an_absent_session_has_its_messages_on_the_disk() {
    let router = router();
    let with_id = SubscribeOptions { subscription_id: Some(7), retain_as_published: true, ..plain(ONE) };
    let id = stored_session(&router, "c", &[("t/#", with_id), ("zero", plain(ZERO))]);
    assert_eq!(publish(&router, message("other", "x", ONE, false)).delivered, 0);
    assert_eq!(publish(&router, message("zero", "x", ONE, false)).delivered, 0, "the subscription has QoS 0");
    let (published, write) = router.publish(message("t/1", "a", QoS::ExactlyOnce, true));
    assert_eq!(published.delivered, 1);
    write.unwrap().wait().unwrap();
    let found = on_disk(&router, id);
    assert_eq!(found.iter().map(described).collect::<Vec<_>>(), [("t/1".into(), "a".into(), ONE)]);
    assert_eq!((found[0].retain, found[0].subscription_ids()), (true, &[7][..]));
    assert_eq!(found[0].message.received_at, NOW);
}

/// QoS 0 goes to whom it reaches now, as to everybody.
#[test]
fn qos_0_never_touches_the_disk() {
    let (switch, router) = over_a_switch();
    let filters = [("t", plain(ONE))];
    let id = stored_session(&router, "c", &filters);
    switch.set(Mode::Hold);
    let mut publisher = router.publisher();
    assert_eq!(publisher.publish(message("t", "lost", ZERO, false)).delivered, 0);
    assert!(publisher.flush().is_none());
    let subscriber = attached(&router, "c", id, &filters);
    assert_eq!(publisher.publish(message("t", "live", ZERO, false)).delivered, 1);
    assert!(publisher.flush().is_none());
    let deliveries = drained(&subscriber);
    assert_eq!(payloads(&deliveries), ["live"]);
    assert_eq!(deliveries[0].seq, None);
    assert_eq!(switch.held(), 0);
    assert_eq!(router.sessions().queued(id).unwrap(), (0, 0));
}

/// One message for several sessions, and for subscribers that have none, each at its own QoS.
#[test]
fn stored_and_other_subscribers_side_by_side() {
    let router = router();
    let filters = [("t", plain(ONE))];
    let ids = ["a", "b", "c"].map(|client_id| stored_session(&router, client_id, &filters));
    let connected = attached(&router, "a", ids[0], &filters);
    let live = crate::connection(&router, "live");
    live.subscribe(crate::filter("t"), plain(QoS::ExactlyOnce));
    let (published, write) = router.publish(message("t", "x", QoS::ExactlyOnce, false));
    assert_eq!(published.delivered, 4);
    write.unwrap().wait().unwrap();
    assert_eq!(drained(&live).iter().map(|d| (d.qos, d.seq)).collect::<Vec<_>>(), [(QoS::ExactlyOnce, None)]);
    assert_eq!(drained(&connected).len(), 1);
    for id in ids {
        assert_eq!(on_disk(&router, id).len(), 1);
    }
}

/// A session that is taken over: its messages go to the newer connection, and the end of the older one changes nothing.
#[test]
fn the_newer_connection_has_the_session() {
    let router = router();
    let filters = [("t", plain(ONE))];
    let id = stored_session(&router, "c", &filters);
    let older = attached(&router, "c", id, &filters);
    let newer = attached(&router, "c", id, &filters);
    let publish = || router.publish(message("t", "x", ONE, false)).1.unwrap().wait().unwrap();
    publish();
    assert_eq!([drained(&older).len(), drained(&newer).len()], [0, 1]);
    drop(older);
    publish();
    assert_eq!(drained(&newer).len(), 1);
    drop(newer);
    publish();
    assert_eq!(on_disk(&router, id).len(), 3);
}

/// The publisher's own QoS 2 identifiers are kept with its messages [MQTT-4.3.3-10], and deliveries that are to be kept.
#[test]
fn what_else_is_kept() {
    let router = router();
    let id = stored_session(&router, "c", &[]);
    let mut publisher = router.publisher();
    publisher.receive(id, 9);
    publisher.receive(id, 65_535);
    publisher.keep(id, Delivery::plain(Arc::new(message("t", "kept", ONE, true)), ONE, true));
    publisher.flush().unwrap().wait().unwrap();
    assert_eq!(router.sessions().received_ids(id).unwrap(), [9, 65_535]);
    let found = on_disk(&router, id);
    assert_eq!((payloads(&found), found[0].retain), (vec!["kept".to_owned()], true));
}

/// What waits for the disk is written when its publisher goes away: nobody is acknowledged, and nothing is lost either.
#[test]
fn a_publisher_that_goes_away_leaves_nothing_behind() {
    let router = router();
    let id = stored_session(&router, "c", &[("t", plain(ONE))]);
    let mut publisher = router.publisher();
    assert_eq!(publisher.publish(message("t", "x", ONE, false)).delivered, 1);
    drop(publisher);
    router.sessions().acknowledge(id, &[]).wait().unwrap();
    assert_eq!(on_disk(&router, id).len(), 1);
}

/// Nothing is acknowledged that is not durable, and nobody gets what was not kept.
#[test]
fn a_store_that_fails_fails_the_write() {
    let (switch, router) = over_a_switch();
    let filters = [("t", plain(ONE))];
    let id = stored_session(&router, "c", &filters);
    let subscriber = attached(&router, "c", id, &filters);
    switch.set(Mode::RefuseCommits);
    let mut publisher = router.publisher();
    let _ = publisher.publish(message("t", "lost", ONE, false));
    assert!(publisher.flush().unwrap().wait().is_err());
    assert!(drained(&subscriber).is_empty());
    switch.set(Mode::Apply);
    let _ = publisher.publish(message("t", "kept", ONE, false));
    publisher.flush().unwrap().wait().unwrap();
    assert_eq!(payloads(&drained(&subscriber)), ["kept"]);
    assert_eq!(payloads(&on_disk(&router, id)), ["kept"]);
}

/// When it cannot be told whom a message reaches, nobody gets it and its publisher is told; all of the batch is sent
/// again then.
#[test]
fn a_store_that_does_not_answer_fails_the_batch() {
    let (switch, router) = over_a_switch();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    let mut publisher = router.publisher();
    let _ = publisher.publish(message("t/known", vec![0; 1_100_000], ONE, false));
    assert!(publisher.must_flush());
    switch.set(Mode::RefuseReads);
    assert_eq!(publisher.publish(message("t/new", "x", ONE, false)).delivered, 0);
    assert_eq!(router.metrics().failed_lookups.load(Ordering::Relaxed), 1);
    assert!(publisher.flush().unwrap().wait().is_err());
    assert!(!publisher.must_flush(), "there is nothing left");
    assert!(publisher.flush().is_none());
    switch.set(Mode::Apply);
    assert_eq!(on_disk(&router, id).len(), 0);
    let _ = publisher.publish(message("t/new", "x", ONE, false));
    publisher.flush().unwrap().wait().unwrap();
    assert_eq!(on_disk(&router, id).len(), 1);
}

/// The time when a message was taken is that of the publisher, whatever happens to it on the way.
#[test]
fn the_time_of_receipt_is_kept() {
    let router = router();
    let id = stored_session(&router, "c", &[("t", plain(ONE))]);
    let received_at = Timestamp::from_millis(5);
    let early = message::Message { received_at, ..message("t", "x", ONE, false) };
    router.publish(early).1.unwrap().wait().unwrap();
    assert_eq!(on_disk(&router, id)[0].message.received_at, received_at);
}
