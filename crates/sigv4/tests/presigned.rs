//! Signatures in the query, made by the AWS SDK's own signer, with the session token signed and appended afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{
    SessionTokenMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use names::Timestamp;
use proptest::prelude::*;
use sigv4::{SignatureError, SignedRequest, parse_presigned, verify_presigned};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "broker.example.com:8443";
/// 2015-08-30T12:36:00Z.
const NOW: u64 = 1_440_938_160;

/// How a client of MQTT over WebSocket signs.
struct Signing {
    token: Option<&'static str>,
    is_token_signed: bool,
    expires_seconds: u64,
}

/// The query of a GET /mqtt.
fn signed(signing: &Signing) -> String {
    let token = signing.token.map(str::to_owned);
    let identity = aws_credential_types::Credentials::new("AKIDEXAMPLE", SECRET, token, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(signing.expires_seconds));
    if !signing.is_token_signed {
        settings.session_token_mode = SessionTokenMode::Exclude;
    }
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("iotdevicegateway")
        .time(UNIX_EPOCH + Duration::from_secs(NOW))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers = [("host", HOST)].into_iter();
    let uri = format!("wss://{HOST}/mqtt");
    let signable = SignableRequest::new("GET", uri, headers, SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let encoded = |text: &str| -> String {
        percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).collect()
    };
    let pairs: Vec<_> =
        instructions.params().iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn check(query: &str, host: &str, seconds_later: i64) -> Result<(), SignatureError> {
    let headers = [("Host", host.as_bytes()), ("Upgrade", b"websocket".as_slice())];
    let request = SignedRequest { method: "GET", path: "/mqtt", query, headers: &headers, body: b"" };
    let presigned = parse_presigned(&request)?.expect("the query is signed");
    assert_eq!(presigned.authorization.service, "iotdevicegateway");
    assert_eq!(presigned.authorization.access_key_id, "AKIDEXAMPLE");
    let now = Timestamp::from_millis(NOW.checked_add_signed(seconds_later).unwrap() * 1000);
    verify_presigned(&request, &presigned, SECRET, now)
}

/// A token with what must be encoded.
const TOKEN: Option<&str> = Some("FwoGZXIvYXdzEJr//+/=");

#[test]
fn with_and_without_a_token_signed_or_appended() {
    for (token, is_token_signed) in [(None, true), (TOKEN, true), (TOKEN, false)] {
        let query = signed(&Signing { token, is_token_signed, expires_seconds: 300 });
        assert_eq!(query.contains("X-Amz-Security-Token"), token.is_some(), "{query}");
        check(&query, HOST, 0).unwrap_or_else(|error| panic!("{query}: {error}"));
        let in_front = query.split('&').rev().collect::<Vec<_>>().join("&");
        check(&in_front, HOST, 0).expect("the order of parameters does not matter");
        assert!(check(&query, "other.example.com", 0).is_err(), "the host is signed");
        assert!(check(&format!("{query}&x=1"), HOST, 0).is_err(), "all other parameters are signed");
        assert!(check(&query.replace("Signature=", "Signature=0"), HOST, 0).is_err(), "a digit more");
    }
}

#[test]
fn a_signature_is_valid_from_15_minutes_before_until_it_expires() {
    let times = |expires_seconds, seconds_later: &[(i64, bool)]| {
        let query = signed(&Signing { token: None, is_token_signed: true, expires_seconds });
        for (later, expected) in seconds_later {
            assert_eq!(check(&query, HOST, *later).is_ok(), *expected, "{later} {query}");
        }
    };
    times(60, &[(-901, false), (-900, true), (0, true), (60, true), (61, false)]);
    times(86_400, &[(-901, false), (901, true), (86_400, true), (86_401, false)]);
    let query = signed(&Signing { token: None, is_token_signed: true, expires_seconds: 60 });
    let text = check(&query, HOST, 61).unwrap_err().to_string();
    assert_eq!(
        text,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T123701Z - 60 sec.)"
    );
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let whole = signed(&Signing { token: None, is_token_signed: true, expires_seconds: 60 });
    let check = |query: &str, expected: &str| {
        let request = SignedRequest { method: "GET", path: "/mqtt", query, headers: &[], body: b"" };
        let refusal = parse_presigned(&request).expect_err(query);
        assert!(refusal.to_string().contains(expected), "{refusal}");
    };
    for name in ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"] {
        let without: Vec<_> = whole.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        check(&without.join("&"), &format!("AWS query-string parameters must include '{name}'."));
        let pair = whole.split('&').find(|pair| pair.starts_with(&format!("{name}="))).unwrap();
        check(&format!("{whole}&{pair}"), "more than once");
    }
    check(&whole.replace("HMAC", "XMAC"), "Unsupported AWS 'algorithm'");
    check(&whole.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"), "X-Amz-Expires must be");
    check(&whole.replace("X-Amz-Expires=60", "X-Amz-Expires=-1"), "X-Amz-Expires must be");
    check(&whole.replace("aws4%5Frequest", "aws4"), "valid terminator");
    check(&whole.replace("20150830T", "20150831T"), "Date in Credential scope does not match");
    let request = SignedRequest { method: "GET", path: "/mqtt", query: "x=1", headers: &[], body: b"" };
    assert_eq!(parse_presigned(&request), Ok(None), "no signature at all");
}

proptest! {
    #[test]
    fn any_query_gives_an_answer(query in "(X-Amz-(Algorithm|Credential|Date|SignedHeaders|Signature|Expires)=[a-zA-Z0-9/;%-]{0,40}&?){0,7}") {
        let request = SignedRequest { method: "GET", path: "/mqtt", query: &query, headers: &[], body: b"" };
        if let Ok(Some(presigned)) = parse_presigned(&request) {
            prop_assert!(verify_presigned(&request, &presigned, SECRET, Timestamp::from_millis(NOW * 1000)).is_err());
        }
    }
}
