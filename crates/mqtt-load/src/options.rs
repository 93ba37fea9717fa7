//! The command line of a run.

use std::time::Duration;

use clap::{Args, ValueEnum};
use names::limits::{LOAD_CLIENTS_MAX, LOAD_FILTERS_MAX, LOAD_PAYLOAD_BYTES_MAX, LOAD_SECONDS_MAX, LOAD_WINDOW_MAX};

use crate::{ConnectOptions, LoadError};

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Publisher i to subscriber i
    Pair,
    /// N publishers to one subscriber
    FanIn,
    /// One publisher to N subscribers
    FanOut,
    /// N clients publish and await an answer each: shadows, rules
    Echo,
    /// N clients connect and stay
    Idle,
    /// N clients at a time connect and leave
    Connect,
    /// N publishers fill the queues of N persistent sessions that are away
    Offline,
}

/// One run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Who talks to whom
    pub scenario: Scenario,
    /// Clients: pairs, publishers, subscribers or connections [default: 50; fan-out 500, echo 10, idle 1000]
    #[arg(short = 'n', long, value_name = "N", value_parser = |text: &str| whole(text, 1, LOAD_CLIENTS_MAX))]
    pub clients: Option<usize>,
    /// QoS of publishes and subscriptions [default: 0; offline 1]
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: Option<u8>,
    /// Payload of a message
    #[arg(long, default_value = "256", value_name = "BYTES", value_parser = |text: &str| whole(text, 0, LOAD_PAYLOAD_BYTES_MAX))]
    pub payload: usize,
    /// Messages in flight for each publisher [default: 20; fan-out 4]
    #[arg(long, value_name = "MESSAGES", value_parser = |text: &str| whole(text, 1, LOAD_WINDOW_MAX))]
    pub window: Option<usize>,
    /// Time that is measured
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub seconds: Duration,
    /// Time of load before that
    #[arg(long, default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub warm_up: Duration,
    /// Topic to publish to; {i} is the publisher's number, {run} this run's
    #[arg(long, default_value = "bench/{run}/{i}/data")]
    pub topic: String,
    /// echo: the topic filter on which client {i} awaits its answers
    #[arg(long = "await", value_name = "FILTER")]
    pub awaits: Option<String>,
    /// Text to publish instead of --payload; {i} and {seq} are filled in
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// Wildcard filters that one more client, which gets nothing, subscribes to
    #[arg(long, default_value = "0", value_name = "N", value_parser = |text: &str| whole(text, 0, LOAD_FILTERS_MAX))]
    pub filters: usize,
    /// What those filters are; {k} is the filter's number
    #[arg(long, default_value = "other/{k}/+/x/#", value_name = "FILTER")]
    pub filter: String,
    /// How client identifiers begin; a number follows
    #[arg(long, default_value = "bench-{run}-", value_name = "TEXT")]
    pub client_prefix: String,
    /// Where the broker is, and as whom the clients come
    #[command(flatten)]
    pub connect: ConnectOptions,
    /// The broker's process on this machine: its CPU time and memory are reported
    #[arg(long)]
    pub pid: Option<u32>,
}

impl Options {
    /// What clap cannot see: options that do not go together.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let wrong = |text: String| Err(LoadError::Setting(text));
        let shares_topics =
            matches!(self.scenario, Scenario::Pair | Scenario::FanIn | Scenario::Echo | Scenario::Offline)
                && self.clients() > 1
                && !self.topic.contains("{i}");
        if shares_topics {
            return wrong(format!("--topic {}: without {{i}} all publishers share it", self.topic));
        }
        if self.topic.contains(['+', '#']) {
            return wrong(format!("--topic {}: a topic to publish to has no wildcards", self.topic));
        }
        match (self.scenario, &self.awaits) {
            (Scenario::Echo, None) => return wrong("echo needs --await: the filter of the answers".to_owned()),
            (Scenario::Echo, Some(_)) | (_, None) => {}
            (_, Some(_)) => return wrong("--await is for echo".to_owned()),
        }
        if self.scenario == Scenario::Offline && self.qos() == 0 {
            return wrong("offline: QoS 0 is not kept for who is away; use --qos 1 or 2".to_owned());
        }
        Ok(())
    }

    /// Clients of the scenario.
    pub(crate) fn clients(&self) -> usize {
        self.clients.unwrap_or(match self.scenario {
            Scenario::FanOut => 500,
            Scenario::Idle => 1000,
            Scenario::Echo => 10,
            _ => 50,
        })
    }

    pub(crate) fn qos(&self) -> u8 {
        self.qos.unwrap_or(if self.scenario == Scenario::Offline { 1 } else { 0 })
    }

    pub(crate) fn window(&self) -> usize {
        self.window.unwrap_or(if self.scenario == Scenario::FanOut { 4 } else { 20 })
    }

    /// Client number `i`'s identifier.
    pub(crate) fn client_id(&self, i: usize) -> String {
        format!("{}{i}", of_this_run(&self.client_prefix))
    }

    /// The identifier of the session that is away, number `i`.
    pub(crate) fn session_id(&self, i: usize) -> String {
        format!("{}session-{i}", of_this_run(&self.client_prefix))
    }

    /// The topic that publisher `i` publishes to.
    pub(crate) fn topic(&self, i: usize) -> String {
        of_this_run(&self.topic).replace("{i}", &i.to_string())
    }

    /// The filter that fits all publishers' topics.
    pub(crate) fn filter_of_all(&self) -> String {
        let topic = of_this_run(&self.topic);
        let levels = topic.split('/').map(|level| if level.contains("{i}") { "+" } else { level });
        levels.collect::<Vec<_>>().join("/")
    }

    /// The filter of client `i`'s answers.
    pub(crate) fn awaited_filter(&self, i: usize) -> String {
        of_this_run(self.awaits.as_deref().unwrap_or_default()).replace("{i}", &i.to_string())
    }

    /// Filter `k` of the client that gets nothing.
    pub(crate) fn bystander_filter(&self, k: usize) -> String {
        of_this_run(&self.filter).replace("{k}", &k.to_string())
    }
}

/// Two runs at a time must not take each other's identifiers and messages.
fn of_this_run(text: &str) -> String {
    text.replace("{run}", &std::process::id().to_string())
}

fn whole(text: &str, min: usize, max: usize) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("a whole number from {min} to {max} is wanted"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = time.filter(|time| *time <= Duration::from_secs(LOAD_SECONDS_MAX));
    time.ok_or_else(|| format!("seconds from 0 to {LOAD_SECONDS_MAX} are wanted"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(arguments: &[&str]) -> Options {
        Line::parse_from(["bench"].iter().chain(arguments)).options
    }

    #[test]
    fn defaults_depend_on_the_scenario() {
        let check = |arguments: &[&str], clients, qos, window| {
            let options = parsed(arguments);
            assert_eq!((options.clients(), options.qos(), options.window()), (clients, qos, window), "{arguments:?}");
        };
        check(&["pair"], 50, 0, 20);
        check(&["fan-out"], 500, 0, 4);
        check(&["offline"], 50, 1, 20);
        check(&["idle", "-n", "7"], 7, 0, 20);
        check(&["pair", "--qos", "2", "--window", "1", "--clients", "3"], 3, 2, 1);
    }

    #[test]
    fn wrong_values_are_told() {
        let check = |arguments: &[&str], expected: &str| {
            let error = Line::try_parse_from(["bench"].iter().chain(arguments)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "<SCENARIO>");
        check(&["pear"], "possible values: pair, fan-in, fan-out, echo, idle, connect, offline");
        check(&["pair", "--clients", "0"], "a whole number from 1 to 1000000 is wanted");
        check(&["pair", "--window", "65536"], "a whole number from 1 to 65535 is wanted");
        check(&["pair", "--qos", "3"], "3 is not in 0..=2");
        check(&["pair", "--mqtt", "3.1"], "possible values: 3.1.1, 5");
        check(&["pair", "--seconds=-1"], "seconds from 0 to");
        check(&["pair", "--seconds", "NaN"], "seconds from 0 to");
        check(&["pair", "--tls"], "--ca <FILE>");
        check(&["pair", "--tls", "--ca", "a", "--cert", "b"], "--key <FILE>");
    }

    #[test]
    fn options_that_do_not_go_together_are_told() {
        let check = |arguments: &[&str], expected: &str| {
            let error = parsed(arguments).check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&["pair", "--topic", "a/b"], "--topic a/b: without {i}");
        check(&["pair", "--topic", "a/{i}/#"], "no wildcards");
        check(&["echo"], "echo needs --await");
        check(&["pair", "--await", "x"], "--await is for echo");
        check(&["offline", "--qos", "0"], "offline: QoS 0 is not kept");
        parsed(&["fan-out", "--topic", "a/b"]).check().unwrap();
        parsed(&["pair", "-n", "1", "--topic", "a/b"]).check().unwrap();
        parsed(&["echo", "--await", "x/{i}"]).check().unwrap();
    }

    #[test]
    fn places_in_topics_are_filled_in() {
        let run = std::process::id();
        assert_eq!(parsed(&["pair"]).topic(7), format!("bench/{run}/7/data"));
        assert_eq!(parsed(&["pair"]).client_id(7), format!("bench-{run}-7"));
        assert_eq!(parsed(&["fan-in", "--topic", "a/t{i}/x"]).filter_of_all(), "a/+/x");
        assert_eq!(parsed(&["echo", "--await", "r/{i}"]).awaited_filter(3), "r/3");
        assert_eq!(parsed(&["pair"]).bystander_filter(5), "other/5/+/x/#");
    }
}
