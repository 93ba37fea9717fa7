//! The server's own certificate authority: what it issues, to whom and for how long.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use names::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SerialNumber, SigningKey,
    date_time_ymd,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::csr::SigningRequest;
use crate::{Certificate, X509Error, der, pem};

/// A certificate authority: a P-256 key and the certificate that says it may sign.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    not_after: Timestamp,
}

/// A server's certificate and its key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The P-256 private key, PEM of PKCS#8.
    pub private_key_pem: String,
}

/// What a device gets from `CreateKeysAndCertificate`; every PEM ends in a newline.
#[derive(Clone)]
pub struct DeviceIdentity {
    /// The certificate.
    pub certificate_pem: String,
    /// The RSA private key, PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    pub private_key_pem: String,
    /// The RSA public key as SubjectPublicKeyInfo (`BEGIN PUBLIC KEY`).
    pub public_key_pem: String,
}

impl Authority {
    /// Makes a new key and a self-signed certificate of `common_name` (1 to 64 characters), valid for about 30 years.
    ///
    /// # Errors
    /// [`X509Error::BadAuthority`] for a name of another length, [`X509Error::Cryptography`] when no key can be made.
    pub fn generate(common_name: &str, now: Timestamp) -> Result<Self, X509Error> {
        if common_name.is_empty() || common_name.chars().count() > COMMON_NAME_CHARACTERS_MAX {
            return Err(X509Error::BadAuthority("its common name must have 1 to 64 characters".to_owned()));
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(cryptography)?;
        let mut params = parameters(common_name, now)?;
        ends(&mut params, later(now, 30 * YEAR_SECONDS));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = false;
        let certificate = params.self_signed(&key).map_err(cryptography)?;
        Self::from_pem(&certificate.pem(), &key.serialize_pem())
    }

    /// Takes an authority up again from its certificate and key (PKCS#8 or SEC 1 PEM; ECC or RSA).
    ///
    /// # Errors
    /// [`X509Error`] when either cannot be read, the certificate may not sign, or the key is not the certificate's.
    pub fn from_pem(certificate_pem: &str, private_key_pem: &str) -> Result<Self, X509Error> {
        if private_key_pem.len() > pem::PEM_BYTES_MAX {
            return Err(X509Error::TooLarge);
        }
        let certificate = Certificate::from_pem(certificate_pem)?;
        let key = KeyPair::from_pem(private_key_pem)
            .map_err(|_| X509Error::BadAuthority("its private key cannot be read".to_owned()))?;
        if !certificate.is_authority {
            return Err(X509Error::BadAuthority("its certificate may not sign others".to_owned()));
        }
        if !holds_key(&certificate, &key) {
            return Err(X509Error::BadAuthority("the private key is not that of the certificate".to_owned()));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate.der().into(), key)
            .map_err(|error| X509Error::BadAuthority(error.to_string()))?;
        Ok(Self { issuer, certificate_pem: certificate.pem(), not_after: certificate.not_after })
    }

    /// The authority's certificate, PEM: what devices trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's private key, PEM of PKCS#8. A secret: it belongs in a file of mode 0600 only.
    pub fn private_key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Issues a certificate for a server: a new P-256 key, `names` (DNS names and IP addresses) as subject alternative
    /// names, for server authentication, about 10 years but never longer than the authority's own.
    ///
    /// # Errors
    /// [`X509Error::BadServerName`] for a name that is neither, for none, or for more than 100.
    pub fn issue_server(&self, names: &[String], now: Timestamp) -> Result<Issued, X509Error> {
        let first = names.first().filter(|_| names.len() <= SERVER_NAMES_MAX);
        let first = first.ok_or_else(|| X509Error::BadServerName(format!("{} names", names.len())))?;
        if let Some(bad) = names.iter().find(|name| !is_server_name(name)) {
            return Err(X509Error::BadServerName(bad.chars().take(256).collect()));
        }
        let short = first.chars().count() <= COMMON_NAME_CHARACTERS_MAX;
        let mut params = parameters(if short { first } else { "Althing" }, now)?;
        let with_names = CertificateParams::new(names.to_vec()).map_err(|_| X509Error::BadServerName(first.clone()))?;
        params.subject_alt_names = with_names.subject_alt_names;
        ends(&mut params, later(now, 10 * YEAR_SECONDS).min(self.not_after));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(cryptography)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(cryptography)?;
        Ok(Issued {
            certificate_pem: pem::encode("CERTIFICATE", certificate.der()),
            private_key_pem: key.serialize_pem(),
        })
    }

    /// Issues a certificate with a new RSA 2048 key for a device: subject `CN=AWS IoT Certificate`, valid until
    /// 2049-12-31T23:59:59Z, for client authentication (API reference, `CreateKeysAndCertificate`).
    ///
    /// # Errors
    /// [`X509Error::Cryptography`] when no key can be made.
    pub fn issue_device(&self, now: Timestamp) -> Result<DeviceIdentity, X509Error> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(cryptography)?;
        let params = device_parameters(now)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(cryptography)?;
        Ok(DeviceIdentity {
            certificate_pem: pem::encode("CERTIFICATE", certificate.der()),
            private_key_pem: pem::encode("RSA PRIVATE KEY", pkcs1(key.serialized_der())?),
            public_key_pem: pem::encode("PUBLIC KEY", &key.subject_public_key_info()),
        })
    }

    /// Issues a certificate for a signing request: its key and its subject, byte for byte, but none of the extensions
    /// that it asks for. The same request twice gives different certificates (API reference,
    /// `CreateCertificateFromCsr`).
    ///
    /// # Errors
    /// [`X509Error`] when the request cannot be read, is not signed by its own key, or the key is not supported.
    pub fn issue_from_csr(&self, csr_pem: &str, now: Timestamp) -> Result<String, X509Error> {
        let request = SigningRequest::from_pem(csr_pem)?;
        let mut params = device_parameters(now)?;
        params.distinguished_name = DistinguishedName::new();
        let certificate = params.signed_by(&request.public_key, &self.issuer).map_err(cryptography)?;
        let named = self.with_subject(certificate.der(), &request.subject_der)?;
        Ok(pem::encode("CERTIFICATE", &named))
    }

    /// `certificate` with another subject, signed anew. The library's own names keep one value an attribute only, so
    /// a subject with two organizational units would lose one.
    fn with_subject(&self, certificate: &[u8], subject_der: &[u8]) -> Result<Vec<u8>, X509Error> {
        let broken = || X509Error::Cryptography("the certificate is not as it was written".to_owned());
        let outer = der::content(certificate, der::SEQUENCE).and_then(der::elements).ok_or_else(broken)?;
        let [body, algorithm, _] = outer.as_slice() else { return Err(broken()) };
        let mut fields = der::content(body, der::SEQUENCE).and_then(der::elements).ok_or_else(broken)?;
        // RFC 5280, 4.1: version, serialNumber, signature, issuer, validity, subject, ...
        *fields.get_mut(5).ok_or_else(broken)? = subject_der;
        let body = der::element(der::SEQUENCE, &fields);
        let signature = self.issuer.key().sign(&body).map_err(cryptography)?;
        let signature = der::element(der::BIT_STRING, &[&[0], &signature]);
        Ok(der::element(der::SEQUENCE, &[&body, algorithm, &signature]))
    }
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("certificate_pem", &self.certificate_pem).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceIdentity").field("certificate_pem", &self.certificate_pem).finish_non_exhaustive()
    }
}

fn device_parameters(now: Timestamp) -> Result<CertificateParams, X509Error> {
    let mut params = parameters("AWS IoT Certificate", now)?;
    ends(&mut params, Timestamp::from_millis(DEVICE_NOT_AFTER_SECONDS * 1000));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// What all certificates have alike: a random serial number, a start a little in the past for clocks that lag, key
/// identifiers, and not being an authority.
fn parameters(common_name: &str, now: Timestamp) -> Result<CertificateParams, X509Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(now.as_seconds().saturating_sub(3600));
    params.serial_number = Some(serial_number()?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// 20 bytes at most and positive (RFC 5280, 4.1.2.2): 16 random bytes behind a non-zero first one.
fn serial_number() -> Result<SerialNumber, X509Error> {
    let mut bytes = [0; 17];
    SystemRandom::new().fill(&mut bytes).map_err(cryptography)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// The RSAPrivateKey (RFC 8017, A.1.2) within a PKCS#8 PrivateKeyInfo (RFC 5208, 5).
fn pkcs1(pkcs8: &[u8]) -> Result<&[u8], X509Error> {
    let fields = der::content(pkcs8, der::SEQUENCE).and_then(der::elements);
    let key = fields.and_then(|fields| fields.get(2).copied());
    let key = key.and_then(|key| der::content(key, der::OCTET_STRING));
    key.ok_or_else(|| X509Error::Cryptography("the RSA key is not PKCS#8".to_owned()))
}

fn holds_key(certificate: &Certificate, key: &KeyPair) -> bool {
    X509Certificate::from_der(certificate.der())
        .is_ok_and(|(_, parsed)| parsed.public_key().subject_public_key.data.as_ref() == key.public_key_raw())
}

/// RFC 1123 host names, a leading `*.` allowed, or an IP address.
fn is_server_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && host.split('.').all(label))
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(seconds * 1000))
}

fn ends(params: &mut CertificateParams, time: Timestamp) {
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(time.as_seconds());
}

/// Far futures are cut to the year 9999, the last that a certificate can say.
fn since_epoch(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(LAST_SECOND))
}

fn cryptography(error: impl std::fmt::Display) -> X509Error {
    X509Error::Cryptography(error.to_string())
}

const YEAR_SECONDS: u64 = 365 * 86_400 + 6 * 3600;
/// 2049-12-31T23:59:59Z.
const DEVICE_NOT_AFTER_SECONDS: u64 = 2_524_607_999;
/// 9999-12-31T23:59:59Z (RFC 5280, 4.1.2.5).
const LAST_SECOND: u64 = 253_402_300_799;
/// RFC 5280, appendix A.1, ub-common-name.
const COMMON_NAME_CHARACTERS_MAX: usize = 64;
/// Subject alternative names of one server certificate (ours).
const SERVER_NAMES_MAX: usize = 100;
