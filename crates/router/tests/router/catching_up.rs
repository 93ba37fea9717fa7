//! A stored session whose mailbox is full reads on from the disk: nothing is lost, nothing comes twice, and each
//! publisher's messages stay in their order [MQTT-4.6.0-6], also with publishers at work and connections that come and go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use message::QoS;
use names::limits;
use persistent_sessions::{SessionId, Stage};
use router::{MailboxClosed, Router, Subscriber};

use crate::{attached, drained, message, payloads, plain, router, stored_session};

const ONE: QoS = QoS::AtLeastOnce;

/// A connection as it reads: from the disk until it has caught up, then from the mailbox.
struct Reader {
    subscriber: Subscriber,
    id: SessionId,
    next_seq: u64,
    is_behind: bool,
    fell_behind: usize,
}

impl Reader {
    fn new(router: &Arc<Router>, client_id: &str, id: SessionId) -> Self {
        let subscriber = attached(router, client_id, id, &[("t/#", plain(ONE))]);
        Self { subscriber, id, next_seq: 0, is_behind: true, fell_behind: 0 }
    }

    /// One look at the mailbox and one at the disk; gives what is new, and acknowledges it.
    fn step(&mut self, router: &Arc<Router>) -> Vec<String> {
        let mut news = Vec::new();
        let mut seqs = Vec::new();
        let mut taken = VecDeque::new();
        self.subscriber.mailbox().take(&mut taken);
        for delivery in taken {
            let seq = delivery.seq.unwrap().get();
            if !self.is_behind && seq >= self.next_seq {
                self.next_seq = seq + 1;
                seqs.push(seq);
                news.push(String::from_utf8(delivery.message.payload.to_vec()).unwrap());
            }
        }
        let came_behind = self.subscriber.mailbox().catch_up();
        self.fell_behind += usize::from(came_behind && !self.is_behind);
        if came_behind || self.is_behind {
            let rows = router.sessions().read(self.id, self.next_seq, 100, 1_000_000).unwrap();
            self.is_behind = !rows.is_empty();
            for row in rows {
                let Stage::Publish(queued) = row.stage else { panic!("nothing is released") };
                self.next_seq = row.seq + 1;
                seqs.push(row.seq);
                news.push(String::from_utf8(queued.message.payload.to_vec()).unwrap());
            }
        }
        drop(router.sessions().acknowledge(self.id, &seqs));
        news
    }
}

/// Stored messages do not fill the mailbox: from the first one that finds no room on, the disk has them.
#[test]
fn a_full_mailbox_is_behind_and_is_not_given_up() {
    let router = router();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    let subscriber = attached(&router, "c", id, &[("t/#", plain(ONE))]);
    let mut publisher = router.publisher();
    let mut publish = |numbers: std::ops::Range<usize>| {
        numbers.for_each(|n| _ = publisher.publish(message("t/x", format!("{n}"), ONE, false)));
        publisher.flush().unwrap().wait().unwrap();
    };
    let soft = limits::MAILBOX_MESSAGES_SOFT;
    publish(0..soft);
    assert_eq!(drained(&subscriber).len(), soft);
    assert!(!subscriber.mailbox().catch_up(), "all of it found room");
    publish(soft..3 * soft);
    let got = payloads(&drained(&subscriber));
    assert_eq!(got.len(), soft);
    assert_eq!(got.last(), Some(&format!("{}", 2 * soft - 1)));
    assert_eq!(subscriber.mailbox().closed(), None);
    // The room that there is again is not for what comes out of order.
    publish(3 * soft..3 * soft + 1);
    assert!(drained(&subscriber).is_empty());
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(subscriber.mailbox().poll_waiting(&mut context), Poll::Ready(Ok(())), "there is something on the disk");
    assert!(subscriber.mailbox().catch_up());
    assert!(!subscriber.mailbox().catch_up());
    assert_eq!(subscriber.mailbox().poll_waiting(&mut context), Poll::Pending);
    let mut on_disk = Vec::new();
    loop {
        let next = on_disk.last().map_or(0, |seq| seq + 1);
        let rows = router.sessions().read(id, next, 1_000, usize::MAX).unwrap();
        if rows.is_empty() {
            break;
        }
        on_disk.extend(rows.iter().map(|row| row.seq));
    }
    assert_eq!(on_disk.len(), 3 * soft + 1);
    publish(3 * soft + 1..3 * soft + 2);
    assert_eq!(payloads(&drained(&subscriber)), [format!("{}", 3 * soft + 1)]);
}

/// A mailbox that is closed while it is behind says so rather than being read for ever.
#[test]
fn a_closed_mailbox_is_not_behind() {
    let router = router();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    let subscriber = attached(&router, "c", id, &[("t/#", plain(ONE))]);
    let mut publisher = router.publisher();
    for _ in 0..=limits::MAILBOX_MESSAGES_SOFT {
        let _ = publisher.publish(message("t/x", "x", ONE, false));
    }
    publisher.flush().unwrap().wait().unwrap();
    subscriber.mailbox().close(MailboxClosed::TakenOver);
    assert_eq!(drained(&subscriber).len(), limits::MAILBOX_MESSAGES_SOFT);
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(subscriber.mailbox().poll_waiting(&mut context), Poll::Ready(Err(MailboxClosed::TakenOver)));
}

const PUBLISHERS: usize = 4;
const MESSAGES: usize = 3_000;

/// Publishes in batches of different sizes, as connections do, and waits for each to be durable.
fn publish_all(router: &Arc<Router>, number: usize) {
    let mut publisher = router.publisher();
    for n in 0..MESSAGES {
        assert_eq!(publisher.publish(message("t/x", format!("{number} {n}"), ONE, false)).delivered, 1);
        if n % (7 + 40 * number) == 0 || n + 1 == MESSAGES {
            publisher.flush().unwrap().wait().unwrap();
            publisher.wake();
        }
    }
}

fn check_all_came(got: &[String]) {
    let mut by_publisher: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for payload in got {
        let (publisher, n) = payload.split_once(' ').unwrap();
        by_publisher.entry(publisher).or_default().push(n.parse().unwrap());
    }
    assert_eq!(by_publisher.len(), PUBLISHERS);
    for (publisher, numbers) in by_publisher {
        let wrong = numbers.iter().enumerate().find(|&(place, n)| place != *n);
        assert_eq!((wrong, numbers.len()), (None, MESSAGES), "publisher {publisher}");
    }
}

/// Reads until the publishers are done and nothing is left; `pause` is what the reader does between two looks.
fn read_all(router: &Arc<Router>, reader: &mut Reader, is_over: &AtomicBool, pause: Duration) -> Vec<String> {
    let mut got = Vec::new();
    loop {
        let was_over = is_over.load(Ordering::Acquire);
        let news = reader.step(router);
        if was_over && news.is_empty() && !reader.is_behind {
            return got;
        }
        got.extend(news);
        std::thread::sleep(pause);
    }
}

fn while_publishing<T: Send>(router: &Arc<Router>, read: impl FnOnce(&AtomicBool) -> T + Send) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&is_over));
        let publishers: Vec<_> =
            (0..PUBLISHERS).map(|number| scope.spawn(move || publish_all(router, number))).collect();
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        is_over.store(true, Ordering::Release);
        reading.join().unwrap()
    })
}

#[test]
fn nothing_is_lost_when_a_reader_connects_among_publishers() {
    let router = router();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    let got = while_publishing(&router, |is_over| {
        while router.sessions().queued(id).unwrap().0 < 500 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut reader = Reader::new(&router, "c", id);
        read_all(&router, &mut reader, is_over, Duration::ZERO)
    });
    check_all_came(&got);
}

/// The mailbox overflows again and again, because this reader looks seldom.
#[test]
fn nothing_is_lost_when_a_reader_falls_behind() {
    let router = router();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    // It has caught up before the first message, then does not look until its mailbox is full.
    let mut reader = Reader::new(&router, "c", id);
    assert!(reader.step(&router).is_empty() && !reader.is_behind);
    let (got, fell_behind) = while_publishing(&router, |is_over| {
        while router.sessions().queued(id).unwrap().0 < 2 * limits::MAILBOX_MESSAGES_SOFT as u64 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let got = read_all(&router, &mut reader, is_over, Duration::from_millis(3));
        (got, reader.fell_behind)
    });
    check_all_came(&got);
    assert!(fell_behind > 0, "the test shows nothing");
}

/// Each connection takes the session over from the one before it, while messages are on their way to both.
#[test]
fn nothing_is_lost_when_connections_follow_each_other() {
    let router = router();
    let id = stored_session(&router, "c", &[("t/#", plain(ONE))]);
    let got = while_publishing(&router, |is_over| {
        let mut got = Vec::new();
        let mut reader = Reader::new(&router, "c", id);
        while !is_over.load(Ordering::Acquire) {
            for _ in 0..5 {
                got.extend(reader.step(&router));
            }
            // What it was given is acknowledged; the next one begins where it ended.
            let mut next = Reader::new(&router, "c", id);
            next.next_seq = reader.next_seq;
            reader = next;
        }
        got.extend(read_all(&router, &mut reader, is_over, Duration::ZERO));
        got
    });
    check_all_came(&got);
}
