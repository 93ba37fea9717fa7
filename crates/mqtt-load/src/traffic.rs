//! Scenarios pair, fan-in, fan-out and echo: what a delivered message costs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use names::limits::AWS_FILTERS_PER_SUBSCRIBE_MAX;

use crate::fleet::{Fleet, STEP};
use crate::histogram::Histogram;
use crate::link::Arrival;
use crate::publisher::{Message, Publisher};
use crate::run::{Run, elapsed_of};
use crate::template::Template;
use crate::{LoadError, Report, Scenario};

pub(crate) fn run(run: &mut Run<'_>) -> Result<Report, LoadError> {
    let mut traffic = Traffic::connect(run)?;
    traffic.subscribe(run)?;
    traffic.drive(run, run.options.warm_up, "warming up")?;
    if traffic.fleet.is_stopped() {
        return Err(LoadError::Stopped);
    }
    let before = run.usage();
    (traffic.messages, traffic.bytes) = (0, 0);
    traffic.latencies.clear();
    let began = Instant::now();
    traffic.drive(run, run.options.seconds, "measuring")?;
    let (time, usage) = (began.elapsed(), before.zip(run.usage()));
    let mut report = run.report();
    report.measure("seconds", time.as_secs_f64());
    report.rate(["messages", "messages_per_second"], traffic.messages, time);
    report.rate(["bytes", "bytes_per_second"], traffic.bytes, time);
    report.latencies(&traffic.latencies);
    report.broker(usage, "broker_cpu_us_per_message", traffic.messages);
    run.end(&mut report, &traffic.fleet);
    traffic.fleet.disconnect();
    Ok(report)
}

/// Publishers have the first numbers among the clients, subscribers the next, the bystander the last.
struct Traffic<'a> {
    scenario: Scenario,
    fleet: Fleet<'a>,
    publishers: Vec<Publisher>,
    /// By topic; only where one subscriber gets messages of many.
    publishers_by_topic: HashMap<Vec<u8>, usize>,
    /// How many messages each subscriber has got.
    received: Vec<u64>,
    message: Message,
    /// Deliveries while they are measured.
    messages: u64,
    /// Bytes of payload that they brought.
    bytes: u64,
    latencies: Histogram,
}

/// What one client's packets mean for the publishers.
#[derive(Default)]
struct Arrivals {
    acknowledged: usize,
    /// Deliveries, by the publisher that they came from.
    deliveries: Vec<usize>,
    bytes: u64,
}

impl<'a> Traffic<'a> {
    fn connect(run: &mut Run<'a>) -> Result<Self, LoadError> {
        let options = run.options;
        let clients = options.clients();
        let (publishers, subscribers, copies) = match options.scenario {
            Scenario::FanOut => (1, clients, clients),
            Scenario::FanIn => (clients, 1, 1),
            Scenario::Echo => (clients, 0, 1),
            _ => (clients, clients, 1),
        };
        let mut fleet = run.fleet()?;
        let total = publishers + subscribers + usize::from(options.filters > 0);
        run.connect(&mut fleet, total, true, |number| options.client_id(number))?;
        let publisher = |i| Publisher::new(i, options.topic(i), options.window(), copies);
        let publishers: Vec<Publisher> = (0..publishers).map(publisher).collect();
        let numbered = publishers.iter().enumerate().map(|(number, publisher)| (publisher.topic.clone(), number));
        Ok(Self {
            scenario: options.scenario,
            publishers_by_topic: numbered.filter(|_| options.scenario == Scenario::FanIn).collect(),
            publishers,
            fleet,
            received: vec![0; subscribers],
            message: Message {
                qos: options.qos(),
                body: options.body.as_deref().map(Template::new),
                payload: vec![b'x'; options.payload],
            },
            messages: 0,
            bytes: 0,
            latencies: Histogram::new(),
        })
    }

    fn subscribe(&mut self, run: &mut Run<'_>) -> Result<(), LoadError> {
        let (options, first) = (run.options, self.publishers.len());
        let receivers = if self.scenario == Scenario::Echo { 0..first } else { first..first + self.received.len() };
        for (i, link) in self.fleet.links.iter_mut().take(receivers.end).skip(receivers.start).enumerate() {
            let filter = match self.scenario {
                Scenario::FanIn => options.filter_of_all(),
                Scenario::FanOut => options.topic(0),
                Scenario::Echo => options.awaited_filter(i),
                _ => options.topic(i),
            };
            link.subscribe(&[filter], options.qos());
            link.flush();
        }
        let expected = receivers.len();
        self.fleet.wait_for("SUBACK", |links| expected - links.iter().filter(|link| link.subacks() > 0).count())?;
        self.subscribe_bystander(run)
    }

    /// Filters of a client that gets nothing: what matching costs.
    fn subscribe_bystander(&mut self, run: &mut Run<'_>) -> Result<(), LoadError> {
        let total = run.options.filters;
        for begin in (0..total).step_by(FILTERS_A_WAVE) {
            let end = (begin + FILTERS_A_WAVE).min(total);
            let filters: Vec<String> = (begin..end).map(|k| run.options.bystander_filter(k)).collect();
            let Some(bystander) = self.fleet.links.last_mut() else { break };
            let packets = filters.chunks(AWS_FILTERS_PER_SUBSCRIBE_MAX);
            let expected = bystander.subacks() + packets.len();
            packets.for_each(|filters| bystander.subscribe(filters, 0));
            bystander.flush();
            self.fleet.wait_for("SUBACK for the bystander's filters", |links| {
                links.last().map_or(0, |bystander| expected.saturating_sub(bystander.subacks()))
            })?;
            run.progress.show(|| format!("subscribing: {end} of {total} filters"));
        }
        Ok(())
    }

    /// Keeps all windows full for a time, and until the first message has arrived.
    fn drive(&mut self, run: &mut Run<'_>, time: Duration, phase: &str) -> Result<(), LoadError> {
        let began = Instant::now();
        let already = self.messages;
        let (mut arrived, mut arrived_at) = (already, began);
        let mut ready = Vec::new();
        let mut arrivals = Arrivals::default();
        for publisher in 0..self.publishers.len() {
            self.top_up(publisher);
        }
        while (began.elapsed() < time || arrived == already) && !self.fleet.is_stopped() {
            self.fleet.step(STEP, &mut ready)?;
            for client in &ready {
                self.read(*client, &mut arrivals)?;
                self.credit(*client, &mut arrivals);
            }
            if self.messages != arrived {
                (arrived, arrived_at) = (self.messages, Instant::now());
            } else if arrived_at.elapsed() > run.options.connect.patience() {
                return Err(self.stalled(run.options.connect.patience()));
            }
            let rate = self.messages as f64 / began.elapsed().as_secs_f64();
            run.progress.show(|| {
                let p99 = self.latencies.percentile(99);
                format!("{phase}: {}, {rate:.0} messages/s, p99 {p99} us", elapsed_of(began.elapsed(), time))
            });
        }
        Ok(())
    }

    /// Answers one client's packets and notes what they mean.
    fn read(&mut self, client: usize, arrivals: &mut Arrivals) -> Result<(), LoadError> {
        let (scenario, first) = (self.scenario, self.publishers.len());
        let Some(link) = self.fleet.links.get_mut(client) else { return Ok(()) };
        link.receive(|arrival| match arrival {
            Arrival::Message { topic, payload } => {
                arrivals.bytes += payload.len() as u64;
                match scenario {
                    Scenario::FanIn => arrivals.deliveries.extend(self.publishers_by_topic.get(topic)),
                    Scenario::FanOut => arrivals.deliveries.push(0),
                    Scenario::Echo => arrivals.deliveries.push(client),
                    _ => arrivals.deliveries.push(client.saturating_sub(first)),
                }
            }
            Arrival::Acknowledged => arrivals.acknowledged += 1,
        });
        link.flush();
        link.take_failure().map_or(Ok(()), Err)
    }

    /// Gives publishers room for what arrived, and lets them send.
    fn credit(&mut self, client: usize, arrivals: &mut Arrivals) {
        let now = Instant::now();
        self.messages += arrivals.deliveries.len() as u64;
        self.bytes += std::mem::take(&mut arrivals.bytes);
        let acknowledged = std::mem::take(&mut arrivals.acknowledged);
        if let Some(publisher) = self.publishers.get_mut(client).filter(|_| acknowledged > 0) {
            publisher.acknowledged(acknowledged);
            self.top_up(client);
        }
        let receiver = client.checked_sub(self.publishers.len()).filter(|_| self.scenario == Scenario::FanOut);
        for (at, number) in arrivals.deliveries.iter().enumerate() {
            let Some(publisher) = self.publishers.get_mut(*number) else { continue };
            let received = receiver.and_then(|receiver| self.received.get_mut(receiver));
            let position = received.map(|received| std::mem::replace(received, *received + 1));
            if let Some(age) = publisher.delivered(position, now) {
                self.latencies.record(age);
            }
            // Once for a run of deliveries from one publisher: it sends all that it may in one write.
            if arrivals.deliveries.get(at + 1) != Some(number) {
                self.top_up(*number);
            }
        }
        arrivals.deliveries.clear();
    }

    fn top_up(&mut self, number: usize) {
        if let (Some(publisher), Some(link)) = (self.publishers.get_mut(number), self.fleet.links.get_mut(number)) {
            publisher.top_up(link, &mut self.message);
        }
    }

    fn stalled(&self, patience: Duration) -> LoadError {
        let missing = self.publishers.iter().map(|publisher| (publisher, publisher.missing()));
        let waiting: Vec<_> = missing.filter(|(_, missing)| *missing != (0, 0)).collect();
        let deliveries: usize = waiting.iter().map(|(_, (deliveries, _))| deliveries).sum();
        let acknowledgements: usize = waiting.iter().map(|(_, (_, acknowledgements))| acknowledgements).sum();
        let topic = waiting.first().map(|(publisher, _)| String::from_utf8_lossy(&publisher.topic));
        LoadError::Stalled {
            awaited: "message",
            seconds: patience.as_secs(),
            missing: format!(
                "{} of {} publishers wait for {deliveries} deliveries and {acknowledgements} acknowledgements, \
                 the first on topic {}",
                waiting.len(),
                self.publishers.len(),
                topic.unwrap_or_default(),
            ),
        }
    }
}

const FILTERS_A_WAVE: usize = 64 * AWS_FILTERS_PER_SUBSCRIBE_MAX;
