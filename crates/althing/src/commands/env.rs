//! `althing env`: the environment with which AWS clients reach this server.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::data_dir::{ADMINISTRATOR, CA_CERTIFICATE, ENDPOINTS, read};
use crate::endpoints::Endpoints;
use crate::identity::Administrator;
use crate::shell::quoted;

/// The flags of `althing env`.
#[derive(clap::Args)]
pub(crate) struct Flags {
    /// The server's data directory
    #[arg(long, env = "ALTHING_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    /// Name the TLS listener instead of the plain one, and the CA bundle that it needs
    #[arg(long)]
    https: bool,
    /// Print JSON instead of shell commands
    #[arg(long)]
    json: bool,
}

/// Every API of AWS that this server answers, by the name in `AWS_ENDPOINT_URL_...`.
const SERVICES: [&str; 5] = ["IOT", "IOT_DATA_PLANE", "IOT_JOBS_DATA_PLANE", "IAM", "STS"];

/// Prints the environment.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let at = || format!("data directory {}", flags.data_dir.display());
    let administrator = read(&flags.data_dir, ADMINISTRATOR).with_context(at)?;
    let endpoints = read(&flags.data_dir, ENDPOINTS).with_context(at)?;
    let (Some(administrator), Some(endpoints)) = (administrator, endpoints) else {
        anyhow::bail!("{}: no althing server has been started here yet", at());
    };
    let endpoints: Endpoints =
        serde_json::from_str(&endpoints).with_context(|| format!("{}: {ENDPOINTS} is not what althing wrote", at()))?;
    let ca = std::path::absolute(flags.data_dir.join(CA_CERTIFICATE))?.display().to_string();
    let variables = variables(&Administrator::from_json(&administrator)?, &endpoints, &ca, flags.https)?;
    let text = if flags.json {
        let object: serde_json::Map<_, _> = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
        serde_json::to_string_pretty(&object)? + "\n"
    } else {
        variables.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect()
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

fn variables(
    administrator: &Administrator,
    endpoints: &Endpoints,
    ca: &str,
    is_https: bool,
) -> anyhow::Result<Vec<(String, String)>> {
    let (listener, url) = if is_https { ("https", &endpoints.https) } else { ("http", &endpoints.http) };
    let url = url.as_ref().with_context(|| format!("the server's {listener} listener is off"))?;
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID".to_owned(), administrator.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), administrator.secret_access_key.clone()),
        ("AWS_REGION".to_owned(), endpoints.region.clone()),
        ("AWS_DEFAULT_REGION".to_owned(), endpoints.region.clone()),
    ];
    variables.extend(SERVICES.iter().map(|service| (format!("AWS_ENDPOINT_URL_{service}"), url.clone())));
    if is_https {
        variables.push(("AWS_CA_BUNDLE".to_owned(), ca.to_owned()));
    }
    variables.push(("ALTHING_CA".to_owned(), ca.to_owned()));
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(is_https: bool) -> Vec<String> {
        let administrator = Administrator { access_key_id: "A".to_owned(), secret_access_key: "s".to_owned() };
        let endpoints = Endpoints {
            region: "us-east-1".to_owned(),
            http: Some("http://127.0.0.1:8080".to_owned()),
            https: Some("https://localhost:8443".to_owned()),
        };
        let variables = variables(&administrator, &endpoints, "/d/ca.pem", is_https).unwrap();
        variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn the_ca_bundle_comes_with_https_only() {
        assert!(names(false).contains(&"AWS_ENDPOINT_URL_IOT=http://127.0.0.1:8080".to_owned()));
        assert!(!names(false).iter().any(|line| line.starts_with("AWS_CA_BUNDLE")));
        assert!(names(true).contains(&"AWS_ENDPOINT_URL_IAM=https://localhost:8443".to_owned()));
        assert!(names(true).contains(&"AWS_CA_BUNDLE=/d/ca.pem".to_owned()));
    }
}
