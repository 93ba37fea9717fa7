//! The server under load: a data directory that is made once, and a fresh process for each measurement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::Binaries;
use crate::binaries::{BOTH_CORES, BROKER_CORE};
use crate::broker::{Broker, free_address};
use crate::certificates::Certificates;
use crate::signed_http::{AccessKey, send};

/// A data directory, and what it takes to serve it.
pub(crate) struct Althing {
    data_dir: PathBuf,
    folder: PathBuf,
}

impl Althing {
    /// A server whose data directory will be in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { data_dir: folder.join("data"), folder: folder.to_owned() }
    }

    /// The authority of the server's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.data_dir.join("ca.pem")
    }

    /// Starts it on one core with one worker, or on both with two.
    pub(crate) fn start(&self, binaries: &Binaries, workers: usize, durability: &str) -> anyhow::Result<Broker> {
        self.start_with_http(binaries, workers, durability).map(|(broker, _)| broker)
    }

    fn start_with_http(
        &self,
        binaries: &Binaries,
        workers: usize,
        durability: &str,
    ) -> anyhow::Result<(Broker, SocketAddr)> {
        let settings = self.folder.join("althing.toml");
        std::fs::write(&settings, format!("durability = {durability:?}\n"))?;
        let (plain, tls, http) = (free_address()?, free_address()?, free_address()?);
        let mut command = binaries.on_cores(if workers > 1 { BOTH_CORES } else { BROKER_CORE }, &binaries.althing);
        command.arg("serve").arg("--config").arg(settings).arg("--data-dir").arg(&self.data_dir);
        command.args(["--alpn", "off", "--https", "off", "--mqtt", &plain.to_string()]);
        command.args(["--mqtts", &tls.to_string(), "--http", &http.to_string()]);
        command.env("TOKIO_WORKER_THREADS", workers.to_string());
        Ok((Broker::start("althing", command, plain, Some(tls), &self.folder)?, http))
    }

    /// Registers the device and lets it do everything; the data directory knows its certificate from then on.
    pub(crate) fn register(&self, binaries: &Binaries, certificates: &Certificates) -> anyhow::Result<()> {
        let (_broker, http) = self.start_with_http(binaries, 1, "sync")?;
        let key = self.administrator(binaries)?;
        let certificate = json!({ "certificatePem": certificates.device_pem, "status": "ACTIVE" });
        let registered = send(http, &key, "POST", "/certificate/register-no-ca", &certificate)?;
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        send(http, &key, "POST", "/policies/bench", &json!({ "policyDocument": policy }))?;
        let arn = registered.get("certificateArn").context("the answer has no certificateArn")?;
        send(http, &key, "PUT", "/target-policies/bench", &json!({ "target": arn }))?;
        Ok(())
    }

    fn administrator(&self, binaries: &Binaries) -> anyhow::Result<AccessKey> {
        let mut command = binaries.on_cores(BROKER_CORE, &binaries.althing);
        let output = command.args(["env", "--json", "--data-dir"]).arg(&self.data_dir).output()?;
        ensure!(output.status.success(), "althing env: {}", String::from_utf8_lossy(&output.stderr));
        let variables: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let text = |name: &str| {
            let value = variables.get(name).and_then(|value| value.as_str());
            value.map(str::to_owned).with_context(|| format!("althing env gives no {name}"))
        };
        Ok(AccessKey {
            id: text("AWS_ACCESS_KEY_ID")?,
            secret: text("AWS_SECRET_ACCESS_KEY")?,
            region: text("AWS_REGION")?,
        })
    }
}
