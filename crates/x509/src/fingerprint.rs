//! A certificate's id.

use aws_lc_rs::digest;

use names::CertificateId;

/// The id of a certificate: the SHA-256 of its DER bytes (AWS IoT Core API reference, `certificateId`).
pub fn certificate_id(der: &[u8]) -> CertificateId {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest::digest(&digest::SHA256, der).as_ref()).for_each(|(to, from)| *to = *from);
    CertificateId::from_der_hash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4 example: SHA-256 of "abc".
    #[test]
    fn the_id_is_the_sha_256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(certificate_id(b"abc").to_string(), expected);
    }
}
