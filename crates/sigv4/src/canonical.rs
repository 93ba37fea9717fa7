//! The canonical request: the one text that signer and verifier both derive from a request.
//! AWS General Reference, "Create a canonical request".

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::SignedRequest;

/// RFC 3986 unreserved characters stay as they are; all others are encoded, in upper-case hex.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The canonical request with `path` as its canonical path.
pub(crate) fn canonical_request(
    request: &SignedRequest<'_>,
    path: &str,
    signed_headers: &[String],
    payload_hash: &str,
) -> Vec<u8> {
    let mut text = format!("{}\n{path}\n{}\n", request.method, canonical_query(request.query)).into_bytes();
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        for (at, value) in request.header_values(name).enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend(without_surplus_spaces(value));
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    text
}

/// The paths that a signer may have meant, the usual one first. For all services but S3 the path is encoded once more;
/// not all clients do that. Most remove `.`, `..` and empty segments before; not all do.
pub(crate) fn canonical_paths(raw: &str) -> Vec<String> {
    let normal = normalized(raw);
    let mut paths = Vec::with_capacity(4);
    for candidate in [encoded_again(&normal), encoded_again(raw), normal, raw.to_owned()] {
        if !paths.contains(&candidate) {
            paths.push(candidate);
        }
    }
    paths
}

/// Each segment percent-encoded, its percent signs too.
fn encoded_again(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        out.extend(percent_encode(segment.as_bytes(), ENCODED));
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

/// Without `.`, `..` and empty segments (RFC 3986, 5.2.4, as signers of AWS read it); a slash at the end stays.
fn normalized(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let end = if kept.is_empty() || !path.ends_with('/') { "" } else { "/" };
    format!("/{}{end}", kept.join("/"))
}

/// Parameters decoded, encoded by the book, and sorted by name and value.
fn canonical_query(raw: &str) -> String {
    let encoded = |text: &str| -> String {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&decoded, ENCODED).collect()
    };
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(name), encoded(value))
        })
        .collect();
    pairs.sort();
    let mut out = String::with_capacity(raw.len() + 16);
    for (name, value) in pairs {
        let separator = if out.is_empty() { "" } else { "&" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{separator}{name}={value}");
    }
    out
}

/// A header value without white space around it and with runs of spaces made one.
fn without_surplus_spaces(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value.trim_ascii() {
        if *byte != b' ' || out.last() != Some(&b' ') {
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The official test suite's normalize-path and get-vanilla-query cases.
    #[test]
    fn paths_are_normalized_and_encoded_again() {
        let check = |raw: &str, expected: &[&str]| assert_eq!(canonical_paths(raw), expected, "{raw}");
        check("/", &["/"]);
        check("", &["/", ""]);
        check("/example/..", &["/", "/example/.."]);
        check("/./", &["/", "/./"]);
        check("//example//", &["/example/", "//example//"]);
        check("/./example", &["/example", "/./example"]);
        check("/example1/example2/../..", &["/", "/example1/example2/../.."]);
        check("/example%20space/", &["/example%2520space/", "/example%20space/"]);
        check("/topics/a%2Fb", &["/topics/a%252Fb", "/topics/a%2Fb"]);
        check("/-._~0Az", &["/-._~0Az"]);
        check("/$aws/x", &["/%24aws/x", "/$aws/x"]);
    }

    #[test]
    fn queries_are_sorted_and_encoded() {
        let check = |raw: &str, expected: &str| assert_eq!(canonical_query(raw), expected, "{raw}");
        check("", "");
        check("Param2=value2&Param1=value1", "Param1=value1&Param2=value2");
        check("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2");
        check("Param1=value2&Param1=value1", "Param1=value1&Param1=value2");
        check("flag&&x=", "flag=&x=");
        check("%E1%88%B4=bar", "%E1%88%B4=bar");
        check("a=%7e%2f", "a=~%2F");
        check("a=b=c", "a=b%3Dc");
    }

    #[test]
    fn spaces_in_headers_are_folded() {
        let check = |value: &[u8], expected: &[u8]| assert_eq!(without_surplus_spaces(value), expected);
        check(b" value1 ", b"value1");
        check(b" \"a   b   c\"", b"\"a b c\"");
        check(b"", b"");
        check(b"\xff  \xfe", b"\xff \xfe");
    }
}
