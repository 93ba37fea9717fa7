//! Services make their publishers wait, and lose nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use message::{QoS, TopicName};
use names::{Dialect, limits};
use router::{Handled, NotHandled};

use crate::{connection, filter, message, options, publish, router};

#[test]
fn a_service_that_is_behind_is_seen_before_it_is_published_to() {
    let router = router();
    let (service, connection) = (router.service(), connection(&router, "c"));
    service.subscribe(filter("s"), options(QoS::AtMostOnce, Dialect::Mqtt));
    connection.subscribe(filter("c"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    let congested = || ["s", "c"].map(|topic| router.is_congested(&TopicName::new(topic).unwrap()));
    for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
        assert_eq!(congested(), [false, false]);
        let _ = publish(&router, message("s", "x", QoS::AtMostOnce, false));
        let _ = publish(&router, message("c", "x", QoS::AtLeastOnce, false));
    }
    assert_eq!(congested(), [true, false], "connections have a policy of their own");
    service.mailbox().drain(&mut Vec::new(), 1);
    assert_eq!(congested(), [false, false]);
}

#[tokio::test]
async fn a_flooded_service_makes_its_publishers_wait_and_loses_nothing() {
    let router = router();
    let service = router.service();
    service.subscribe(filter("s/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let flood = tokio::spawn({
        let router = Arc::clone(&router);
        async move {
            let mut publisher = router.publisher();
            for _ in 0..20_000 {
                assert_eq!(publisher.publish(message("s/t", "x", QoS::AtMostOnce, false)).delivered, 1);
                if publisher.is_congested() {
                    publisher.wait_for_room().await;
                }
            }
            publisher.wake();
        }
    });
    let (mut got, mut buffer) = (0, Vec::new());
    while got < 20_000 {
        got += service.receive(&mut buffer, 100).await;
        assert!(buffer.len() <= 100);
        buffer.clear();
        tokio::task::yield_now().await;
    }
    flood.await.unwrap();
}

#[tokio::test]
async fn a_publisher_that_waits_for_a_service_is_let_go_when_the_service_ends() {
    let router = router();
    let service = router.service();
    service.subscribe(filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let mut publisher = router.publisher();
    for _ in 0..=limits::MAILBOX_MESSAGES_SOFT {
        let _ = publisher.publish(message("t", "x", QoS::AtMostOnce, false));
    }
    assert!(publisher.is_congested());
    let waiting = tokio::spawn(async move { publisher.wait_for_room().await });
    tokio::task::yield_now().await;
    drop(service);
    tokio::time::timeout(std::time::Duration::from_secs(5), waiting).await.expect("still waiting").unwrap();
}

/// A service that keeps what it is told is waited for, by publishers of QoS 1 and 2, until it is done.
#[tokio::test]
async fn a_message_is_handled_when_every_service_that_confirms_is_done() {
    let router = router();
    let (one, other, plain) = (router.confirming_service(), router.confirming_service(), router.service());
    for service in [&one, &other, &plain] {
        service.subscribe(filter("t/#"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    }
    assert!(publish(&router, message("t", "x", QoS::AtMostOnce, false)).handled.is_empty());
    assert!(publish(&router, message("other", "x", QoS::AtLeastOnce, false)).handled.is_empty());
    [one.mailbox(), other.mailbox()].iter().for_each(|mailbox| _ = mailbox.drain(&mut Vec::new(), 9));

    let mut handled = publish(&router, message("t", "x", QoS::ExactlyOnce, false)).handled;
    let mut deliveries = Vec::new();
    one.mailbox().drain(&mut deliveries, 9);
    other.mailbox().drain(&mut deliveries, 9);
    for delivery in &deliveries {
        assert!(now_ready(&mut handled).is_none());
        delivery.confirm();
    }
    assert_eq!(now_ready(&mut handled), Some(Ok(())));

    let mut dropped = publish(&router, message("t", "x", QoS::AtLeastOnce, false)).handled;
    drop((one, other));
    assert_eq!(now_ready(&mut dropped), Some(Err(NotHandled)), "a service that ends has not done it");
}

fn now_ready(handled: &mut Handled) -> Option<Result<(), NotHandled>> {
    match Pin::new(handled).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
