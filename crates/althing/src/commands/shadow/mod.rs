//! `althing shadow`: reads, changes and follows a device shadow, on this server or any other that has AWS's shadow topics.
//!
//! It comes as an MQTT client, so that it sees what a device or an application sees, and may do what its identity may.

mod conversation;
mod show;
mod watch;

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use mqtt_load::{ConnectOptions, Endpoint};
use names::{ShadowName, ThingName};
use serde_json::{Map, Value, json};
use shadows::{Operation, ShadowId};

use conversation::{Answer, Conversation};

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
    /// Print JSON, a document a line
    #[arg(long)]
    json: bool,
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
    desired: Option<Value>,
    /// What the device is, as a JSON object; a field that is null is deleted
    #[arg(long, value_name = "JSON", value_parser = section)]
    reported: Option<Value>,
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
        Act::Get(which) => ask(which, Operation::Get, Map::new()),
        Act::Update(update) => ask(&update.which, Operation::Update, update.request()?),
        Act::Delete(which) => ask(which, Operation::Delete, Map::new()),
        Act::Watch(which) => watch::run(which),
    }
}

impl Which {
    fn id(&self) -> ShadowId {
        ShadowId { thing: self.thing.clone(), name: self.name.clone() }
    }

    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        Ok(Endpoint::new(&self.connect)?)
    }
}

impl Update {
    fn request(&self) -> anyhow::Result<Map<String, Value>> {
        let mut request = match &self.document {
            None => Map::from_iter([("state".to_owned(), json!({}))]),
            Some(file) => read_document(file)?,
        };
        for (name, section) in [("desired", &self.desired), ("reported", &self.reported)] {
            if let (Some(section), Some(Value::Object(state))) = (section, request.get_mut("state")) {
                state.insert(name.to_owned(), section.clone());
            }
        }
        if let Some(version) = self.if_version {
            request.insert("version".to_owned(), version.into());
        }
        Ok(request)
    }
}

fn section(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(section @ (Value::Object(_) | Value::Null)) => Ok(section),
        Ok(_) => Err("a JSON object is wanted, such as {\"on\":true}".to_owned()),
        Err(error) => Err(format!("this is no JSON: {error}")),
    }
}

fn read_document(file: &str) -> anyhow::Result<Map<String, Value>> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
    }
    match serde_json::from_str(&text).with_context(|| file.to_owned())? {
        Value::Object(request) => Ok(request),
        _ => bail!("{file}: a request is a JSON object, such as {{\"state\":{{\"desired\":{{\"on\":true}}}}}}"),
    }
}

/// One question and its answer.
fn ask(which: &Which, operation: Operation, request: Map<String, Value>) -> anyhow::Result<()> {
    let id = which.id();
    let mut conversation = Conversation::open(which.endpoint()?, id.clone(), &[operation])?;
    let answer = conversation.ask(operation, request)?;
    conversation.leave();
    match answer {
        Answer::Accepted(document) if which.json => print(&format!("{document}\n")),
        Answer::Accepted(document) => print(&match operation {
            Operation::Get => show::document(&id, &document),
            Operation::Update => show::updated(&id, &document),
            Operation::Delete => show::deleted(&id, &document),
        }),
        Answer::Rejected { code, message } => bail!("{message} ({code})"),
    }
}

/// With colours if standard output is a terminal that has them and `NO_COLOR` is not set.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

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
        update.request().map(|request| Value::Object(request).to_string()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn an_update_is_made_of_its_flags() {
        let check = |arguments: &[&str], expected: &str| assert_eq!(request(arguments).unwrap(), expected);
        check(&["--desired", r#"{"on":true}"#], r#"{"state":{"desired":{"on":true}}}"#);
        check(
            &["--desired", "null", "--reported", "{}", "--if-version", "7"],
            r#"{"state":{"desired":null,"reported":{}},"version":7}"#,
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
