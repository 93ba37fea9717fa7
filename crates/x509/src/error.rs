//! What can be wrong with a certificate, a signing request or a key.

/// Why a certificate could not be read or issued. The texts are for the caller; none holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum X509Error {
    /// The PEM text is longer than 64 KiB.
    #[error("the PEM text is longer than {} bytes", crate::pem::PEM_BYTES_MAX)]
    TooLarge,
    /// The text is not one PEM block of the label that was expected.
    #[error("the text is not a PEM block \"-----BEGIN {expected}-----\"")]
    BadPem {
        /// The label that was looked for, such as `CERTIFICATE`.
        expected: &'static str,
    },
    /// The bytes are not an X.509 certificate (RFC 5280).
    #[error("the data is not an X.509 certificate: {0}")]
    BadCertificate(String),
    /// The bytes are not a PKCS#10 certificate signing request (RFC 2986).
    #[error("the data is not a certificate signing request: {0}")]
    BadSigningRequest(String),
    /// The signing request's signature is not by the key that it holds.
    #[error("the signature of the certificate signing request is not valid")]
    BadSigningRequestSignature,
    /// The key is none that AWS IoT Core accepts (API reference, `CreateCertificateFromCsr`).
    #[error("the key is {0}; it must be RSA of at least 2048 bits or ECC on NIST P-256, P-384 or P-521")]
    UnsupportedKey(String),
    /// The signature algorithm is none that AWS IoT Core accepts (developer guide, x509-client-certs).
    #[error("the signature algorithm {0} is not supported")]
    UnsupportedSignature(String),
    /// The authority's certificate may not sign others, or its key is another's.
    #[error("the authority cannot be used: {0}")]
    BadAuthority(String),
    /// A name for the server's certificate is neither a DNS name nor an IP address, or there are too many.
    #[error("the server name {0:?} is neither a DNS name nor an IP address")]
    BadServerName(String),
    /// The cryptographic library refused to make or use a key.
    #[error("the cryptographic library failed: {0}")]
    Cryptography(String),
}
