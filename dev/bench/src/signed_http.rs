//! One signed HTTP request to the server's API (AWS General Reference, "Signature Version 4 signing process").

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// An access key.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) region: String,
}

/// Sends a request to the service `iot` and gives the answer's JSON. `path` needs no escapes.
pub(crate) fn send(
    address: SocketAddr,
    key: &AccessKey,
    method: &str,
    path: &str,
    body: &serde_json::Value,
) -> anyhow::Result<serde_json::Value> {
    let body = body.to_string();
    let date = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let authorization = authorization(&address.to_string(), key, method, path, &body, &date)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-amz-date: {date}\r\n\
         content-length: {}\r\nauthorization: {authorization}\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    ensure!(status.starts_with('2'), "{method} {path}: {status} {body}");
    Ok(if body.is_empty() { serde_json::Value::Null } else { serde_json::from_str(body)? })
}

fn authorization(
    host: &str,
    key: &AccessKey,
    method: &str,
    path: &str,
    body: &str,
    date: &str,
) -> anyhow::Result<String> {
    let day = date.get(..8).context("a date of 16 characters")?;
    let scope = format!("{day}/{}/{SERVICE}/aws4_request", key.region);
    let canonical = format!(
        "{method}\n{path}\n\nhost:{host}\nx-amz-date:{date}\n\n{SIGNED_HEADERS}\n{}",
        hex::encode(Sha256::digest(body))
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut signing = format!("AWS4{}", key.secret).into_bytes();
    for part in [day, &key.region, SERVICE, "aws4_request", &to_sign] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&signing)?;
        mac.update(part.as_bytes());
        signing = mac.finalize().into_bytes().to_vec();
    }
    let (id, signature) = (&key.id, hex::encode(signing));
    Ok(format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"))
}

const SERVICE: &str = "iot";
const SIGNED_HEADERS: &str = "host;x-amz-date";
const PATIENCE: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: u64 = 1 << 20;
