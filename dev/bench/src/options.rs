//! The load generator's command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Publisher i to subscriber i.
    Pair,
    /// One publisher to N subscribers.
    Fanout,
    /// N publishers to one subscriber.
    Fanin,
    /// Each client publishes and awaits the answer itself: shadows, rules.
    Echo,
    /// Connect N clients and hold them.
    Idle,
    /// Connect and disconnect, N at a time.
    Churn,
}

/// One run of the load generator.
#[derive(Debug, Clone, Parser)]
#[command(name = "loadgen", about = "A closed-loop MQTT 3.1.1 load generator on one thread")]
pub struct Options {
    /// Who talks to whom.
    pub scenario: Scenario,
    /// The broker.
    #[arg(long, default_value = "127.0.0.1:1883")]
    pub addr: SocketAddr,
    /// Clients: pairs, subscribers, publishers or connections, as the scenario has it.
    #[arg(long, default_value_t = 50)]
    pub n: usize,
    /// Bytes of payload.
    #[arg(long, default_value_t = 256)]
    pub payload: usize,
    /// QoS of publishes and subscriptions, 0 or 1.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub qos: u8,
    /// Messages in flight for each publisher.
    #[arg(long, default_value_t = 20)]
    pub window: usize,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 5.0)]
    pub secs: f64,
    /// Seconds of load before that.
    #[arg(long, default_value_t = 1.0)]
    pub warmup: f64,
    /// Topic to publish to; {i} is the publisher's number.
    #[arg(long, default_value = "bench/{i}/data")]
    pub pub_topic: String,
    /// Filter to subscribe to, where it is not the topic.
    #[arg(long)]
    pub sub_topic: Option<String>,
    /// Payload text instead of --payload; {seq} and {i} are filled in.
    #[arg(long)]
    pub body: Option<String>,
    /// Filters that one bystander subscribes to besides.
    #[arg(long, default_value_t = 0)]
    pub filters: usize,
    /// The bystander's filters; {k} is the filter's number.
    #[arg(long, default_value = "other/{k}/+/x/#")]
    pub filter: String,
    /// The broker's process: its CPU time and memory are reported.
    #[arg(long)]
    pub pid: Option<u32>,
    /// Connect with TLS.
    #[arg(long)]
    pub tls: bool,
    /// Authorities that the server's certificate must come from (PEM).
    #[arg(long, required_if_eq("tls", "true"))]
    pub ca: Option<PathBuf>,
    /// The client's certificate (PEM).
    #[arg(long, requires = "key")]
    pub cert: Option<PathBuf>,
    /// The client's private key (PEM).
    #[arg(long, requires = "cert")]
    pub key: Option<PathBuf>,
    /// The server's name in TLS.
    #[arg(long, default_value = "localhost")]
    pub sni: String,
    /// How client identifiers begin.
    #[arg(long, default_value = "lg")]
    pub client_prefix: String,
    /// User name.
    #[arg(long)]
    pub user: Option<String>,
    /// Password.
    #[arg(long, requires = "user")]
    pub pass: Option<String>,
    /// Connect with clean session off.
    #[arg(long)]
    pub persistent: bool,
}

impl Options {
    /// The topic that publisher `i` publishes to.
    pub fn topic(&self, i: usize) -> String {
        self.pub_topic.replace("{i}", &i.to_string())
    }

    /// The filter of subscriber `i`, a number or `+`.
    pub fn subscription(&self, i: &str) -> String {
        self.sub_topic.as_ref().unwrap_or(&self.pub_topic).replace("{i}", i)
    }

    /// The time that is measured.
    pub fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.secs.max(0.0))
    }

    /// The time of load before that.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warmup.max(0.0))
    }
}
