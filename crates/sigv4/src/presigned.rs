//! Signatures in the query string (AWS General Reference, "Add the signature to the request", query string
//! parameters): what a browser or a WebSocket client sends that cannot set headers.
//!
//! For MQTT over WebSocket AWS IoT wants `X-Amz-Security-Token` appended after the signature was computed (developer
//! guide, protocols); other services sign it. Both are understood.

use std::borrow::Cow;

use names::{Timestamp, limits};
use percent_encoding::percent_decode_str;

use crate::authorization::{ALGORITHM, day_mismatch, incomplete, scope, shortened};
use crate::verify::{check_host_is_signed, is_signed_by, payload_hash};
use crate::{Authorization, SignatureError, SignedRequest, date};

/// What a request that is signed in its query claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Whose key, for what, when, over which headers.
    pub authorization: Authorization,
    /// How long after it was signed the request is valid; 15 minutes, the skew of all signatures, when it does not say.
    pub expires_seconds: u64,
}

const SIGNATURE: &str = "X-Amz-Signature";
const TOKEN: &str = "X-Amz-Security-Token";

/// Reads who claims to have signed in the query; none when the query has no signature.
///
/// # Errors
/// [`SignatureError::IncompleteSignature`] when a part is missing, comes twice or cannot be read,
/// [`SignatureError::InvalidSignature`] when the scope contradicts the date or ends wrongly.
pub fn parse_presigned(request: &SignedRequest<'_>) -> Result<Option<Presigned>, SignatureError> {
    let parameter = |name| parameter(request.query, name);
    let (algorithm, signature) = (parameter("X-Amz-Algorithm")?, parameter(SIGNATURE)?);
    if algorithm.is_none() && signature.is_none() {
        return Ok(None);
    }
    if let Some(other) = algorithm.as_deref().filter(|name| *name != ALGORITHM) {
        return incomplete(format!("Unsupported AWS 'algorithm': '{}'.", shortened(other)));
    }
    let required = |name: &str, value: Option<String>| {
        let message = format!("AWS query-string parameters must include '{name}'.");
        value.filter(|value| !value.is_empty()).ok_or(SignatureError::IncompleteSignature(message))
    };
    required("X-Amz-Algorithm", algorithm)?;
    let credential = required("X-Amz-Credential", parameter("X-Amz-Credential")?)?;
    let signature = required(SIGNATURE, signature)?;
    let signed_headers = required("X-Amz-SignedHeaders", parameter("X-Amz-SignedHeaders")?)?;
    let timestamp = required("X-Amz-Date", parameter("X-Amz-Date")?)?;
    let Some(signed_at_seconds) = date::parse_basic(&timestamp) else {
        return incomplete(format!(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\". Got '{}'.",
            shortened(&timestamp)
        ));
    };
    let expires_seconds = match parameter("X-Amz-Expires")? {
        None => limits::SIGNATURE_SKEW_SECONDS_MAX,
        Some(text) => read_expires(&text)?,
    };
    let [access_key_id, day, region, service] = scope(&credential)?.map(str::to_owned);
    if let Some(mismatch) = day_mismatch(&day, signed_at_seconds) {
        return Err(mismatch);
    }
    let signed_headers = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
    let authorization =
        Authorization { access_key_id, date: day, region, service, signed_headers, signature, signed_at_seconds };
    Ok(Some(Presigned { authorization, expires_seconds }))
}

/// Whether `secret` signed `request` as `presigned`, which was read from the same request, says, and it is valid `now`.
///
/// # Errors
/// [`SignatureError::SignatureNotYetCurrent`] and [`SignatureError::InvalidSignature`].
pub fn verify_presigned(
    request: &SignedRequest<'_>,
    presigned: &Presigned,
    secret: &str,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let Presigned { authorization, expires_seconds } = presigned;
    check_time(authorization.signed_at_seconds, *expires_seconds, now.as_seconds())?;
    check_host_is_signed(request, &authorization.signed_headers)?;
    let payload_hash = payload_hash(request)?;
    let fits = |left_out: &[&str]| {
        let query = without(request.query, left_out);
        is_signed_by(secret, authorization, &SignedRequest { query: &query, ..*request }, &payload_hash)
    };
    if fits(&[SIGNATURE, TOKEN]) || fits(&[SIGNATURE]) { Ok(()) } else { Err(SignatureError::mismatch()) }
}

/// The decoded value of a parameter.
fn parameter(query: &str, wanted: &str) -> Result<Option<String>, SignatureError> {
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name) == wanted).then(|| decoded(value).into_owned())
    });
    let first = values.next();
    if values.next().is_some() {
        return incomplete(format!("The parameter '{wanted}' stands in the query more than once."));
    }
    Ok(first)
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn without(query: &str, left_out: &[&str]) -> String {
    let is_kept = |pair: &&str| {
        let name = decoded(pair.split_once('=').map_or(*pair, |(name, _)| name));
        !left_out.contains(&name.as_ref())
    };
    query.split('&').filter(is_kept).collect::<Vec<_>>().join("&")
}

fn read_expires(text: &str) -> Result<u64, SignatureError> {
    let max = limits::SIGNATURE_EXPIRES_SECONDS_MAX;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(seconds) if is_number && seconds <= max => Ok(seconds),
        _ => incomplete(format!("X-Amz-Expires must be a number of seconds up to {max}. Got '{}'.", shortened(text))),
    }
}

fn check_time(signed: u64, expires: u64, now: u64) -> Result<(), SignatureError> {
    let latest = now.saturating_add(limits::SIGNATURE_SKEW_SECONDS_MAX);
    let text = date::format_basic;
    if signed > latest {
        return Err(SignatureError::SignatureNotYetCurrent {
            signed: text(signed),
            latest: text(latest),
            now: text(now),
        });
    }
    if now > signed.saturating_add(expires) {
        return Err(SignatureError::InvalidSignature(format!(
            "Signature expired: {} is now earlier than {} ({} - {expires} sec.)",
            text(signed),
            text(now.saturating_sub(expires)),
            text(now),
        )));
    }
    Ok(())
}
