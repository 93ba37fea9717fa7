//! One MQTT client that asks for a shadow and hears of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use mqtt_load::{Arrival, Endpoint, Fleet, LoadError, Login};
use serde_json::Value;
use shadows::{Operation, ReplyTopic, ShadowId, request_topic};

use super::request::Request;

/// A client that is connected and subscribed.
pub(super) struct Conversation {
    fleet: Fleet<'static>,
    id: ShadowId,
    patience: Duration,
    /// What came and was not asked for, in its order.
    heard: VecDeque<(String, Vec<u8>)>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The connection was not made, or ended.
    #[error("{}", why(.0))]
    Lost(LoadError),
    /// It ended while an answer was awaited.
    #[error("{}: may this client publish to {topic}?", why(.failure))]
    LostAsking {
        /// What ended it.
        failure: LoadError,
        /// Where the question went.
        topic: String,
    },
    /// Nothing came.
    #[error(
        "no answer within {seconds} s: is this a server with device shadows, and may this client publish to {topic} and \
         receive {topic}/accepted?"
    )]
    Silence {
        /// How long it was waited for.
        seconds: u64,
        /// Where the question went.
        topic: String,
    },
}

impl From<LoadError> for NoAnswer {
    fn from(error: LoadError) -> Self {
        Self::Lost(error)
    }
}

/// The cause alone: there is one client, whose identifier tells nobody anything.
fn why(error: &LoadError) -> String {
    match error {
        LoadError::Client { failure, .. } => failure.to_string(),
        other => other.to_string(),
    }
}

/// What the server says to a question.
pub(super) enum Answer {
    /// It is done; the body of `accepted`.
    Accepted(Value),
    /// It is refused, with the code and the text of `rejected`.
    Rejected { code: u64, message: String },
}

impl Conversation {
    /// Connects under this client id, or one that is nobody else's, and subscribes to these topics.
    pub(super) fn open(
        endpoint: Endpoint,
        client_id: Option<&str>,
        id: ShadowId,
        replies: &[ReplyTopic],
    ) -> Result<Self, NoAnswer> {
        let patience = endpoint.patience();
        let mut fleet = Fleet::new(Arc::new(endpoint), &NEVER_STOPPED)?;
        let unique = || format!("althing-shadow-{}", uuid::Uuid::new_v4().simple());
        let client_id = client_id.map_or_else(unique, str::to_owned);
        fleet.open(Login { client_id: &client_id, is_clean: true })?;
        fleet.wait_for("CONNACK", |links| links.iter().filter(|link| !link.is_accepted()).count())?;
        let filters: Vec<String> = replies.iter().map(|reply| reply.of(&id).as_str().to_owned()).collect();
        for link in &mut fleet.links {
            link.subscribe(&filters, 1);
            link.flush();
        }
        fleet.wait_for("SUBACK", |links| links.iter().filter(|link| link.subacks() == 0).count())?;
        Ok(Self { fleet, id, patience, heard: VecDeque::new() })
    }

    /// Asks, and waits for the answer to this question and no other's. What else comes is heard afterwards.
    pub(super) fn ask(&mut self, operation: Operation, request: &Request) -> Result<Answer, NoAnswer> {
        let token = uuid::Uuid::new_v4().simple().to_string();
        let topic = request_topic(&self.id, operation).as_str().to_owned();
        for link in &mut self.fleet.links {
            link.publish(1, topic.as_bytes(), request.body(&token).as_bytes());
            link.flush();
        }
        let began = Instant::now();
        let mut others = VecDeque::new();
        while began.elapsed() < self.patience {
            self.listen(STEP).map_err(|failure| NoAnswer::LostAsking { failure, topic: topic.clone() })?;
            while let Some((heard, payload)) = self.heard.pop_front() {
                match Answer::read(&heard, &topic, &payload, &token) {
                    Some(answer) => {
                        others.append(&mut self.heard);
                        self.heard = others;
                        return Ok(answer);
                    }
                    None => others.push_back((heard, payload)),
                }
            }
        }
        self.heard = others;
        Err(NoAnswer::Silence { seconds: self.patience.as_secs(), topic })
    }

    /// The next of what arrives within a time: a topic and a payload.
    pub(super) fn hear(&mut self, wait: Duration) -> Result<Option<(String, Vec<u8>)>, NoAnswer> {
        if self.heard.is_empty() {
            self.listen(wait)?;
        }
        Ok(self.heard.pop_front())
    }

    /// Reads what is there. What came before the end counts first.
    fn listen(&mut self, wait: Duration) -> Result<(), LoadError> {
        let mut ready = Vec::new();
        self.fleet.step(wait, &mut ready)?;
        for link in &mut self.fleet.links {
            let heard = &mut self.heard;
            link.receive(|arrival| {
                if let Arrival::Message { topic, payload } = arrival {
                    heard.push_back((String::from_utf8_lossy(topic).into_owned(), payload.to_vec()));
                }
            });
            link.flush();
            if self.heard.is_empty()
                && let Some(failure) = link.take_failure()
            {
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Takes leave. The answer is there already: a server that does not notice is not waited for.
    pub(super) fn leave(mut self) {
        self.fleet.disconnect();
    }
}

impl Answer {
    /// None for what is no answer to the question that carried this token.
    fn read(heard: &str, topic: &str, payload: &[u8], token: &str) -> Option<Self> {
        let is_accepted = match heard.strip_prefix(topic)? {
            "/accepted" => true,
            "/rejected" => false,
            _ => return None,
        };
        let mut body: Value = serde_json::from_slice(payload).ok()?;
        if body.get("clientToken").and_then(Value::as_str) != Some(token) {
            return None;
        }
        if is_accepted {
            body.as_object_mut().map(|body| body.remove("clientToken"));
            return Some(Self::Accepted(body));
        }
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self::Rejected { code: body.get("code").and_then(Value::as_u64).unwrap_or_default(), message })
    }
}

/// Ctrl-C ends the process.
static NEVER_STOPPED: AtomicBool = AtomicBool::new(false);
const STEP: Duration = Duration::from_millis(100);
