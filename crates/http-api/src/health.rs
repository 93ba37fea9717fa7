//! What operators and their probes ask, without authentication, on the plain loopback listener only.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};

use crate::services::Services;

/// The answer to `/healthz`, `/readyz` or `/metrics`; none for another path.
pub(crate) fn answer(services: &Services, method: &Method, path: &str) -> Option<Response<Bytes>> {
    let (status, content_type, text) = match path {
        "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" if (services.ready)() => (StatusCode::OK, TEXT, "ready\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n".to_owned()),
        "/metrics" => (StatusCode::OK, OPENMETRICS, (services.metrics_text)()),
        _ => return None,
    };
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let mut response = Response::new(Bytes::from(if is_read { text } else { String::new() }));
    *response.status_mut() = if is_read { status } else { StatusCode::METHOD_NOT_ALLOWED };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Some(response)
}

const TEXT: &str = "text/plain; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
