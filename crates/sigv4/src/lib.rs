//! Who signed this HTTP request: AWS Signature Version 4 in the `Authorization` header or in the query (AWS General
//! Reference, "Signature Version 4 signing process").
//!
//! The caller reads [`Authorization`] from the request with [`parse_authorization`], looks up the secret of its access
//! key, decides whether it accepts the region and the service, and asks [`verify`]; [`parse_presigned`] and
//! [`verify_presigned`] are the same for the query. Pure: no clock, no keys kept.

mod authorization;
mod canonical;
mod date;
mod error;
mod presigned;
mod verify;

pub use authorization::{Authorization, parse_authorization};
pub use error::SignatureError;
pub use presigned::{Presigned, parse_presigned, verify_presigned};
pub use verify::verify;

/// An HTTP request as it came, before anything was decoded. Over HTTP/2 the caller adds `host` from `:authority`.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Upper-case, as on the request line.
    pub method: &'a str,
    /// The path as on the request line, percent-encoding kept, before `?`.
    pub path: &'a str,
    /// What stands after `?`, raw, without it; empty when there is none.
    pub query: &'a str,
    /// All headers in their order; names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    /// The values of a header, in their order; `name` in lower case.
    fn header_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The first value of a header as text; none when it is not UTF-8.
    fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next().and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }
}
