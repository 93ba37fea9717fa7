//! `althing shadow`: reads, changes and follows a device shadow, on this server or any other that has AWS's shadow topics.
//!
//! It comes as an MQTT client, so that it sees what a device or an application sees, and may do what its identity may.

mod conversation;
mod request;
mod show;
mod watch;

use std::io::{ErrorKind, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use mqtt_load::{ConnectOptions, Endpoint};
use names::{ShadowName, ThingName};
use serde_json::value::RawValue;
use shadows::{Operation, ReplyTopic, ShadowId};

use conversation::{Answer, Conversation};
use request::Request;

/// The command line of `althing shadow`.
#[derive(Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    act: Act,
}

/// What to do with the shadow.
#[derive(Subcommand)]
enum Act {
    /// Print the shadow, with what is desired and not reported marked
    Get(Which),
    /// Change the shadow, or make it
    Update(Update),
    /// Delete the shadow
    Delete(Which),
    /// Print the shadow, and each change of it as it comes, until Ctrl-C
    Watch(Which),
}

/// Which shadow, where, and how it is printed.
#[derive(Args)]
struct Which {
    /// The thing; it need not be registered
    #[arg(value_parser = |text: &str| ThingName::new(text))]
    thing: ThingName,
    /// The named shadow, instead of the classic one
    #[arg(long, value_parser = |text: &str| ShadowName::new(text))]
    name: Option<ShadowName>,
    /// Print JSON, a document a line; `watch` puts each under what it is: absent, current, documents, deleted
    #[arg(long)]
    json: bool,
    /// The client identifier to come under, where a policy names it [default: one that is nobody else's]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    connect: ConnectOptions,
}

/// A change.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["desired", "reported", "document"]))]
struct Update {
    #[command(flatten)]
    which: Which,
    /// What the device should be, as a JSON object; a field that is null is deleted
    #[arg(long, value_name = "JSON", value_parser = section)]
    desired: Option<Box<RawValue>>,
    /// What the device is, as a JSON object; a field that is null is deleted
    #[arg(long, value_name = "JSON", value_parser = section)]
    reported: Option<Box<RawValue>>,
    /// The whole request, `{"state":{...}}`, from a file or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["desired", "reported"])]
    document: Option<String>,
    /// Change nothing unless the shadow has this version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// Does it; the exit code is 1 when the server refuses.
pub(crate) fn run(flags: &Flags) -> ExitCode {
    match act(&flags.act) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("althing shadow: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(act: &Act) -> anyhow::Result<()> {
    match act {
        Act::Get(which) => ask(which, Operation::Get, &Request::default()),
        Act::Update(update) => ask(&update.which, Operation::Update, &update.request()?),
        Act::Delete(which) => ask(which, Operation::Delete, &Request::default()),
        Act::Watch(which) => watch::run(which),
    }
}

impl Which {
    fn id(&self) -> ShadowId {
        ShadowId { thing: self.thing.clone(), name: self.name.clone() }
    }

    fn open(&self, replies: &[ReplyTopic]) -> anyhow::Result<Conversation> {
        let keep_alive = self.connect.keep_alive.or(Some(KEEP_ALIVE_SECONDS));
        let endpoint = Endpoint::new(&ConnectOptions { keep_alive, ..self.connect.clone() })?;
        Ok(Conversation::open(endpoint, self.client_id.as_deref(), self.id(), replies)?)
    }
}

impl Update {
    fn request(&self) -> anyhow::Result<Request> {
        let mut request = match &self.document {
            Some(file) => read_document(file)?,
            None => {
                let sections = [("desired", &self.desired), ("reported", &self.reported)];
                let given = sections.iter().filter_map(|(name, section)| Some((*name, section.as_deref()?)));
                Request::of_sections(&given.collect::<Vec<_>>())
            }
        };
        request.version = self.if_version.or(request.version);
        Ok(request)
    }
}

fn section(text: &str) -> Result<Box<RawValue>, String> {
    let section: Box<RawValue> = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    if section.get().starts_with('{') || section.get() == "null" {
        return Ok(section);
    }
    Err("a JSON object is wanted, such as {\"on\":true}".to_owned())
}

fn read_document(file: &str) -> anyhow::Result<Request> {
    let (name, text) = if file == "-" {
        let mut text = String::new();
        ("standard input", std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (file, std::fs::read_to_string(file))
    };
    let request: Request = serde_json::from_str(&text.with_context(|| name.to_owned())?)
        .with_context(|| format!("{name}: a request is JSON such as {{\"state\":{{\"desired\":{{\"on\":true}}}}}}"))?;
    if request.state.is_none() {
        bail!("{name}: a request has a state: {{\"state\":{{\"desired\":{{\"on\":true}}}}}}");
    }
    Ok(request)
}

/// One question and its answer.
fn ask(which: &Which, operation: Operation, request: &Request) -> anyhow::Result<()> {
    let id = which.id();
    let mut conversation = which.open(&[ReplyTopic::Accepted(operation), ReplyTopic::Rejected(operation)])?;
    let answer = conversation.ask(operation, request)?;
    conversation.leave();
    match answer {
        Answer::Accepted(document) if which.json => print_json(&document),
        Answer::Accepted(document) => print(&match operation {
            Operation::Get => show::document(&id, &document),
            Operation::Update => show::updated(&id, &document),
            Operation::Delete => show::deleted(&id, &document),
        }),
        Answer::Rejected { code, message } => bail!("{} ({code})", show::printable(&message)),
    }
}

/// With colours if standard output is a terminal that has them and `NO_COLOR` is not set.
fn print(text: &str) -> anyhow::Result<()> {
    finish(anstream::stdout().write_all(text.as_bytes()))
}

/// A line for a script, byte for byte.
fn print_json(body: &serde_json::Value) -> anyhow::Result<()> {
    finish(std::io::stdout().write_all(format!("{body}\n").as_bytes()))
}

/// Whoever reads no further has what it wanted.
fn finish(written: std::io::Result<()>) -> anyhow::Result<()> {
    match written.and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.context("cannot write to standard output"),
    }
}

/// A server that is gone is missed within a minute.
const KEEP_ALIVE_SECONDS: u16 = 30;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn request(arguments: &[&str]) -> Result<String, String> {
        let line = Line::try_parse_from(["shadow", "update", "lamp"].iter().chain(arguments));
        let line = line.map_err(|error| error.to_string())?;
        let Act::Update(update) = line.flags.act else { return Err("not an update".to_owned()) };
        update.request().map(|request| request.body("t")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn an_update_is_made_of_its_flags() {
        let check = |arguments: &[&str], expected: &str| assert_eq!(request(arguments).unwrap(), expected);
        check(&["--desired", r#"{"z":1,"a":2}"#], r#"{"state":{"desired":{"z":1,"a":2}},"clientToken":"t"}"#);
        check(
            &["--desired", "null", "--reported", "{}", "--if-version", "7"],
            r#"{"state":{"desired":null,"reported":{}},"version":7,"clientToken":"t"}"#,
        );
    }

    #[test]
    fn wrong_flags_are_told() {
        let check = |arguments: &[&str], expected: &str| {
            let error = request(arguments).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "required");
        check(&["--desired", "on"], "this is no JSON");
        check(&["--desired", "5"], "a JSON object is wanted");
        check(&["--document", "x", "--desired", "{}"], "cannot be used with");
        check(&["--document", "/no/such/file"], "/no/such/file: No such file");
        check(&["--desired", "{}", "--name", "a b"], "shadow name \"a b\"");
    }
}
