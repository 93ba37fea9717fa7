//! Pages of lists: a size and an opaque token, which travels in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use names::limits;
use registry::PageRequest;

use crate::error::ApiError;

/// The registry's page for an API's `maxResults` or `pageSize` and `nextToken` or `marker`.
pub(crate) fn request(token: Option<&str>, size: Option<u32>) -> Result<PageRequest, ApiError> {
    Ok(PageRequest { after: token.map(read_token).transpose()?, limit: limit(size) })
}

/// Entries of a page; the model bounds what a caller asks for.
pub(crate) fn limit(size: Option<u32>) -> usize {
    size.map_or(limits::PAGE_SIZE_DEFAULT, |size| usize::try_from(size).unwrap_or(limits::PAGE_SIZE_MAX))
}

/// A service's token, as callers see it.
pub(crate) fn token(service_token: Option<String>) -> Option<String> {
    service_token.map(|token| STANDARD.encode(token))
}

/// What [`token`] made.
pub(crate) fn read_token(text: &str) -> Result<String, ApiError> {
    let token = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    token.ok_or_else(|| ApiError::invalid("The pagination token is not valid."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_there_and_back() {
        let text = token(Some("thing/\u{e9}".to_owned())).unwrap();
        assert_eq!(read_token(&text).unwrap(), "thing/\u{e9}");
        for bad in ["!", "a", "/w=="] {
            assert!(read_token(bad).is_err(), "{bad}");
        }
        assert_eq!(token(None), None);
    }

    #[test]
    fn a_page_has_25_entries_unless_the_caller_says_otherwise() {
        assert_eq!(limit(None), 25);
        assert_eq!(limit(Some(250)), 250);
    }
}
