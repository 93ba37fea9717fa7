//! Signatures made by others: the official test suite, and the AWS SDK's own signer as an oracle.
//!
//! `suite.txt` holds the header-signed requests of AWS's signing test suite (awslabs/aws-c-auth v0.9.0, Apache-2.0),
//! all but the one with a header folded over lines, which HTTP no longer has (RFC 9112, 5.2).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use names::Timestamp;
use proptest::prelude::*;
use sigv4::{SignatureError, SignedRequest, parse_authorization, verify};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z, the suite's time.
const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);

/// A request that owns its parts, so that tests can change them.
#[derive(Debug, Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        let (line, headers) = head.split_once('\n').unwrap();
        let (method, rest) = line.split_once(' ').unwrap();
        let (target, _version) = rest.rsplit_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.as_bytes().to_vec())
        };
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.lines().map(header).collect(),
            body: body.trim_end_matches('\n').as_bytes().to_vec(),
        }
    }

    fn check(&self, secret: &str, now: Timestamp) -> Result<sigv4::Authorization, SignatureError> {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = SignedRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        let authorization = parse_authorization(&request)?;
        verify(&request, &authorization, secret, now)?;
        Ok(authorization)
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1
    }

    fn replace_in_authorization(&mut self, from: &str, to: &str) {
        let value = String::from_utf8(self.header("authorization").clone()).unwrap();
        assert!(value.contains(from), "{value}");
        *self.header("authorization") = value.replace(from, to).into_bytes();
    }
}

fn suite() -> Vec<(&'static str, Request)> {
    let cases = include_str!("suite.txt").split("=== ").filter(|case| !case.is_empty());
    cases.map(|case| case.split_once('\n').unwrap()).map(|(name, text)| (name, Request::parse(text))).collect()
}

#[test]
fn the_official_suite_passes() {
    let suite = suite();
    assert_eq!(suite.len(), 37);
    for (name, request) in suite {
        let authorization = request.check(SECRET, NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(authorization.access_key_id, "AKIDEXAMPLE", "{name}");
        assert_eq!((&*authorization.region, &*authorization.service), ("us-east-1", "service"), "{name}");
        assert_eq!((&*authorization.date, authorization.signed_at_seconds), ("20150830", 1_440_938_160), "{name}");
    }
}

#[test]
fn every_part_of_the_suite_is_covered_by_the_signature() {
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS \
                    Secret Access Key and signing method. Consult the service documentation for details.";
    let check = |name: &str, what: &str, request: &Request| {
        let refusal = request.check(SECRET, NOW).expect_err(&format!("{name}: {what}"));
        assert_eq!(refusal.to_string(), mismatch, "{name}: {what}");
        assert_eq!(refusal.error_name(), "InvalidSignatureException");
    };
    for (name, original) in suite() {
        assert!(original.check("another secret", NOW).is_err(), "{name}");
        let change = |what: &str, change: &dyn Fn(&mut Request)| {
            let mut changed = original.clone();
            change(&mut changed);
            check(name, what, &changed);
        };
        change("method", &|request| request.method = "PUT".to_owned());
        change("path", &|request| request.path.push('x'));
        change("query", &|request| request.query.push_str("&x=1"));
        change("host", &|request| request.header("host").push(b'x'));
        change("signature", &|request| {
            let header = request.header("authorization");
            let last = header.last_mut().unwrap();
            *last = if *last == b'0' { b'1' } else { b'0' };
        });
        change("signature cut", &|request| {
            request.header("authorization").pop();
        });
        change("region", &|request| request.replace_in_authorization("us-east-1", "us-west-1"));
        change("service", &|request| request.replace_in_authorization("/service/", "/iot/"));
        change("key", &|request| request.header("x-amz-date").clone_from(&b"20150830T123601Z".to_vec()));
        change("signed header taken away", &|request| {
            request.headers.retain(|(key, _)| !key.eq_ignore_ascii_case("host"))
        });
        change("signed header doubled", &|request| request.headers.push(("host".to_owned(), b"x".to_vec())));
        if original.headers.iter().all(|(key, _)| !key.eq_ignore_ascii_case("x-amz-content-sha256")) {
            change("body", &|request| request.body.push(b'x'));
        }
    }
}

fn vanilla() -> Request {
    suite().into_iter().find(|(name, _)| *name == "get-vanilla").unwrap().1
}

#[test]
fn the_time_may_be_fifteen_minutes_off() {
    let check = |seconds_off: i64, expected: Result<(), &str>| {
        let now = Timestamp::from_millis(NOW.as_millis().checked_add_signed(seconds_off * 1000).unwrap());
        let answer = vanilla().check(SECRET, now).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(answer, expected.map_err(str::to_owned), "{seconds_off}");
    };
    check(900, Ok(()));
    check(-900, Ok(()));
    check(
        901,
        Err("Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"),
    );
    check(
        -901,
        Err(
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)",
        ),
    );
    let late = vanilla().check(SECRET, Timestamp::from_millis(u64::MAX)).unwrap_err();
    assert_eq!(late.error_name(), "InvalidSignatureException");
    assert!(vanilla().check(SECRET, Timestamp::from_millis(0)).is_err());
}

#[test]
fn bad_headers_are_refused_in_aws_words() {
    let check = |change: &dyn Fn(&mut Request), name: &str, message: &str| {
        let mut request = vanilla();
        change(&mut request);
        let refusal = request.check(SECRET, NOW).unwrap_err();
        assert_eq!((refusal.error_name(), refusal.to_string().as_str()), (name, message));
    };
    let incomplete = "IncompleteSignatureException";
    let invalid = "InvalidSignatureException";
    let missing = ("MissingAuthenticationTokenException", "Missing Authentication Token");
    check(&|r| r.headers.retain(|(key, _)| key != "Authorization"), missing.0, missing.1);
    check(&|r| *r.header("authorization") = b"Bearer x".to_vec(), missing.0, missing.1);
    check(&|r| *r.header("authorization") = vec![0xff], missing.0, missing.1);
    check(
        &|r| r.replace_in_authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        incomplete,
        "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
    );
    check(
        &|r| *r.header("authorization") = b"AWS4-HMAC-SHA256 ".to_vec(),
        incomplete,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter.",
    );
    check(
        &|r| *r.header("authorization") = b"AWS4-HMAC-SHA256 foo".to_vec(),
        incomplete,
        "'foo' not a valid key=value pair (missing equal-sign) in Authorization header.",
    );
    check(
        &|r| r.headers.retain(|(key, _)| key != "X-Amz-Date"),
        incomplete,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
    check(
        &|r| *r.header("x-amz-date") = b"2015-08-30".to_vec(),
        incomplete,
        "Date must be in ISO-8601 'basic format'. Got '2015-08-30'.",
    );
    check(
        &|r| r.replace_in_authorization("/aws4_request", ""),
        incomplete,
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
         'AKIDEXAMPLE/20150830/us-east-1/service'",
    );
    check(
        &|r| r.replace_in_authorization("aws4_request", "aws5"),
        invalid,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.",
    );
    check(
        &|r| r.replace_in_authorization("20150830", "20150831"),
        invalid,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != \
         '20150830', from '20150830T123600Z'.",
    );
    check(
        &|r| r.replace_in_authorization("host;", ""),
        invalid,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
    check(
        &|r| r.replace_in_authorization(";x-amz-date", ""),
        invalid,
        "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
    );
    check(
        &|r| r.headers.push(("authorization".to_owned(), b"AWS4-HMAC-SHA256 x=y".to_vec())),
        incomplete,
        "The request has more than one Authorization header.",
    );
    check(
        &|r| r.headers.push(("X-Amz-Content-Sha256".to_owned(), b"00".to_vec())),
        invalid,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
}

#[test]
fn unknown_keys_have_their_own_refusal() {
    let refusal = SignatureError::UnrecognizedClient;
    assert_eq!(refusal.error_name(), "UnrecognizedClientException");
    assert_eq!(refusal.to_string(), "The security token included in the request is invalid.");
}

/// Signs as the AWS SDK for Rust does; `once` is how S3's clients, and some others, encode the path.
fn sdk_signed(mut request: Request, once: bool, unsigned_body: bool) -> Request {
    use aws_sigv4::http_request::{PayloadChecksumKind, PercentEncodingMode};
    let identity = aws_credential_types::Credentials::new("AKIDEXAMPLE", SECRET, None, None, "test").into();
    let mut settings = SigningSettings::default();
    if once {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
    }
    if unsigned_body {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("iotdata")
        .time(UNIX_EPOCH + Duration::from_millis(NOW.as_millis()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let uri = format!("https://localhost:8443{}{query}", request.path);
    let body = if unsigned_body { SignableBody::UnsignedPayload } else { SignableBody::Bytes(&request.body) };
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap())).collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(&request.method, uri, headers, body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    for (name, value) in instructions.headers() {
        request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    request
}

fn request(method: &str, target: &str, body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![
            ("host".to_owned(), b"localhost:8443".to_vec()),
            ("content-type".to_owned(), b"application/json".to_vec()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn requests_of_the_sdk_pass() {
    for (method, target, body) in [
        ("GET", "/things", ""),
        ("GET", "/things?maxResults=25&nextToken=ab%2Bc%3D%3D", ""),
        ("POST", "/things/lamp%3A1", "{\"attributePayload\":{}}"),
        ("POST", "/topics/%24aws%2Fthings%2Flamp%2Fshadow%2Fupdate?qos=1", "{}"),
        ("POST", "/topics/a%20b%2F%C3%A4?qos=0&retain=true", "\u{0}\u{1}"),
        ("GET", "/things/lamp/shadow?name=one~two", ""),
        ("PUT", "/target-policies/p%40x", "{\"target\":\"arn:aws:iot:r:1:cert/0\"}"),
        ("POST", "/", "Action=GetRole&RoleName=r&Version=2010-05-08"),
    ] {
        for (once, unsigned) in [(false, false), (true, false), (false, true), (true, true)] {
            let signed = sdk_signed(request(method, target, body), once, unsigned);
            let authorization = signed.check(SECRET, NOW).unwrap_or_else(|error| panic!("{target}: {error}"));
            assert_eq!((&*authorization.region, &*authorization.service), ("eu-central-1", "iotdata"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_of_the_sdk_passes_and_no_other_body_does(
        method in "GET|PUT|POST|DELETE|PATCH",
        path in "(/((%[2-7][0-9A-F]|[a-zA-Z0-9._~$@:-]){0,12}[a-z])?){1,5}",
        query in "([a-zA-Z]{1,6}=(%[2-7][0-9A-F]|[a-zA-Z0-9._~-]){0,9}(&[a-z]{1,3}=[0-9]{0,3}){0,3})?",
        body in ".{0,40}",
        once: bool,
    ) {
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut signed = sdk_signed(request(&method, &target, &body), once, false);
        signed.check(SECRET, NOW).unwrap();
        signed.body.push(b' ');
        prop_assert!(signed.check(SECRET, NOW).is_err());
    }

    #[test]
    fn any_header_gives_an_answer(header in ".{0,200}", date in "[0-9TZ]{0,17}", path in ".{0,30}", query in ".{0,30}") {
        let mut request = vanilla();
        *request.header("authorization") = format!("AWS4-HMAC-SHA256 {header}").into_bytes();
        *request.header("x-amz-date") = date.into_bytes();
        (request.path, request.query) = (path, query);
        prop_assert!(request.check(SECRET, NOW).is_err());
    }

    #[test]
    fn any_credential_gives_an_answer(credential in "[a-zA-Z0-9/]{0,60}", headers in "[a-z;-]{0,30}", signature in "[0-9a-g]{0,70}") {
        let mut request = vanilla();
        let text = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={headers}, Signature={signature}");
        *request.header("authorization") = text.into_bytes();
        prop_assert!(request.check(SECRET, NOW).is_err());
    }
}
