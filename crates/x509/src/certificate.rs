//! Reading a certificate: what registering and connecting devices need to know of it.

use names::{CertificateId, Timestamp};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::{X509Error, certificate_id, pem};

/// An X.509 certificate that could be read. Whether it is trusted is not decided here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The SHA-256 of the DER bytes.
    pub id: CertificateId,
    /// Not valid before this time.
    pub not_before: Timestamp,
    /// Not valid after this time.
    pub not_after: Timestamp,
    /// Whom it names, as RFC 4514 text such as `CN=AWS IoT Certificate`.
    pub subject: String,
    /// The common name within the subject, when there is one.
    pub common_name: Option<String>,
    /// Who signed it, as RFC 4514 text.
    pub issuer: String,
    /// The serial number in lower-case hex.
    pub serial_number: String,
    /// Whether it may sign other certificates (basic constraints, RFC 5280, 4.2.1.9).
    pub is_authority: bool,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads the DER bytes of exactly one certificate.
    ///
    /// # Errors
    /// [`X509Error::TooLarge`] above 64 KiB, [`X509Error::BadCertificate`] for bytes that are none.
    pub fn from_der(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > pem::PEM_BYTES_MAX {
            return Err(X509Error::TooLarge);
        }
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|error| X509Error::BadCertificate(error.to_string()))?;
        if !rest.is_empty() {
            return Err(X509Error::BadCertificate(format!("{} bytes too many", rest.len())));
        }
        let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Ok(Self {
            id: certificate_id(der),
            not_before: timestamp(parsed.validity().not_before),
            not_after: timestamp(parsed.validity().not_after),
            subject: parsed.subject().to_string(),
            common_name: common_name.map(str::to_owned),
            issuer: parsed.issuer().to_string(),
            serial_number: parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            is_authority: parsed.is_ca(),
            der: der.to_vec(),
        })
    }

    /// Reads the first `CERTIFICATE` block of a PEM text.
    ///
    /// # Errors
    /// [`X509Error::BadPem`] and [`X509Error::TooLarge`] for the text, [`X509Error::BadCertificate`] for its content.
    pub fn from_pem(text: &str) -> Result<Self, X509Error> {
        Self::from_der(&pem::decode(text, &["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"])?)
    }

    /// The DER bytes that were read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM text, ending in a newline.
    pub fn pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Whether `now` lies within the validity, both ends included (RFC 5280, 4.1.2.5).
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before.as_seconds() <= now.as_seconds() && now.as_seconds() <= self.not_after.as_seconds()
    }
}

/// Times before 1970 become 1970: nothing compares against them.
fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_millis(u64::try_from(time.timestamp()).unwrap_or(0).saturating_mul(1000))
}
