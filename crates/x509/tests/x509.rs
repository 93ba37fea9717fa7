//! Certificates as devices, servers and AWS clients see them; the requests in `csr/` were made with openssl 3.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::KeyPair as _;
use names::Timestamp;
use x509::{Authority, Certificate, X509Error, certificate_id};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

/// 2026-11-22T00:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_305_600_000);

fn authority() -> Authority {
    Authority::generate("Althing CA", NOW).unwrap()
}

fn with_parsed<T>(pem: &str, look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let der = Certificate::from_pem(pem).unwrap().der().to_vec();
    look(&X509Certificate::from_der(&der).unwrap().1)
}

fn assert_signed_by(pem: &str, authority: &Authority) {
    with_parsed(authority.certificate_pem(), |issuer| {
        with_parsed(pem, |certificate| {
            certificate.verify_signature(Some(issuer.public_key())).unwrap();
            assert_eq!(certificate.issuer().as_raw(), issuer.subject().as_raw());
        });
    });
}

#[test]
fn an_authority_may_sign_and_survives_a_restart() {
    let first = authority();
    let again = Authority::from_pem(first.certificate_pem(), &first.private_key_pem()).unwrap();
    let certificate = Certificate::from_pem(first.certificate_pem()).unwrap();
    assert!(certificate.is_authority && certificate.is_valid_at(NOW));
    assert_eq!(certificate.subject, "CN=Althing CA");
    assert_signed_by(first.certificate_pem(), &first);
    assert_signed_by(&again.issue_server(&["localhost".to_owned()], NOW).unwrap().certificate_pem, &first);
    assert_eq!(again.certificate_pem(), first.certificate_pem());
}

#[test]
fn what_is_no_authority_is_refused() {
    let (first, other) = (authority(), authority());
    let server = first.issue_server(&["localhost".to_owned()], NOW).unwrap();
    let check = |certificate: &str, key: &str, expected: &str| {
        assert_eq!(Authority::from_pem(certificate, key).unwrap_err().to_string(), expected);
    };
    check(
        first.certificate_pem(),
        &other.private_key_pem(),
        "the authority cannot be used: the private key is not that of the certificate",
    );
    check(
        &server.certificate_pem,
        &server.private_key_pem,
        "the authority cannot be used: its certificate may not sign others",
    );
    check(first.certificate_pem(), "x", "the authority cannot be used: its private key cannot be read");
    check("x", "x", "the text is not a PEM block \"-----BEGIN CERTIFICATE-----\"");
    assert!(Authority::generate("", NOW).is_err());
    assert!(Authority::generate(&"x".repeat(65), NOW).is_err());
}

#[test]
fn a_server_certificate_has_its_names() {
    let authority = authority();
    let names = ["althing.example", "127.0.0.1", "::1", "*.iot.example"].map(str::to_owned);
    let issued = authority.issue_server(&names, NOW).unwrap();
    assert_signed_by(&issued.certificate_pem, &authority);
    assert!(issued.private_key_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    with_parsed(&issued.certificate_pem, |certificate| {
        let san = certificate.subject_alternative_name().unwrap().unwrap();
        let ipv6 = std::net::Ipv6Addr::LOCALHOST.octets();
        let expected = vec![
            GeneralName::DNSName("althing.example"),
            GeneralName::IPAddress(&[127, 0, 0, 1]),
            GeneralName::IPAddress(&ipv6),
            GeneralName::DNSName("*.iot.example"),
        ];
        assert_eq!(san.value.general_names, expected);
        let usage = certificate.extended_key_usage().unwrap().unwrap();
        assert!(usage.value.server_auth && !usage.value.client_auth && !certificate.is_ca());
    });
    let bad = ["", "a b", "-a", "a..b", "ä", "x/y", &"a".repeat(64), "*"].map(str::to_owned);
    for name in bad {
        let refusal = authority.issue_server(std::slice::from_ref(&name), NOW).unwrap_err();
        assert_eq!(refusal, X509Error::BadServerName(name));
    }
    assert!(authority.issue_server(&[], NOW).is_err());
    assert!(authority.issue_server(&vec!["a".to_owned(); 101], NOW).is_err());
}

#[test]
fn a_server_certificate_ends_with_its_authority() {
    let old = Timestamp::from_millis(NOW.as_millis() - 25 * 365 * 86_400_000);
    let authority = Authority::generate("old", old).unwrap();
    let issued = authority.issue_server(&["localhost".to_owned()], NOW).unwrap();
    let end = |pem: &str| Certificate::from_pem(pem).unwrap().not_after;
    assert_eq!(end(&issued.certificate_pem), end(authority.certificate_pem()));
}

/// security.md of the AWS contract: `CreateKeysAndCertificate`.
#[test]
fn a_device_gets_what_aws_gives() {
    let authority = authority();
    let device = authority.issue_device(NOW).unwrap();
    assert_signed_by(&device.certificate_pem, &authority);
    let certificate = Certificate::from_pem(&device.certificate_pem).unwrap();
    assert_eq!(certificate.subject, "CN=AWS IoT Certificate");
    assert_eq!(certificate.common_name.as_deref(), Some("AWS IoT Certificate"));
    assert_eq!(certificate.not_after.as_seconds(), 2_524_607_999);
    assert!(!certificate.is_authority && certificate.is_valid_at(NOW));
    assert!(certificate.not_before < NOW);
    assert!(!certificate.is_valid_at(Timestamp::from_millis(2_524_608_000_000)));
    assert!(!certificate.is_valid_at(Timestamp::from_millis(0)));
    assert!(device.private_key_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert!(device.public_key_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
    for pem in [&device.certificate_pem, &device.private_key_pem, &device.public_key_pem] {
        assert!(pem.ends_with("-----\n"));
    }

    let contents = |pem: &str| Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap().contents;
    // `from_der` reads RSAPrivateKey (RFC 8017) only, not PKCS#8.
    let key = RsaKeyPair::from_der(&contents(&device.private_key_pem)).unwrap();
    assert_eq!(key.public_modulus_len(), 256);
    with_parsed(&device.certificate_pem, |parsed| {
        assert_eq!(parsed.public_key().subject_public_key.data.as_ref(), key.public_key().as_ref());
        assert_eq!(parsed.public_key().raw, contents(&device.public_key_pem));
        assert!(parsed.extended_key_usage().unwrap().unwrap().value.client_auth);
    });
    assert!(!format!("{device:?}").contains("PRIVATE"));
}

#[test]
fn a_signing_request_keeps_subject_and_key() {
    let authority = authority();
    let check = |csr: &str, subject: &str| {
        let pem = authority.issue_from_csr(csr, NOW).unwrap();
        assert_signed_by(&pem, &authority);
        let certificate = Certificate::from_pem(&pem).unwrap();
        assert_eq!(certificate.subject, subject);
        assert_eq!(certificate.not_after.as_seconds(), 2_524_607_999);
        assert!(!certificate.is_authority);
        let again = Certificate::from_pem(&authority.issue_from_csr(csr, NOW).unwrap()).unwrap();
        assert_ne!(certificate.id, again.id);
        assert_ne!(certificate.serial_number, again.serial_number);
        with_parsed(&pem, |parsed| assert!(parsed.subject_alternative_name().unwrap().is_none()));
    };
    check(include_str!("csr/rsa2048.pem"), "C=DE, O=Acme, OU=One, OU=Two, CN=lamp-1");
    check(include_str!("csr/prime256v1.pem"), "CN=prime256v1");
    check(include_str!("csr/secp384r1.pem"), "CN=secp384r1");
    check(include_str!("csr/secp521r1.pem"), "CN=secp521r1");
    check(include_str!("csr/wants_ca.pem"), "CN=wants-ca");
    check(
        &include_str!("csr/prime256v1.pem").replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        "CN=prime256v1",
    );
}

#[test]
fn a_bad_signing_request_is_refused() {
    let authority = authority();
    let check = |csr: &str, expected: &str| {
        let refusal = authority.issue_from_csr(csr, NOW).unwrap_err().to_string();
        assert!(refusal.starts_with(expected), "{refusal}");
    };
    check(include_str!("csr/rsa1024.pem"), "the key is RSA of 1024 bits; it must be");
    check(include_str!("csr/secp256k1.pem"), "the key is ECC on another curve");
    check(include_str!("csr/ed25519.pem"), "the key is of the algorithm 1.3.101.112");
    check(include_str!("csr/rsa_sha1.pem"), "the signature algorithm 1.2.840.113549.1.1.5");
    check("", "the text is not a PEM block \"-----BEGIN CERTIFICATE REQUEST-----\"");
    check(authority.certificate_pem(), "the text is not a PEM block");
    let mislabelled = authority.certificate_pem().replace("CERTIFICATE", "CERTIFICATE REQUEST");
    check(&mislabelled, "the data is not a certificate signing request");
    check(&"x".repeat(65_537), "the PEM text is longer than 65536 bytes");
}

/// Any change of a byte of what is signed is noticed.
#[test]
fn a_changed_signing_request_is_refused() {
    let authority = authority();
    let good = include_str!("csr/prime256v1.pem");
    let der = Pem::iter_from_buffer(good.as_bytes()).next().unwrap().unwrap().contents;
    let info = X509CertificationRequest::from_der(&der).unwrap().1.certification_request_info.raw.to_vec();
    let start = der.windows(info.len()).position(|window| window == info).unwrap();
    assert!(info.len() > 100);
    for at in start..start + info.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        assert!(authority.issue_from_csr(&pem_of(&changed), NOW).is_err(), "byte {at}");
    }
}

fn pem_of(der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let pem = authority().certificate_pem().to_owned();
    let der = Certificate::from_pem(&pem).unwrap().der().to_vec();
    assert_eq!(Certificate::from_der(&der).unwrap().id, certificate_id(&der));
    assert!(Certificate::from_der(&[]).is_err());
    assert!(Certificate::from_der(&[&der[..], &[0]].concat()).is_err());
    for cut in 0..der.len() {
        assert!(Certificate::from_der(&der[..cut]).is_err(), "{cut}");
    }
    assert_eq!(Certificate::from_der(&vec![0x30; 65_537]), Err(X509Error::TooLarge));
}
