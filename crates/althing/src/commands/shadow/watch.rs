//! `althing shadow watch`: the shadow, and its changes as they come. A connection that ends is made again.

use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use shadows::{Operation, ReplyTopic};

use super::conversation::{Answer, Conversation};
use super::request::Request;
use super::{Which, print, print_json, show};

/// Follows until the process is ended. What is wrong the first time is told at once; afterwards it is tried again.
pub(super) fn run(which: &Which) -> anyhow::Result<()> {
    let mut watch = Watch { which, shown: None };
    let mut conversation = watch.open()?;
    watch.catch_up(&mut conversation)?;
    let mut wait = FIRST_WAIT;
    let mut told = String::new();
    loop {
        let Err(problem) = watch.follow(&mut conversation);
        eprintln!("althing shadow: {problem:#}; trying again");
        loop {
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
            let again = watch.open().and_then(|mut again| watch.catch_up(&mut again).map(|()| again));
            match again {
                Ok(again) => {
                    conversation = again;
                    break;
                }
                Err(problem) if problem.to_string() == told => {}
                Err(problem) => {
                    told = problem.to_string();
                    eprintln!("althing shadow: {told}");
                }
            }
        }
        (wait, told) = (FIRST_WAIT, String::new());
        eprintln!("althing shadow: connected again");
    }
}

struct Watch<'a> {
    which: &'a Which,
    /// What was shown last.
    shown: Option<Shown>,
}

/// The shadow as somebody who reads along knows it.
#[derive(PartialEq)]
enum Shown {
    Absent,
    /// Its version and its state.
    Document(Option<u64>, Value),
}

impl Watch<'_> {
    fn open(&self) -> anyhow::Result<Conversation> {
        self.which.open(&[
            ReplyTopic::Documents,
            ReplyTopic::Accepted(Operation::Delete),
            ReplyTopic::Accepted(Operation::Get),
            ReplyTopic::Rejected(Operation::Get),
        ])
    }

    /// Shows the shadow as it is, unless that has been shown.
    fn catch_up(&mut self, conversation: &mut Conversation) -> anyhow::Result<()> {
        match conversation.ask(Operation::Get, &Request::default())? {
            Answer::Accepted(document) => {
                let mut state = document.get("state").cloned().unwrap_or_default();
                state.as_object_mut().map(|state| state.remove("delta"));
                let now = Shown::Document(document.get("version").and_then(Value::as_u64), state);
                self.show(now, "current", &document, |document| show::document(&self.which.id(), document))
            }
            Answer::Rejected { code: 404, .. } => {
                self.show(Shown::Absent, "absent", &Value::Null, |_| show::absent(&self.which.id()))
            }
            Answer::Rejected { code, message } => bail!("{} ({code})", show::printable(&message)),
        }
    }

    /// Shows each change, until the connection ends. What came beside the answer that was shown first is heard now; what of
    /// it the answer had already is left out.
    fn follow(&mut self, conversation: &mut Conversation) -> anyhow::Result<std::convert::Infallible> {
        loop {
            let Some((topic, payload)) = conversation.hear(STEP)? else { continue };
            let Ok(body) = serde_json::from_slice::<Value>(&payload) else {
                eprintln!("althing shadow: what came on {} is no JSON", show::printable(&topic));
                continue;
            };
            if topic.ends_with("/update/documents") {
                let version = body.pointer("/current/version").and_then(Value::as_u64);
                if matches!(&self.shown, Some(Shown::Document(shown, _)) if version <= *shown) {
                    continue;
                }
                let state = body.pointer("/current/state").cloned().unwrap_or_default();
                self.show(Shown::Document(version, state), "documents", &body, show::change)?;
            } else if topic.ends_with("/delete/accepted") {
                self.show(Shown::Absent, "deleted", &body, show::gone)?;
            }
        }
    }

    fn show(&mut self, now: Shown, event: &str, body: &Value, words: impl Fn(&Value) -> String) -> anyhow::Result<()> {
        if self.shown.as_ref() == Some(&now) {
            return Ok(());
        }
        if self.which.json {
            print_json(&json!({ event: body }))?
        } else {
            print(&words(body))?
        }
        self.shown = Some(now);
        Ok(())
    }
}

const STEP: Duration = Duration::from_millis(500);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
