//! Certificates by HTTP, and what they are attached to.

use serde_json::json;

use crate::world::{ARN, World};

async fn certificate(world: &World, query: &str) -> (String, String) {
    let made = world.ask("POST", &format!("/keys-and-certificate{query}"), "").await.ok().json();
    (made["certificateId"].as_str().unwrap().to_owned(), made["certificateArn"].as_str().unwrap().to_owned())
}

/// Developer guide, device-certs-create: PKCS#1 private key, every PEM ends in a newline, expiry 2049-12-31.
#[tokio::test(flavor = "multi_thread")]
async fn keys_and_a_certificate_are_made_and_described() {
    let world = World::start().await;
    let made = world.ask("POST", "/keys-and-certificate?setAsActive=true", "").await.ok().json();
    let text = |pointer: &str| made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert!(text("/certificatePem").starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(text("/keyPair/PrivateKey").starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert!(text("/keyPair/PublicKey").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    for pem in ["/certificatePem", "/keyPair/PrivateKey", "/keyPair/PublicKey"] {
        assert!(text(pem).ends_with("-----\n"), "{pem}");
    }
    let id = text("/certificateId");
    assert_eq!(text("/certificateArn"), format!("{ARN}:cert/{id}"));
    let described = world.ask("GET", &format!("/certificates/{id}"), "").await.ok().json();
    let described = &described["certificateDescription"];
    assert_eq!(described["status"], "ACTIVE");
    assert_eq!(described["certificateMode"], "DEFAULT");
    assert_eq!(described["ownedBy"], "123456789012");
    assert_eq!(described["validity"]["notAfter"], 2_524_607_999.0);
    assert_eq!(described["certificatePem"], made["certificatePem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_lives_and_is_deleted() {
    let world = World::start().await;
    let (id, arn) = certificate(&world, "?setAsActive=true").await;
    let path = format!("/certificates/{id}");
    world.ask("DELETE", &path, "").await.refused(406, "CertificateStateException", "must be deactivated");
    world.ask("PUT", &format!("{path}?newStatus=PENDING_TRANSFER"), "").await.refused(
        406,
        "CertificateStateException",
        "",
    );
    world.ask("PUT", &path, "").await.refused(400, "InvalidRequestException", "Value null at 'newStatus'");
    world.ask("POST", "/things/lamp", "").await.ok();
    world.ask_principal("PUT", "/things/lamp/principals", &arn).await.ok();
    let principals = world.ask("GET", "/things/lamp/principals", "").await.ok().json();
    assert_eq!(principals, json!({"principals":[arn]}));
    let things = world.ask_principal("GET", "/principals/things", &arn).await.ok().json();
    assert_eq!(things, json!({"things":["lamp"]}));
    world.ask("DELETE", "/things/lamp", "").await.refused(
        400,
        "InvalidRequestException",
        "is still attached to one or more principals",
    );
    world.ask("PUT", &format!("{path}?newStatus=INACTIVE"), "").await.ok();
    world.ask("DELETE", &path, "").await.refused(
        409,
        "DeleteConflictException",
        "Things must be detached before deletion",
    );
    world.ask_principal("DELETE", "/things/lamp/principals", &arn).await.ok();
    world.ask("DELETE", &path, "").await.ok();
    world.ask("GET", &path, "").await.refused(404, "ResourceNotFoundException", "");
    world.ask_principal("PUT", "/things/lamp/principals", "nobody").await.refused(
        400,
        "InvalidRequestException",
        "Invalid principal",
    );
    world.ask("PUT", "/things/lamp/principals", "").await.refused(
        400,
        "InvalidRequestException",
        "Value null at 'principal'",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_listed_and_made_from_requests() {
    let world = World::start().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::new(Vec::new()).unwrap().serialize_request(&key).unwrap().pem().unwrap();
    let body = json!({"certificateSigningRequest":csr});
    let first = world.ask_json("POST", "/certificates", body.clone()).await.ok().json();
    let second = world.ask_json("POST", "/certificates?setAsActive=true", body).await.ok().json();
    assert_ne!(first["certificateId"], second["certificateId"]);
    let listed = world.ask("GET", "/certificates?pageSize=1&isAscendingOrder=true", "").await.ok().json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 1);
    assert_eq!(listed["certificates"][0]["certificateMode"], "DEFAULT");
    assert!(listed["nextMarker"].is_string());
    let bad = json!({"certificateSigningRequest":"-----BEGIN"});
    world.ask_json("POST", "/certificates", bad).await.refused(400, "InvalidRequestException", "PEM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_certificate_is_registered_once() {
    let world = World::start().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let body = json!({"certificatePem":pem,"status":"ACTIVE"});
    let made = world.ask_json("POST", "/certificate/register-no-ca", body.clone()).await.ok().json();
    let id = made["certificateId"].as_str().unwrap();
    assert_eq!(made["certificateArn"], format!("{ARN}:cert/{id}"));
    let described = world.ask("GET", &format!("/certificates/{id}"), "").await.ok().json();
    assert_eq!(described["certificateDescription"]["certificateMode"], "SNI_ONLY");
    let again = world.ask_json("POST", "/certificate/register-no-ca", body).await;
    again.refused(409, "ResourceAlreadyExistsException", "The certificate is already provisioned or registered");
    let pending = json!({"certificatePem":pem,"status":"PENDING_ACTIVATION"});
    let refused = world.ask_json("POST", "/certificate/register-no-ca", pending).await;
    refused.refused(
        406,
        "CertificateStateException",
        "Not allowed to register certificate with PENDING_ACTIVATION status",
    );
}
