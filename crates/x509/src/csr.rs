//! Certificate signing requests (PKCS#10, RFC 2986): reading one and proving that its key signed it.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rcgen::SubjectPublicKeyInfo;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA256WITHRSA,
    OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
    OID_SIG_ECDSA_WITH_SHA512,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::{X509Error, pem};

/// A signing request whose signature and key have been checked.
#[derive(Debug)]
pub(crate) struct SigningRequest {
    /// The subject's DER bytes, as the device wrote them.
    pub(crate) subject_der: Vec<u8>,
    /// The key to certify.
    pub(crate) public_key: SubjectPublicKeyInfo,
}

impl SigningRequest {
    /// Reads a PEM text; extensions that it asks for (such as being an authority) are not granted and not kept.
    pub(crate) fn from_pem(text: &str) -> Result<Self, X509Error> {
        let der = pem::decode(text, &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])?;
        let (rest, request) = X509CertificationRequest::from_der(&der)
            .map_err(|error| X509Error::BadSigningRequest(error.to_string()))?;
        if !rest.is_empty() {
            return Err(X509Error::BadSigningRequest(format!("{} bytes too many", rest.len())));
        }
        let verification = verification(&request, key_kind(&request)?)?;
        let info = &request.certification_request_info;
        verify(&request, verification)?;
        let public_key = SubjectPublicKeyInfo::from_der(info.subject_pki.raw)
            .map_err(|error| X509Error::UnsupportedKey(error.to_string()))?;
        Ok(Self { subject_der: info.subject.as_raw().to_vec(), public_key })
    }
}

#[derive(Debug, Clone, Copy)]
enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
}

/// AWS IoT Core API reference, `CreateCertificateFromCsr`: RSA of at least 2048 bits, ECC on three NIST curves.
fn key_kind(request: &X509CertificationRequest<'_>) -> Result<KeyKind, X509Error> {
    let info = &request.certification_request_info.subject_pki;
    let key = info.parsed().map_err(|error| X509Error::BadSigningRequest(error.to_string()))?;
    match key {
        PublicKey::RSA(rsa) if rsa.key_size() >= 2048 => Ok(KeyKind::Rsa),
        PublicKey::RSA(rsa) => Err(X509Error::UnsupportedKey(format!("RSA of {} bits", rsa.key_size()))),
        PublicKey::EC(_) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            let known =
                [(OID_EC_P256, KeyKind::P256), (OID_NIST_EC_P384, KeyKind::P384), (OID_NIST_EC_P521, KeyKind::P521)];
            let found = known.into_iter().find(|(oid, _)| curve.as_ref() == Some(oid));
            found.map(|(_, kind)| kind).ok_or_else(|| X509Error::UnsupportedKey("ECC on another curve".to_owned()))
        }
        _ => Err(X509Error::UnsupportedKey(format!("of the algorithm {}", info.algorithm.algorithm))),
    }
}

/// How to verify; none means that the parser's own RSA verification does it.
type Verification = Option<&'static dyn VerificationAlgorithm>;

/// Developer guide, x509-client-certs: RSA (PKCS#1 and PSS) and ECDSA, each with SHA-256, SHA-384 and SHA-512.
fn verification(request: &X509CertificationRequest<'_>, kind: KeyKind) -> Result<Verification, X509Error> {
    let oid = &request.signature_algorithm.algorithm;
    let rsa = [OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_PKCS1_RSASSAPSS];
    let hashes = [OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512];
    let by_hash: [&'static dyn VerificationAlgorithm; 3] = match kind {
        KeyKind::Rsa if rsa.contains(oid) => return Ok(None),
        KeyKind::Rsa => return Err(X509Error::UnsupportedSignature(oid.to_string())),
        KeyKind::P256 => {
            [&signature::ECDSA_P256_SHA256_ASN1, &signature::ECDSA_P256_SHA384_ASN1, &signature::ECDSA_P256_SHA512_ASN1]
        }
        KeyKind::P384 => {
            [&signature::ECDSA_P384_SHA256_ASN1, &signature::ECDSA_P384_SHA384_ASN1, &signature::ECDSA_P384_SHA512_ASN1]
        }
        KeyKind::P521 => {
            [&signature::ECDSA_P521_SHA256_ASN1, &signature::ECDSA_P521_SHA384_ASN1, &signature::ECDSA_P521_SHA512_ASN1]
        }
    };
    let found = hashes.iter().zip(by_hash).find(|(hash, _)| *hash == oid);
    found.map(|(_, algorithm)| Some(algorithm)).ok_or_else(|| X509Error::UnsupportedSignature(oid.to_string()))
}

fn verify(request: &X509CertificationRequest<'_>, verification: Verification) -> Result<(), X509Error> {
    let info = &request.certification_request_info;
    let valid = match verification {
        None => request.verify_signature().is_ok(),
        Some(algorithm) => UnparsedPublicKey::new(algorithm, &info.subject_pki.subject_public_key.data)
            .verify(info.raw, &request.signature_value.data)
            .is_ok(),
    };
    valid.then_some(()).ok_or(X509Error::BadSigningRequestSignature)
}
