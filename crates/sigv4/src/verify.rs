//! Computing the signature anew and comparing.

use hmac::{Hmac, KeyInit, Mac};
use names::{Timestamp, limits};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::authorization::{ALGORITHM, timestamp_header};
use crate::canonical::{canonical_paths, canonical_request};
use crate::{Authorization, SignatureError, SignedRequest, date};

/// Whether `secret` signed `request` as `authorization`, which was read from the same request, says, and at most 15
/// minutes away from `now`.
///
/// # Errors
/// [`SignatureError::SignatureExpired`] and [`SignatureError::SignatureNotYetCurrent`] for the time,
/// [`SignatureError::InvalidSignature`] for everything else.
pub fn verify(
    request: &SignedRequest<'_>,
    authorization: &Authorization,
    secret: &str,
    now: Timestamp,
) -> Result<(), SignatureError> {
    check_time(authorization.signed_at_seconds, now.as_seconds())?;
    check_signed_headers(request, &authorization.signed_headers)?;
    let payload_hash = payload_hash(request)?;
    if is_signed_by(secret, authorization, request, &payload_hash) { Ok(()) } else { Err(SignatureError::mismatch()) }
}

/// Whether the signature fits one of the canonical requests that the signer may have meant.
pub(crate) fn is_signed_by(
    secret: &str,
    authorization: &Authorization,
    request: &SignedRequest<'_>,
    payload_hash: &str,
) -> bool {
    let key = signing_key(secret, authorization);
    let Ok(given) = hex::decode(&authorization.signature) else { return false };
    canonical_paths(request.path).iter().any(|path| {
        let canonical = canonical_request(request, path, &authorization.signed_headers, payload_hash);
        let expected = hmac(&key, string_to_sign(authorization, &canonical).as_bytes());
        bool::from(expected.ct_eq(&given))
    })
}

fn check_time(signed: u64, now: u64) -> Result<(), SignatureError> {
    let (earliest, latest) = (
        now.saturating_sub(limits::SIGNATURE_SKEW_SECONDS_MAX),
        now.saturating_add(limits::SIGNATURE_SKEW_SECONDS_MAX),
    );
    let text = date::format_basic;
    if signed < earliest {
        return Err(SignatureError::SignatureExpired {
            signed: text(signed),
            earliest: text(earliest),
            now: text(now),
        });
    }
    if signed > latest {
        return Err(SignatureError::SignatureNotYetCurrent {
            signed: text(signed),
            latest: text(latest),
            now: text(now),
        });
    }
    Ok(())
}

/// Host and date must be signed, or another request could carry the signature; what is signed must be there.
fn check_signed_headers(request: &SignedRequest<'_>, signed: &[String]) -> Result<(), SignatureError> {
    check_host_is_signed(request, signed)?;
    let date = timestamp_header(request);
    if !signed.iter().any(|header| header == date) {
        let message = format!("'{date}' must be a 'SignedHeader' in the AWS Authorization.");
        return Err(SignatureError::InvalidSignature(message));
    }
    Ok(())
}

/// The host must be signed, and all headers that are said to be signed must be there and in order.
pub(crate) fn check_host_is_signed(request: &SignedRequest<'_>, signed: &[String]) -> Result<(), SignatureError> {
    if !signed.iter().any(|header| header == "host") {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(SignatureError::InvalidSignature(message.to_owned()));
    }
    let in_order = signed.iter().zip(signed.iter().skip(1)).all(|(one, next)| one < next);
    let all_there = signed.iter().all(|name| request.header_values(name).next().is_some());
    if in_order && all_there { Ok(()) } else { Err(SignatureError::mismatch()) }
}

/// The hash that stands in the canonical request: the body's, unless the signer left the body out.
pub(crate) fn payload_hash(request: &SignedRequest<'_>) -> Result<String, SignatureError> {
    let actual = hex::encode(Sha256::digest(request.body));
    match request.header("x-amz-content-sha256") {
        None => Ok(actual),
        Some("UNSIGNED-PAYLOAD") => Ok("UNSIGNED-PAYLOAD".to_owned()),
        Some(claimed) if claimed == actual => Ok(actual),
        Some(_) => {
            let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            Err(SignatureError::InvalidSignature(message.to_owned()))
        }
    }
}

fn string_to_sign(authorization: &Authorization, canonical: &[u8]) -> String {
    let Authorization { date, region, service, signed_at_seconds, .. } = authorization;
    let hash = hex::encode(Sha256::digest(canonical));
    let timestamp = date::format_basic(*signed_at_seconds);
    format!("{ALGORITHM}\n{timestamp}\n{date}/{region}/{service}/aws4_request\n{hash}")
}

/// The key of one day, region and service.
fn signing_key(secret: &str, authorization: &Authorization) -> [u8; 32] {
    let day = hmac(format!("AWS4{secret}").as_bytes(), authorization.date.as_bytes());
    let region = hmac(&day, authorization.region.as_bytes());
    let service = hmac(&region, authorization.service.as_bytes());
    hmac(&service, b"aws4_request")
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104, 2)");
    mac.update(data);
    mac.finalize().into_bytes().into()
}
