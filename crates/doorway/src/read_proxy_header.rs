//! Taking the PROXY header off a connection, and not one byte more.

use std::io;
use std::net::SocketAddr;

use names::limits;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::proxy_header::{FIXED_BYTES, InvalidProxyHeader, ProxyHeader, parse_proxy_header};

/// Why a connection has no usable header.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(transparent)]
    Invalid(#[from] InvalidProxyHeader),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The shortest header of version 1 is `PROXY UNKNOWN` and CRLF.
const SHORTEST_BYTES: usize = 15;

/// Reads the header. Answers where it says that the client is.
pub(crate) async fn read_proxy_header(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyError> {
    let mut header = Vec::with_capacity(FIXED_BYTES);
    let mut wanted = SHORTEST_BYTES;
    while header.len() < limits::PROXY_HEADER_BYTES_MAX {
        let before = header.len();
        let more = u64::try_from(wanted).unwrap_or(u64::MAX);
        if stream.take(more).read_to_end(&mut header).await? < wanted {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match parse_proxy_header(&header)? {
            Some(ProxyHeader { source, .. }) => return Ok(source),
            None => wanted = missing(&header),
        }
        debug_assert!(header.len() > before, "each turn reads something");
    }
    Err(InvalidProxyHeader::TooLong.into())
}

/// How many more bytes surely belong to the header: version 2 says its length, version 1 ends where its line does.
fn missing(header: &[u8]) -> usize {
    if header.starts_with(b"PROXY") {
        return 1;
    }
    match header.get(FIXED_BYTES - 2..FIXED_BYTES) {
        Some(&[high, low]) => {
            (FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]))).saturating_sub(header.len()).max(1)
        }
        _ => FIXED_BYTES - header.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_follows_the_header_stays_in_the_connection() {
        let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb";
        let v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
        for header in [v2.as_slice(), v1] {
            let bytes = [header, b"rest"].concat();
            let mut stream = bytes.as_slice();
            let source = read_proxy_header(&mut stream).await.unwrap();
            assert_eq!(source, Some("192.0.2.7:56324".parse().unwrap()));
            assert_eq!(stream, b"rest");
        }
    }

    #[tokio::test]
    async fn a_broken_header_is_refused() {
        for bytes in [b"".as_slice(), b"PROXY TCP4", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", b"GET / HTTP/1.1\r\n\r\n"]
        {
            assert!(read_proxy_header(&mut &*bytes).await.is_err(), "{bytes:x?}");
        }
    }
}
