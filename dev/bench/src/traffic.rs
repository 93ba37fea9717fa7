//! Scenarios pair, fanout, fanin and echo: what a delivered message costs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::fleet::Fleet;
use crate::frame::{Frame, topic_of, write_puback, write_publish, write_subscribe};
use crate::link::{PUBACK, PUBLISH};
use crate::report::percentile;
use crate::{Options, Scenario, Usage};

pub(crate) fn run(options: &Options) -> anyhow::Result<String> {
    let mut traffic = Traffic::new(options)?;
    traffic.subscribe()?;
    traffic.subscribe_bystander()?;
    traffic.drive(options.warm_up())?;
    let before = Usage::of(options.pid);
    let (received_before, began) = (traffic.received, Instant::now());
    traffic.latencies = Some(Vec::with_capacity(1 << 20));
    traffic.drive(options.measured())?;
    let seconds = began.elapsed().as_secs_f64();
    let after = Usage::of(options.pid);
    let mut latencies = traffic.latencies.take().unwrap_or_default();
    latencies.sort_unstable();
    Ok(describe(options, traffic.received - received_before, seconds, &before, &after, &latencies))
}

#[expect(clippy::cast_precision_loss, reason = "a run has less than 2^52 messages")]
fn describe(
    options: &Options,
    delivered: u64,
    seconds: f64,
    before: &Usage,
    after: &Usage,
    latencies: &[u32],
) -> String {
    let delivered = delivered as f64;
    format!(
        "{} n {} qos {} payload {} window {} delivered/s {:.0} p50_us {} p99_us {} broker_cpu_us_per_msg {:.3} rss_kib {:.0}",
        format!("{:?}", options.scenario).to_lowercase(),
        options.n,
        options.qos,
        options.body.as_ref().map_or(options.payload, String::len),
        options.window,
        delivered / seconds,
        percentile(latencies, 50),
        percentile(latencies, 99),
        after.cpu_micros_since(before) / delivered.max(1.0),
        after.resident_kib,
    )
}

/// Publishers have the first numbers among the clients, subscribers the next, the bystander the last.
struct Traffic<'a> {
    options: &'a Options,
    fleet: Fleet,
    publishers: Vec<Publisher>,
    subscribers: usize,
    /// Deliveries that one message brings.
    copies: usize,
    sequence: u64,
    received: u64,
    payload: Vec<u8>,
    /// Microseconds from publish to delivery, while they are measured.
    latencies: Option<Vec<u32>>,
}

struct Publisher {
    topic: String,
    /// Deliveries still awaited.
    awaited: usize,
    /// PUBACKs still awaited.
    unacknowledged: usize,
    /// When the awaited messages were sent, oldest first; only where a message has one delivery.
    sent_at: VecDeque<Instant>,
}

/// What one client's packets mean for the publishers.
#[derive(Default)]
struct Arrivals {
    pubacks: usize,
    /// Deliveries, by the publisher that they came from.
    deliveries: Vec<usize>,
}

impl<'a> Traffic<'a> {
    fn new(options: &'a Options) -> anyhow::Result<Self> {
        let (publishers, subscribers) = match options.scenario {
            Scenario::Fanout => (1, options.n),
            Scenario::Fanin => (options.n, 1),
            Scenario::Echo => (options.n, 0),
            Scenario::Pair | Scenario::Idle | Scenario::Churn => (options.n, options.n),
        };
        let mut fleet = Fleet::new(options)?;
        fleet.connect(options, publishers + subscribers + usize::from(options.filters > 0))?;
        let publisher = |i| Publisher {
            topic: options.topic(i),
            awaited: 0,
            unacknowledged: 0,
            sent_at: VecDeque::with_capacity(options.window),
        };
        Ok(Self {
            options,
            fleet,
            publishers: (0..publishers).map(publisher).collect(),
            subscribers,
            copies: if options.scenario == Scenario::Fanout { subscribers } else { 1 },
            sequence: 0,
            received: 0,
            payload: vec![b'x'; options.payload],
            latencies: None,
        })
    }

    fn subscribe(&mut self) -> anyhow::Result<()> {
        let (scenario, first) = (self.options.scenario, self.publishers.len());
        let receivers = if scenario == Scenario::Echo { 0..first } else { first..first + self.subscribers };
        for (i, link) in self.fleet.links.iter_mut().take(receivers.end).skip(receivers.start).enumerate() {
            let number = match scenario {
                Scenario::Fanin => "+".to_owned(),
                Scenario::Fanout => "0".to_owned(),
                _ => i.to_string(),
            };
            let packet_id = link.next_packet_id();
            write_subscribe(packet_id, &[self.options.subscription(&number)], self.options.qos, &mut link.out);
            link.flush();
        }
        let expected = receivers.len();
        self.fleet.wait_until("SUBACK", |links| links.iter().filter(|link| link.subacks > 0).count() == expected)
    }

    /// Filters of a client that gets nothing: what matching costs.
    fn subscribe_bystander(&mut self) -> anyhow::Result<()> {
        let filters: Vec<String> =
            (0..self.options.filters).map(|k| self.options.filter.replace("{k}", &k.to_string())).collect();
        for wave in filters.chunks(FILTERS_A_SUBSCRIBE * SUBSCRIBES_A_WAVE) {
            let bystander = self.fleet.links.last_mut().context("no bystander")?;
            let mut expected = bystander.subacks;
            for filters in wave.chunks(FILTERS_A_SUBSCRIBE) {
                let packet_id = bystander.next_packet_id();
                write_subscribe(packet_id, filters, 0, &mut bystander.out);
                expected += 1;
            }
            bystander.flush();
            self.fleet.wait_until("the bystander's SUBACK", |links| {
                links.last().is_some_and(|bystander| bystander.subacks >= expected)
            })?;
        }
        Ok(())
    }

    fn drive(&mut self, time: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut ready = Vec::new();
        let mut arrivals = Arrivals::default();
        for publisher in 0..self.publishers.len() {
            self.top_up(publisher);
        }
        while began.elapsed() < time {
            self.fleet.step(Duration::from_millis(20), &mut ready)?;
            for client in &ready {
                self.read(*client, &mut arrivals)?;
                self.credit(*client, &mut arrivals);
            }
        }
        Ok(())
    }

    /// Answers one client's packets and notes what they mean.
    fn read(&mut self, client: usize, arrivals: &mut Arrivals) -> anyhow::Result<()> {
        let (options, first) = (self.options, self.publishers.len());
        let link = self.fleet.links.get_mut(client).context("an event of no client")?;
        link.for_each_frame(|frame, out| match frame.kind() {
            PUBLISH => {
                let Some((topic, rest)) = topic_of(frame.body) else { return };
                if Frame::qos(&frame) > 0 {
                    write_puback(rest, out);
                }
                arrivals.deliveries.push(match options.scenario {
                    Scenario::Fanout => 0,
                    Scenario::Fanin => number_in(topic),
                    Scenario::Echo => client,
                    _ => client.saturating_sub(first),
                });
            }
            PUBACK => arrivals.pubacks += 1,
            _ => {}
        });
        link.flush();
        ensure!(!link.is_dead, "client {client} was dropped under load");
        Ok(())
    }

    /// Gives publishers room for what arrived, and lets them send.
    fn credit(&mut self, client: usize, arrivals: &mut Arrivals) {
        let now = Instant::now();
        self.received += arrivals.deliveries.len() as u64;
        let acknowledged = std::mem::take(&mut arrivals.pubacks);
        if let Some(publisher) = self.publishers.get_mut(client).filter(|_| acknowledged > 0) {
            publisher.unacknowledged = publisher.unacknowledged.saturating_sub(acknowledged);
            self.top_up(client);
        }
        for (at, index) in arrivals.deliveries.iter().enumerate() {
            let Some(publisher) = self.publishers.get_mut(*index) else { continue };
            publisher.awaited = publisher.awaited.saturating_sub(1);
            let sent_at = publisher.sent_at.pop_front();
            if let (Some(latencies), Some(sent_at)) = (self.latencies.as_mut(), sent_at) {
                latencies.push(u32::try_from(now.duration_since(sent_at).as_micros()).unwrap_or(u32::MAX));
            }
            // Once for a run of deliveries from one publisher: it sends all that it may in one write.
            if arrivals.deliveries.get(at + 1) != Some(index) {
                self.top_up(*index);
            }
        }
        arrivals.deliveries.clear();
    }

    /// Lets a publisher send until its window is full.
    fn top_up(&mut self, index: usize) {
        let (window, copies) = (self.options.window, self.copies);
        let (Some(publisher), Some(link)) = (self.publishers.get_mut(index), self.fleet.links.get_mut(index)) else {
            return;
        };
        let now = Instant::now();
        while publisher.awaited + copies <= window * copies && publisher.unacknowledged < window {
            self.sequence += 1;
            let packet_id = (self.options.qos > 0).then(|| link.next_packet_id());
            match &self.options.body {
                None => write_publish(packet_id, &publisher.topic, &self.payload, &mut link.out),
                Some(body) => {
                    let body = body.replace("{seq}", &self.sequence.to_string()).replace("{i}", &index.to_string());
                    write_publish(packet_id, &publisher.topic, body.as_bytes(), &mut link.out);
                }
            }
            publisher.awaited += copies;
            publisher.unacknowledged += usize::from(packet_id.is_some());
            if copies == 1 {
                publisher.sent_at.push_back(now);
            }
        }
        link.flush();
    }
}

/// The publisher's number in a topic such as `bench/17/data`.
fn number_in(topic: &[u8]) -> usize {
    let levels = topic.split(|byte| *byte == b'/').filter_map(|level| std::str::from_utf8(level).ok());
    levels.filter_map(|level| level.parse().ok()).next().unwrap_or(0)
}

/// As many as AWS IoT Core takes in one SUBSCRIBE.
const FILTERS_A_SUBSCRIBE: usize = 8;
const SUBSCRIBES_A_WAVE: usize = 64;
