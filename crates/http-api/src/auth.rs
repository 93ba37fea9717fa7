//! Who calls: AWS Signature Version 4, or for devices the certificate of their TLS connection (AWS IoT Core developer
//! guide, protocols: X.509 client certificates over HTTPS).
//!
//! A known access key may do everything; users and their policies are not served yet. A device may do what the IoT
//! policies of its certificate allow, as over MQTT.

use http::request::Parts;
use names::Timestamp;
use sigv4::{Authorization, SignatureError, SignedRequest};

use crate::error::ApiError;
use crate::services::{Caller, ClientCertificate, Identity, Scope, Services};

/// Verifies the request's signature; one without any stands for the certificate that the client showed.
pub(crate) fn authenticate(
    services: &Services,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<Caller, ApiError> {
    if let Some(ClientCertificate(id)) = parts.extensions.get::<ClientCertificate>()
        && !claims_a_signature(parts)
    {
        if !services.broker.knows_certificate(id, now)? {
            return Err(ApiError::named("ForbiddenException", "Forbidden"));
        }
        return Ok(Caller { identity: Identity::Certificate(*id), scope: Scope::IotData });
    }
    let headers = signed_headers(parts);
    let request = signed_request(parts, &headers, body);
    let authorization = sigv4::parse_authorization(&request).map_err(refusal)?;
    let scope = scope_of(&authorization, services.arns.region.as_str())?;
    let key = services.iam.access_key(&authorization.access_key_id)?;
    let key = key.ok_or_else(|| refusal(SignatureError::UnrecognizedClient))?;
    sigv4::verify(&request, &authorization, &key.secret, now).map_err(refusal)?;
    let identity = Identity::Iam { principal_arn: key.principal_arn, user_id: key.user_id };
    Ok(Caller { identity, scope })
}

/// Whether the request is to be judged by a signature, in its header or in its query.
fn claims_a_signature(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    parts.headers.contains_key(http::header::AUTHORIZATION)
        || query.split('&').any(|pair| pair.split('=').next().is_some_and(|name| name.starts_with("X-Amz-")))
}

/// The id of the IAM principal who signed the opening of a WebSocket, in its query or in its header; none when nobody did.
pub(crate) fn authenticate_websocket(
    services: &Services,
    parts: &Parts,
    now: Timestamp,
) -> Result<Option<String>, ApiError> {
    let headers = signed_headers(parts);
    let request = signed_request(parts, &headers, b"");
    let presigned = sigv4::parse_presigned(&request).map_err(refusal)?;
    let authorization = match &presigned {
        Some(presigned) => presigned.authorization.clone(),
        None if parts.headers.contains_key(http::header::AUTHORIZATION) => {
            sigv4::parse_authorization(&request).map_err(refusal)?
        }
        None => return Ok(None),
    };
    let scope = |problem: String| refusal(SignatureError::InvalidSignature(problem));
    if authorization.service != WEBSOCKET_SERVICE {
        return Err(scope(format!("Credential should be scoped to correct service: '{WEBSOCKET_SERVICE}'.")));
    }
    let region = services.arns.region.as_str();
    if authorization.region != region {
        return Err(scope(format!("Credential should be scoped to a valid region: '{region}'.")));
    }
    let key = services.iam.access_key(&authorization.access_key_id)?;
    let key = key.ok_or_else(|| refusal(SignatureError::UnrecognizedClient))?;
    match &presigned {
        Some(presigned) => sigv4::verify_presigned(&request, presigned, &key.secret, now),
        None => sigv4::verify(&request, &authorization, &key.secret, now),
    }
    .map_err(refusal)?;
    Ok(Some(key.user_id))
}

/// The service that MQTT over WebSocket is signed for (AWS IoT Core developer guide, protocols).
const WEBSOCKET_SERVICE: &str = "iotdevicegateway";

fn signed_request<'a>(parts: &'a Parts, headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> SignedRequest<'a> {
    SignedRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers,
        body,
    }
}

/// HTTP/2 has `:authority` where HTTP/1.1 has `host`, and clients sign it as `host`.
fn signed_headers(parts: &Parts) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if !parts.headers.contains_key(http::header::HOST)
        && let Some(authority) = parts.uri.authority()
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    headers
}

fn scope_of(authorization: &Authorization, region: &str) -> Result<Scope, ApiError> {
    let invalid = |message: String| refusal(SignatureError::InvalidSignature(message));
    let Some(scope) = Scope::named(&authorization.service) else {
        return Err(invalid("Credential should be scoped to correct service: 'iot'.".to_owned()));
    };
    if authorization.region != region && !scope.is_global() {
        return Err(invalid(format!("Credential should be scoped to a valid region: '{region}'.")));
    }
    Ok(scope)
}

fn refusal(error: SignatureError) -> ApiError {
    ApiError::named(error.error_name(), error.to_string())
}
