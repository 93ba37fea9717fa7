//! Reading the `Authorization` header.

use crate::{SignatureError, SignedRequest, date};

/// The one algorithm of Signature Version 4.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signed request claims: whose key, for what, when, over which headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Whose key is said to have signed.
    pub access_key_id: String,
    /// The day of the credential scope, `yyyymmdd`.
    pub date: String,
    /// The region of the credential scope.
    pub region: String,
    /// The service of the credential scope; which ones are accepted is the caller's matter.
    pub service: String,
    /// The headers that are signed, lower case, as listed.
    pub signed_headers: Vec<String>,
    /// The signature, hex.
    pub signature: String,
    /// When the request says it was signed, seconds since 1970.
    pub signed_at_seconds: u64,
}

/// Reads who claims to have signed.
///
/// # Errors
/// [`SignatureError::MissingAuthenticationToken`] without an AWS `Authorization` header,
/// [`SignatureError::IncompleteSignature`] when a part is missing or cannot be read,
/// [`SignatureError::InvalidSignature`] when the scope contradicts the date or ends wrongly.
pub fn parse_authorization(request: &SignedRequest<'_>) -> Result<Authorization, SignatureError> {
    let header = request.header("authorization").ok_or(SignatureError::MissingAuthenticationToken)?;
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    if !algorithm.starts_with("AWS") {
        return Err(SignatureError::MissingAuthenticationToken);
    }
    if algorithm != ALGORITHM {
        return incomplete(format!("Unsupported AWS 'algorithm': '{}'.", shortened(algorithm)));
    }
    if request.header_values("authorization").nth(1).is_some() {
        return incomplete("The request has more than one Authorization header.".to_owned());
    }
    let parts = Parts::read(rest)?;
    let timestamp = timestamp(request);
    let (Some(credential), Some(signed_headers), Some(signature), Some(timestamp)) =
        (parts.credential, parts.signed_headers, parts.signature, timestamp)
    else {
        return incomplete(parts.what_lacks(timestamp.is_some()));
    };
    let signed_at_seconds = date::parse_basic(timestamp).or_else(|| date::parse_http(timestamp));
    let Some(signed_at_seconds) = signed_at_seconds else {
        return incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{}'.", shortened(timestamp)));
    };
    let [access_key_id, day, region, service] = scope(credential)?;
    if let Some(mismatch) = day_mismatch(day, signed_at_seconds) {
        return Err(mismatch);
    }
    Ok(Authorization {
        access_key_id: access_key_id.to_owned(),
        date: day.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: signed_headers.split(';').map(str::to_ascii_lowercase).collect(),
        signature: signature.to_owned(),
        signed_at_seconds,
    })
}

/// The refusal when the scope's day is not the one of the signing.
pub(crate) fn day_mismatch(day: &str, signed_at_seconds: u64) -> Option<SignatureError> {
    let signed_at = date::format_basic(signed_at_seconds);
    let signed_day: String = signed_at.chars().take(8).collect();
    (day != signed_day).then(|| {
        SignatureError::InvalidSignature(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
             '{signed_day}', from '{signed_at}'.",
            shortened(day),
        ))
    })
}

/// When the request says it was signed: `x-amz-date`, else `date`.
fn timestamp<'a>(request: &SignedRequest<'a>) -> Option<&'a str> {
    request.header("x-amz-date").or_else(|| request.header("date")).filter(|text| !text.is_empty())
}

/// The header that [`timestamp`] read, which must be signed.
pub(crate) fn timestamp_header(request: &SignedRequest<'_>) -> &'static str {
    if request.header("x-amz-date").is_some() { "x-amz-date" } else { "date" }
}

/// The three parts of the header, in any order.
#[derive(Default)]
struct Parts<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Result<Self, SignatureError> {
        let mut parts = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header.",
                    shortened(pair)
                ));
            };
            let value = Some(value).filter(|value| !value.is_empty());
            match name {
                "Credential" => parts.credential = value,
                "SignedHeaders" => parts.signed_headers = value,
                "Signature" => parts.signature = value,
                _ => {}
            }
        }
        Ok(parts)
    }

    fn what_lacks(&self, has_date: bool) -> String {
        let lacking = [
            (self.credential.is_some(), "Authorization header requires 'Credential' parameter."),
            (self.signature.is_some(), "Authorization header requires 'Signature' parameter."),
            (self.signed_headers.is_some(), "Authorization header requires 'SignedHeaders' parameter."),
            (has_date, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."),
        ];
        let texts: Vec<_> = lacking.into_iter().filter(|(there, _)| !there).map(|(_, text)| text).collect();
        texts.join(" ")
    }
}

/// Access key id, day, region and service of `ID/DAY/REGION/SERVICE/aws4_request`.
pub(crate) fn scope(credential: &str) -> Result<[&str; 4], SignatureError> {
    let elements: Vec<_> = credential.split('/').collect();
    let [id, day, region, service, terminator] = elements.as_slice() else {
        return incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
            shortened(credential)
        ));
    };
    if *terminator != "aws4_request" {
        return Err(SignatureError::InvalidSignature(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
            shortened(terminator)
        )));
    }
    Ok([id, day, region, service])
}

/// For a message: what the caller sent, cut to 256 characters.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(256).collect()
}

pub(crate) fn incomplete<T>(message: String) -> Result<T, SignatureError> {
    Err(SignatureError::IncompleteSignature(message))
}
