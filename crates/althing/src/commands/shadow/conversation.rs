//! One MQTT client that asks for a shadow and hears of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mqtt_load::{Arrival, Endpoint, Fleet, LoadError, Login};
use serde_json::{Map, Value};
use shadows::{Operation, ReplyTopic, ShadowId, request_topic};

/// A client that is connected and subscribed.
pub(super) struct Conversation {
    fleet: Fleet<'static>,
    id: ShadowId,
    heard: Vec<(String, Vec<u8>)>,
}

/// What the server says to a question.
pub(super) enum Answer {
    /// It is done; the body of `accepted`.
    Accepted(Value),
    /// It is refused, with the code and the text of `rejected`.
    Rejected { code: u64, message: String },
}

impl Conversation {
    /// Connects, and subscribes to the answers to these operations.
    pub(super) fn open(endpoint: Endpoint, id: ShadowId, operations: &[Operation]) -> Result<Self, LoadError> {
        let answers = |operation: &Operation| [ReplyTopic::Accepted(*operation), ReplyTopic::Rejected(*operation)];
        Self::listen(endpoint, id, operations.iter().flat_map(answers).collect())
    }

    /// Connects, and subscribes to these topics.
    pub(super) fn listen(endpoint: Endpoint, id: ShadowId, replies: Vec<ReplyTopic>) -> Result<Self, LoadError> {
        let mut fleet = Fleet::new(Arc::new(endpoint), &NEVER_STOPPED)?;
        let client_id = format!("althing-shadow-{}", uuid::Uuid::new_v4().simple());
        fleet.open(Login { client_id: &client_id, is_clean: true })?;
        fleet.wait_for("CONNACK", |links| links.iter().filter(|link| !link.is_accepted()).count())?;
        let filters: Vec<String> = replies.iter().map(|reply| reply.of(&id).as_str().to_owned()).collect();
        for link in &mut fleet.links {
            link.subscribe(&filters, 1);
            link.flush();
        }
        fleet.wait_for("SUBACK", |links| links.iter().filter(|link| link.subacks() == 0).count())?;
        Ok(Self { fleet, id, heard: Vec::new() })
    }

    /// Asks, and waits for the answer to this question and no other's.
    pub(super) fn ask(&mut self, operation: Operation, mut request: Map<String, Value>) -> anyhow::Result<Answer> {
        let token = uuid::Uuid::new_v4().simple().to_string();
        request.insert("clientToken".to_owned(), token.clone().into());
        let topic = request_topic(&self.id, operation);
        for link in &mut self.fleet.links {
            link.publish(1, topic.as_str().as_bytes(), Value::Object(request.clone()).to_string().as_bytes());
            link.flush();
        }
        let (accepted, rejected) = (ReplyTopic::Accepted(operation), ReplyTopic::Rejected(operation));
        let (accepted, rejected) = (accepted.of(&self.id), rejected.of(&self.id));
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            for (topic, payload) in self.hear(STEP)? {
                let mut body: Value = serde_json::from_slice(&payload).context("the answer is no JSON")?;
                if body.get("clientToken").and_then(Value::as_str) != Some(token.as_str()) {
                    continue;
                }
                if topic == accepted.as_str() {
                    body.as_object_mut().map(|body| body.remove("clientToken"));
                    return Ok(Answer::Accepted(body));
                }
                if topic == rejected.as_str() {
                    let message = body.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
                    let code = body.get("code").and_then(Value::as_u64).unwrap_or_default();
                    return Ok(Answer::Rejected { code, message });
                }
            }
        }
        bail!(
            "no answer on {accepted} within {} s: is this a server with device shadows, and may this client publish to \
             {topic} and receive the answer?",
            PATIENCE.as_secs()
        );
    }

    /// What arrives within a time: topics and payloads.
    pub(super) fn hear(&mut self, wait: Duration) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let mut ready = Vec::new();
        self.fleet.step(wait, &mut ready)?;
        for link in &mut self.fleet.links {
            let heard = &mut self.heard;
            link.receive(|arrival| {
                if let Arrival::Message { topic, payload } = arrival {
                    heard.push((String::from_utf8_lossy(topic).into_owned(), payload.to_vec()));
                }
            });
            link.flush();
            // What came before the end counts first.
            if self.heard.is_empty()
                && let Some(failure) = link.take_failure()
            {
                return Err(failure);
            }
        }
        Ok(std::mem::take(&mut self.heard))
    }

    /// Takes leave. The answer is there already: a server that does not notice is not waited for.
    pub(super) fn leave(mut self) {
        self.fleet.disconnect();
    }
}

/// Ctrl-C ends the process.
static NEVER_STOPPED: AtomicBool = AtomicBool::new(false);
const STEP: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(10);
