//! The PROXY protocol's header, versions 1 and 2 (The PROXY protocol, HAProxy Technologies): bytes to addresses.
//!
//! Total and without I/O: any bytes give a header, "need more" or an error. Only the source address is of interest;
//! the destination is checked and dropped, and version 2's additional fields (TLVs) are skipped by their length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use names::limits;

/// What a header says, and how many bytes it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProxyHeader {
    /// Where the client connected from; none when the proxy speaks for itself (`LOCAL`, `UNKNOWN`) or the client's
    /// address is not one of IP.
    pub(crate) source: Option<SocketAddr>,
    /// The header's length; what follows are the client's bytes.
    pub(crate) bytes: usize,
}

/// Why bytes are no PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidProxyHeader {
    /// They begin with neither signature.
    #[error("there is no PROXY header")]
    NoSignature,
    /// Version 1's line has more than 107 bytes or is not what the protocol says.
    #[error("the PROXY line is not valid")]
    Line,
    /// Version 2 with another version number, or a command other than LOCAL and PROXY.
    #[error("the PROXY header has an unknown version or command")]
    VersionOrCommand,
    /// Version 2's address block is shorter than its address family needs.
    #[error("the PROXY header's addresses are cut off")]
    Addresses,
    /// Version 2's length is over the bound.
    #[error("the PROXY header is longer than {} bytes", limits::PROXY_HEADER_BYTES_MAX)]
    TooLong,
}

/// How version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2's fixed part: signature, version and command, family and protocol, length.
pub(crate) const FIXED_BYTES: usize = 16;
/// How version 1 begins.
const LINE_START: &[u8; 6] = b"PROXY ";
/// Version 1's longest line, CRLF and all.
pub(crate) const LINE_BYTES_MAX: usize = 107;

/// Reads the header at the beginning of `bytes`; none when more bytes are needed.
///
/// # Errors
/// [`InvalidProxyHeader`] as soon as the bytes cannot become a header.
pub(crate) fn parse_proxy_header(bytes: &[u8]) -> Result<Option<ProxyHeader>, InvalidProxyHeader> {
    let begins = |signature: &[u8]| bytes.iter().zip(signature).all(|(one, other)| one == other);
    if begins(SIGNATURE) {
        parse_binary(bytes)
    } else if begins(LINE_START) {
        parse_line(bytes)
    } else {
        Err(InvalidProxyHeader::NoSignature)
    }
}

fn parse_binary(bytes: &[u8]) -> Result<Option<ProxyHeader>, InvalidProxyHeader> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED_BYTES>() else { return Ok(None) };
    let [.., version_and_command, family, length_high, length_low] = *fixed;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let is_local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return Err(InvalidProxyHeader::VersionOrCommand),
    };
    if FIXED_BYTES + length > limits::PROXY_HEADER_BYTES_MAX {
        return Err(InvalidProxyHeader::TooLong);
    }
    let Some(block) = rest.get(..length) else { return Ok(None) };
    // The high half is the address family: 1 IPv4, 2 IPv6; others carry no IP address. A proxy that speaks for itself
    // may put anything there, which is passed over.
    let source = match family >> 4 {
        _ if is_local => None,
        1 => Some(socket_v4(block).ok_or(InvalidProxyHeader::Addresses)?),
        2 => Some(socket_v6(block).ok_or(InvalidProxyHeader::Addresses)?),
        _ => None,
    };
    Ok(Some(ProxyHeader { source, bytes: FIXED_BYTES + length }))
}

/// Source and destination address, source and destination port.
fn socket_v4(block: &[u8]) -> Option<SocketAddr> {
    let &[a, b, c, d, _, _, _, _, high, low, _, _] = block.first_chunk::<12>()?;
    Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))))
}

fn socket_v6(block: &[u8]) -> Option<SocketAddr> {
    let block = block.first_chunk::<36>()?;
    let address = Ipv6Addr::from(*block.first_chunk::<16>()?);
    let &[high, low, _, _] = block.last_chunk::<4>()?;
    Some(SocketAddr::from((address, u16::from_be_bytes([high, low]))))
}

fn parse_line(bytes: &[u8]) -> Result<Option<ProxyHeader>, InvalidProxyHeader> {
    let seen = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
    let Some(end) = seen.iter().position(|byte| *byte == b'\n') else {
        return if seen.len() == LINE_BYTES_MAX { Err(InvalidProxyHeader::Line) } else { Ok(None) };
    };
    let line = seen.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let line = line.and_then(|line| std::str::from_utf8(line).ok()).ok_or(InvalidProxyHeader::Line)?;
    let source = read_line(line).ok_or(InvalidProxyHeader::Line)?;
    Ok(Some(ProxyHeader { source, bytes: end + 1 }))
}

/// `PROXY TCP4 SOURCE DESTINATION SOURCE_PORT DESTINATION_PORT`, or `PROXY UNKNOWN` and anything.
fn read_line(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ');
    let (_proxy, family) = (words.next()?, words.next()?);
    if family == "UNKNOWN" {
        return Some(None);
    }
    let [source, destination, source_port, destination_port] =
        [words.next()?, words.next()?, words.next()?, words.next()?];
    let address = |text: &str| -> Option<IpAddr> {
        let address: IpAddr = text.parse().ok()?;
        let fits = (family == "TCP4" && address.is_ipv4()) || (family == "TCP6" && address.is_ipv6());
        fits.then_some(address)
    };
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    address(destination)?;
    port(destination_port)?;
    let source = SocketAddr::new(address(source)?, port(source_port)?);
    words.next().is_none().then_some(Some(source))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn binary(version_and_command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[version_and_command, family], &length, block].concat()
    }

    /// The PROXY protocol, 2.2: 192.0.2.7:56324 to 198.51.100.1:443.
    const V4: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];

    #[test]
    fn version_2() {
        let check = |bytes: Vec<u8>, expected: Result<Option<&str>, InvalidProxyHeader>| {
            let expected = expected.map(|source| {
                Some(ProxyHeader { source: source.map(|text| text.parse().unwrap()), bytes: bytes.len() })
            });
            assert_eq!(parse_proxy_header(&bytes), expected, "{bytes:x?}");
            let and_more = [bytes.as_slice(), b"\x10\x0c"].concat();
            assert_eq!(parse_proxy_header(&and_more), expected, "the client's bytes follow");
        };
        check(binary(0x21, 0x11, V4), Ok(Some("192.0.2.7:56324")));
        let with_tlv = [V4, b"\x04\0\x03abc"].concat();
        check(binary(0x21, 0x11, &with_tlv), Ok(Some("192.0.2.7:56324")));
        let v6 = [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], [0; 16].as_slice(), &[0x10, 0, 1, 0xbb]];
        check(binary(0x21, 0x21, &v6.concat()), Ok(Some("[2001:db8::9]:4096")));
        check(binary(0x20, 0x00, b""), Ok(None));
        check(binary(0x20, 0x11, V4), Ok(None));
        check(binary(0x20, 0x11, b""), Ok(None));
        check(binary(0x21, 0x00, b"anything"), Ok(None));
        check(binary(0x21, 0x31, &[0; 216]), Ok(None));
        check(binary(0x21, 0x11, &V4[..11]), Err(InvalidProxyHeader::Addresses));
        check(binary(0x21, 0x21, V4), Err(InvalidProxyHeader::Addresses));
        check(binary(0x22, 0x11, V4), Err(InvalidProxyHeader::VersionOrCommand));
        check(binary(0x11, 0x11, V4), Err(InvalidProxyHeader::VersionOrCommand));
        check(binary(0x21, 0x11, &[0; 5000]), Err(InvalidProxyHeader::TooLong));
    }

    #[test]
    fn version_1() {
        let check = |line: &str, expected: Result<Option<&str>, InvalidProxyHeader>| {
            let expected = expected.map(|source| {
                Some(ProxyHeader { source: source.map(|text| text.parse().unwrap()), bytes: line.len() })
            });
            assert_eq!(parse_proxy_header(line.as_bytes()), expected, "{line:?}");
        };
        // The PROXY protocol, 2.1: its examples.
        check("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", Ok(Some("192.168.0.1:56324")));
        check("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", Ok(Some("[2001:db8::1]:1")));
        check("PROXY UNKNOWN\r\n", Ok(None));
        check("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", Ok(None));
        for wrong in [
            "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 65536\r\n",
            "PROXY TCP4 192.168.0.1 192.168.0.11 +1 443\r\n",
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n",
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 1\r\n",
            "PROXY UDP4 192.168.0.1 192.168.0.11 56324 443\r\n",
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n",
            "PROXY \r\n",
        ] {
            check(wrong, Err(InvalidProxyHeader::Line));
        }
        check("GET / HTTP/1.1\r\n", Err(InvalidProxyHeader::NoSignature));
        check("\x10\x0c\0\x04MQTT", Err(InvalidProxyHeader::NoSignature));
        assert_eq!(parse_proxy_header(&[b'x'; 200]), Err(InvalidProxyHeader::NoSignature));
        let endless = format!("PROXY UNKNOWN {}", "x".repeat(100));
        assert_eq!(parse_proxy_header(endless.as_bytes()), Err(InvalidProxyHeader::Line));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some(header)) = parse_proxy_header(&bytes) {
                prop_assert!(header.bytes <= bytes.len());
            }
        }

        /// Bytes that begin as a header does, cut anywhere: what is read early is read the same from the whole.
        #[test]
        fn a_header_is_never_read_from_half_of_it(
            command in prop_oneof![Just(0x20_u8), Just(0x21), any::<u8>()],
            family in any::<u8>(),
            block in proptest::collection::vec(any::<u8>(), 0..300),
            cut in 0_usize..316,
        ) {
            let whole = binary(command, family, &block);
            let part = &whole[..cut.min(whole.len())];
            let (of_part, of_whole) = (parse_proxy_header(part), parse_proxy_header(&whole));
            if of_part != Ok(None) {
                prop_assert_eq!(of_part, of_whole);
            }
        }
    }
}
