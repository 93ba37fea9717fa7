//! `althing shadow watch`: the shadow, and its changes as they come. A connection that ends is made again.

use std::time::Duration;

use anyhow::Context;
use mqtt_load::LoadError;
use serde_json::{Map, Value, json};
use shadows::{Operation, ReplyTopic};

use super::conversation::{Answer, Conversation};
use super::{Which, print, show};

/// Follows until the process is ended. Whoever cannot be reached the first time is told at once.
pub(super) fn run(which: &Which) -> anyhow::Result<()> {
    let mut watch = Watch { which, version: None };
    let mut conversation = watch.open()?;
    loop {
        let lost = match watch.follow(&mut conversation) {
            Ok(never) => match never {},
            Err(error) => error,
        };
        let Some(lost) = lost.downcast_ref::<LoadError>() else { return Err(lost) };
        eprintln!("althing shadow: {lost}; trying again");
        conversation = watch.reopen();
        eprintln!("althing shadow: connected again");
    }
}

enum Never {}

struct Watch<'a> {
    which: &'a Which,
    /// The last one that was printed.
    version: Option<u64>,
}

impl Watch<'_> {
    fn open(&self) -> anyhow::Result<Conversation> {
        let topics = vec![
            ReplyTopic::Documents,
            ReplyTopic::Accepted(Operation::Delete),
            ReplyTopic::Accepted(Operation::Get),
            ReplyTopic::Rejected(Operation::Get),
        ];
        Ok(Conversation::listen(self.which.endpoint()?, self.which.id(), topics)?)
    }

    fn reopen(&self) -> Conversation {
        let mut wait = FIRST_WAIT;
        loop {
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
            if let Ok(conversation) = self.open() {
                return conversation;
            }
        }
    }

    fn follow(&mut self, conversation: &mut Conversation) -> anyhow::Result<Never> {
        // Changes that come before the answer are not lost with it: the answer is as new as they are.
        match conversation.ask(Operation::Get, Map::new())? {
            Answer::Accepted(document) => self.show_document(&document)?,
            Answer::Rejected { code: 404, .. } if self.version.is_some() => {
                self.version = None;
                self.say(|_| show::absent(&self.which.id()), "absent", &Value::Null)?;
            }
            Answer::Rejected { code: 404, .. } => {
                self.say(|_| show::absent(&self.which.id()), "absent", &Value::Null)?;
            }
            Answer::Rejected { code, message } => anyhow::bail!("{message} ({code})"),
        }
        loop {
            for (topic, payload) in conversation.hear(STEP)? {
                let body: Value = serde_json::from_slice(&payload).with_context(|| format!("{topic} is no JSON"))?;
                if topic.ends_with("/update/documents") {
                    self.show_change(&body)?;
                } else if topic.ends_with("/delete/accepted") {
                    self.version = None;
                    self.say(show::gone, "deleted", &body)?;
                }
            }
        }
    }

    /// Unless it was printed before the connection ended.
    fn show_document(&mut self, document: &Value) -> anyhow::Result<()> {
        let version = document.get("version").and_then(Value::as_u64);
        if version == self.version {
            return Ok(());
        }
        self.version = version;
        self.say(|document| show::document(&self.which.id(), document), "current", document)
    }

    /// Unless the document that was printed first has it already.
    fn show_change(&mut self, documents: &Value) -> anyhow::Result<()> {
        let version = documents.pointer("/current/version").and_then(Value::as_u64);
        if version <= self.version {
            return Ok(());
        }
        self.version = version;
        self.say(show::change, "documents", documents)
    }

    fn say(&self, words: impl Fn(&Value) -> String, event: &str, body: &Value) -> anyhow::Result<()> {
        if self.which.json { print(&format!("{}\n", json!({ event: body }))) } else { print(&words(body)) }
    }
}

const STEP: Duration = Duration::from_millis(500);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
