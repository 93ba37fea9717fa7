//! Whole runs over real sockets, against a small broker and its bad habits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod responder;

use std::sync::atomic::AtomicBool;

use clap::Parser;
use mqtt_load::{LoadError, Options, Progress, Report, run};
use responder::Habit;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn run_against(habit: Habit, arguments: &[&str]) -> Result<Report, LoadError> {
    let address = responder::start(habit).to_string();
    run_at(&address, arguments, &AtomicBool::new(false))
}

fn run_at(address: &str, arguments: &[&str], stop: &AtomicBool) -> Result<Report, LoadError> {
    let small = ["--address", address, "--seconds", "0.3", "--warm-up", "0.1", "--payload", "16", "--stall", "1"];
    let line = ["bench"].iter().chain(arguments).chain(&small);
    run(&Line::parse_from(line).options, stop, Progress::silent())
}

#[test]
fn every_scenario_delivers_in_both_versions() {
    for version in ["3.1.1", "5"] {
        for scenario in ["pair", "fan-out"] {
            for qos in ["0", "1", "2"] {
                let report = run_against(Habit::None, &[scenario, "-n", "3", "--qos", qos, "--mqtt", version]).unwrap();
                let number = |name| report.number(name).unwrap();
                assert!(number("messages") >= 3.0, "{scenario} {qos} {version}: {report}");
                assert_eq!(number("bytes"), number("messages") * 16.0, "{report}");
                assert!(number("latency_p50_us") <= number("latency_p99_us"), "{report}");
                assert!(number("latency_p99_us") <= number("latency_max_us"), "{report}");
            }
        }
    }
}

#[test]
fn an_echo_is_awaited_on_its_own_topic() {
    let echo = ["echo", "-n", "3", "--topic", "t/{i}", "--await", "t/{i}", "--body", "{\"n\":{seq}}"];
    let report = run_against(Habit::None, &echo).unwrap();
    assert!(report.number("messages") >= Some(3.0), "{report}");
    let error = run_against(Habit::None, &["echo", "--topic", "t/{i}", "--await", "elsewhere/{i}"]).unwrap_err();
    let expected = "stalled: no message for 1 s; 10 of 10 publishers wait for 200 deliveries and 0 acknowledgements, \
                    the first on topic t/0";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn connections_are_counted() {
    let report = run_against(Habit::None, &["connect", "-n", "3"]).unwrap();
    assert!(report.number("connects") >= Some(3.0), "{report}");
    let this = std::process::id().to_string();
    // No more than wait in a listener's queue: the system asks again after a second for those that find no place.
    let report = run_against(Habit::None, &["idle", "-n", "100", "--pid", &this]).unwrap();
    assert_eq!(report.number("connects"), Some(100.0));
    assert!(report.number("broker_kib_per_connection").is_some(), "{report}");
}

#[test]
fn what_is_sent_to_sessions_that_are_away_is_collected() {
    for (version, qos) in [("3.1.1", "1"), ("5", "1"), ("3.1.1", "2")] {
        let report = run_against(Habit::None, &["offline", "-n", "3", "--qos", qos, "--mqtt", version]).unwrap();
        assert!(report.number("messages") >= Some(3.0), "{report}");
        assert!(report.number("collected") >= report.number("messages"), "{report}");
        assert_eq!(report.number("lost"), Some(0.0), "{report}");
    }
    let report = run_against(Habit::Swallows, &["offline", "-n", "1"]).unwrap();
    assert_eq!(report.number("collected"), Some(0.0), "{report}");
    assert!(report.number("lost") > Some(0.0), "{report}");
}

#[test]
fn what_goes_wrong_is_told_in_words() {
    let check = |habit, arguments: &[&str], expected: &str| {
        let error = run_against(habit, arguments).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let v5 = ["pair", "--mqtt", "5", "--qos", "1"];
    check(Habit::Refuses(5), &["pair"], "the broker refused CONNECT: not authorized (code 5)");
    check(Habit::Refuses(0x86), &v5, "the broker refused CONNECT: bad user name or password (code 134)");
    check(Habit::Grants(0x80), &["pair"], "the broker refused the subscription to bench/");
    check(Habit::Grants(0x87), &v5, "not authorized (code 135)");
    check(Habit::Grants(0), &v5, "the broker grants QoS 0 where QoS 1 was asked for; use --qos 0");
    check(Habit::RefusesPublishes(0x97), &v5, "the broker refused a publish: quota exceeded (code 151)");
    check(Habit::Disconnects(0x8b), &v5, "the broker disconnected the client: server shutting down (code 139)");
    check(Habit::Swallows, &["pair", "-n", "2", "--window", "3"], "2 of 2 publishers wait for 6 deliveries");
    check(Habit::Closes, &["pair"], "the broker closed the connection before it answered CONNECT");
    check(Habit::Babbles, &["pair"], "what the broker sends is not MQTT");
    check(Habit::None, &["pair", "--websocket"], "stalled: no CONNACK for 1 s");
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let check = |address: &str, arguments: &[&str], expected: &str| {
        let error = run_at(address, arguments, &AtomicBool::new(false)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    check(&free, &["pair"], &format!("cannot connect to {free}: "));
    check(&free, &["pair"], "is the broker running there?");
    check("no-such-host.invalid", &["pair"], "cannot find no-such-host.invalid:1883: ");
    check(&free, &["pair", "--tls", "--ca", "/nowhere/ca.pem"], "/nowhere/ca.pem: ");
    check(&free, &["pair", "--pid", "1073741824"], "--pid 1073741824: there is no such process here");
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let address = responder::start(Habit::None).to_string();
    let error = run_at(&address, &["pair"], &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(error, LoadError::Stopped), "{error}");
    let stop = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(1));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let address = responder::start(Habit::None).to_string();
        let line =
            ["bench", "pair", "-n", "1", "--seconds", "60", "--warm-up", "0", "--payload", "9", "--address", &address];
        run(&Line::parse_from(line).options, &stop, Progress::silent()).unwrap()
    });
    assert!(report.to_string().contains("stopped before its time"), "{report}");
    assert!(report.number("messages") > Some(0.0) && report.number("seconds") < Some(30.0), "{report}");
}
