//! PEM text (RFC 7468), bounded: one block in, one block out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::X509Error;

/// The longest PEM text that is read, in bytes (ours; the API model allows a certificate 65,536 characters).
pub(crate) const PEM_BYTES_MAX: usize = 65_536;

/// The DER bytes of the first block that has one of `labels`; text may stand before and after it, as openssl writes it.
pub(crate) fn decode(text: &str, labels: &'static [&'static str]) -> Result<Vec<u8>, X509Error> {
    if text.len() > PEM_BYTES_MAX {
        return Err(X509Error::TooLarge);
    }
    let expected = labels.first().copied().unwrap_or_default();
    labels.iter().find_map(|label| block(text, label)).ok_or(X509Error::BadPem { expected })
}

fn block(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let packed: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok().filter(|der| !der.is_empty())
}

/// One block with lines of 64 characters, ending in a newline.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, c) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_both_ways() {
        for length in [1, 47, 48, 49, 500] {
            let der = vec![0x5a; length];
            let text = encode("CERTIFICATE", &der);
            assert!(text.lines().all(|line| line.len() <= 64) && text.ends_with("-----\n"), "{length}");
            assert_eq!(decode(&format!("subject=x\n{text}more"), &["CERTIFICATE"]), Ok(der), "{length}");
        }
        let windows = encode("CERTIFICATE", b"some bytes").replace('\n', "\r\n");
        assert_eq!(decode(&windows, &["CERTIFICATE"]), Ok(b"some bytes".to_vec()));
    }

    #[test]
    fn bad_text_is_refused() {
        let refusal = X509Error::BadPem { expected: "CERTIFICATE" };
        let good = encode("CERTIFICATE", b"x");
        for bad in ["", "x", "-----BEGIN CERTIFICATE-----", &good.replace("eA==", "e*=="), &good.replace("eA==", "")] {
            assert_eq!(decode(bad, &["CERTIFICATE"]), Err(refusal.clone()), "{bad}");
        }
        assert_eq!(decode(&encode("PRIVATE KEY", b"x"), &["CERTIFICATE"]), Err(refusal));
        assert_eq!(decode(&"x".repeat(PEM_BYTES_MAX + 1), &["CERTIFICATE"]), Err(X509Error::TooLarge));
    }
}
