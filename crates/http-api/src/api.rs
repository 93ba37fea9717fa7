//! One request's way: authenticate, route, gather, check, handle, answer.
//!
//! [`HttpApi::answer`] is a plain function of the request and the time, so that tests need no socket.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use names::{Timestamp, limits};

use crate::bind::answer::{failure, success};
use crate::bind::{self, Found, Incoming, Resolution, Routes};
use crate::body::BodyRoom;
use crate::device_calls::DeviceCalls;
use crate::error::ApiError;
use crate::handlers::{Handler, Handlers};
use crate::model::{Api, Model, ModelError, OperationId};
use crate::services::{Call, Caller, Scope, Services, SourceIp};
use crate::{auth, control, data, health, iam};

/// The HTTP APIs: the models, the handlers and the services behind them.
pub struct HttpApi {
    model: Model,
    routes: Routes,
    handlers: HashMap<OperationId, Handler>,
    services: Services,
    body_room: BodyRoom,
    device_calls: DeviceCalls,
}

/// How a request speaks, and how even a refusal before its operation is known must be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON, as AWS IoT's APIs.
    RestJson,
    /// A form and XML, as IAM and STS.
    Query,
}

impl Protocol {
    pub(crate) fn of(parts: &Parts) -> Self {
        if iam::is_query_request(parts) { Self::Query } else { Self::RestJson }
    }
}

impl HttpApi {
    /// Reads the API models and lays out the routes.
    ///
    /// # Errors
    /// [`ModelError`] when the models that are built in do not make sense, which the tests exclude.
    pub fn new(services: Services) -> Result<Arc<Self>, ModelError> {
        let model = Model::load()?;
        let routes = Routes::new(&model)?;
        let mut handlers = Handlers::new(&model);
        control::register(&mut handlers);
        data::register(&mut handlers);
        let handlers = handlers.finish()?;
        let body_room = BodyRoom::new(limits::HTTP_BODIES_BYTES_MAX);
        Ok(Arc::new(Self { model, routes, handlers, services, body_room, device_calls: DeviceCalls::default() }))
    }

    /// The answer to a whole request. Blocks.
    pub(crate) fn answer(&self, parts: &Parts, body: &Bytes, now: Timestamp) -> Response<Bytes> {
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut response = match auth::authenticate(&self.services, parts, body, now) {
            Ok(caller) if matches!(caller.scope, Scope::Iam | Scope::Sts) => {
                iam::answer(&self.call(&caller, parts, now, &request_id), parts, body, &request_id)
            }
            Ok(caller) => {
                let answer = self.answer_call(&self.call(&caller, parts, now, &request_id), parts, body);
                // Whoever changed a policy and has the answer finds it in force: the broker's watch may be a moment behind.
                if matches!(caller.scope, Scope::Iot) && parts.method != Method::GET {
                    self.services.broker.policies_may_have_changed();
                }
                answer
            }
            Err(error) => self.refuse_early(Protocol::of(parts), &error, &request_id),
        };
        identify(&mut response, &request_id);
        response
    }

    /// The answer to an operator's question, when the path is one.
    pub(crate) fn operational_answer(&self, parts: &Parts) -> Option<Response<Bytes>> {
        health::answer(&self.services, &parts.method, parts.uri.path())
    }

    /// An error that happened before or around the call.
    pub(crate) fn failure(&self, protocol: Protocol, error: &ApiError) -> Response<Bytes> {
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut response = self.refuse_early(protocol, error, &request_id);
        identify(&mut response, &request_id);
        response
    }

    /// What the handlers work with.
    pub(crate) fn services(&self) -> &Services {
        &self.services
    }

    /// Room for the bodies of the requests of all listeners.
    pub(crate) fn body_room(&self) -> &BodyRoom {
        &self.body_room
    }

    /// What devices have under way.
    pub(crate) fn device_calls(&self) -> &DeviceCalls {
        &self.device_calls
    }

    fn call<'a>(&'a self, caller: &'a Caller, parts: &Parts, now: Timestamp, request_id: &'a str) -> Call<'a> {
        let source_ip = parts.extensions.get::<SourceIp>().map(|source| source.0);
        Call { services: &self.services, caller, now, request_id, source_ip }
    }

    fn answer_call(&self, call: &Call<'_>, parts: &Parts, body: &Bytes) -> Response<Bytes> {
        let request_id = call.request_id;
        let found = match self.resolve(call, parts) {
            Ok(found) => found,
            Err(error) => return self.refuse(None, &error, request_id),
        };
        let answered = self.run(call, &found, parts, body);
        answered.unwrap_or_else(|error| self.refuse(Some(found.operation), &error, request_id))
    }

    fn run(&self, call: &Call<'_>, found: &Found, parts: &Parts, body: &Bytes) -> Result<Response<Bytes>, ApiError> {
        let operation = self.model.operation(found.operation);
        let Some(handler) = self.handlers.get(&found.operation) else {
            return Err(ApiError::not_implemented(format_args!("The operation {}", operation.name)));
        };
        let query = parts.uri.query().unwrap_or_default();
        let incoming = Incoming { labels: &found.labels, query, headers: &parts.headers, body };
        let gathered = bind::gather(&self.model, operation, &incoming)?;
        bind::check_constraints(&self.model, operation, &gathered)?;
        success(&self.model, operation, handler(call, gathered)?)
    }

    fn resolve(&self, call: &Call<'_>, parts: &Parts) -> Result<Found, ApiError> {
        let method = &parts.method;
        match self.routes.resolve(method, parts.uri.path()) {
            Resolution::Found(candidates) => self.choose(call, parts, candidates),
            Resolution::WrongMethod => Err(ApiError::named(
                "MethodNotAllowedException",
                format!("The method {method} is not allowed for this path."),
            )),
            Resolution::Unknown => {
                Err(ApiError::named("UnknownOperationException", "The path is not one of an AWS IoT operation."))
            }
        }
    }

    /// Three routes stand in both `iot` and `iot-jobs-data`: the credential scope decides, then the host.
    fn choose(&self, call: &Call<'_>, parts: &Parts, candidates: Vec<Found>) -> Result<Found, ApiError> {
        let wanted = match call.caller.scope {
            Scope::IotJobsData => Api::JobsData,
            Scope::Iot => Api::Control,
            _ if is_jobs_host(parts) => Api::JobsData,
            _ => Api::Control,
        };
        let is_only = candidates.len() == 1;
        let chosen = candidates.into_iter().find(|c| is_only || self.model.operation(c.operation).api == wanted);
        chosen.ok_or_else(|| ApiError::internal("a shared route has no operation of the wanted API"))
    }

    fn refuse_early(&self, protocol: Protocol, error: &ApiError, request_id: &str) -> Response<Bytes> {
        match protocol {
            Protocol::RestJson => self.refuse(None, error, request_id),
            Protocol::Query => {
                log(error, request_id);
                iam::refuse(error, request_id)
            }
        }
    }

    fn refuse(&self, operation: Option<OperationId>, error: &ApiError, request_id: &str) -> Response<Bytes> {
        log(error, request_id);
        failure(&self.model, operation.map(|id| self.model.operation(id)), error, request_id)
    }
}

fn log(error: &ApiError, request_id: &str) {
    if let Some(problem) = &error.log {
        tracing::error!(request_id, problem, "an API request failed");
    }
}

/// `data.jobs.iot.REGION...` and `PREFIX.jobs.iot.REGION...` are the jobs data plane's hosts.
fn is_jobs_host(parts: &Parts) -> bool {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| parts.uri.host()).is_some_and(|host| host.contains(".jobs.iot."))
}

/// The same id stands in the log and, as `traceId`, in the data plane's errors.
fn identify(response: &mut Response<Bytes>, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
}
