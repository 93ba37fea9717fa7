//! What the handlers work with: the services of the house, and the one call that is being answered.

use std::net::IpAddr;
use std::sync::Arc;

use ::iam::Iam;
use broker::Broker;
use names::{ArnSpace, Timestamp};
use registry::Registry;
use router::Router;
use rules::Rules;
use shadows::ShadowService;

/// The services behind the HTTP APIs. All of them block; handlers run on threads where that is allowed.
pub struct Services {
    /// Things, certificates and policies.
    pub registry: Arc<Registry>,
    /// Access keys and roles.
    pub iam: Arc<Iam>,
    /// Publishes for callers.
    pub broker: Arc<Broker>,
    /// Has the retained messages.
    pub router: Arc<Router>,
    /// Device shadows.
    pub shadows: Arc<ShadowService>,
    /// Topic rules.
    pub rules: Arc<Rules>,
    /// Signs the certificates of devices.
    pub authority: Arc<x509::Authority>,
    /// The account and region that this server stands for.
    pub arns: ArnSpace,
    /// What `DescribeEndpoint` answers: a bare host name, without port.
    pub endpoint_host: String,
    /// The metrics in OpenMetrics text.
    pub metrics_text: Arc<dyn Fn() -> String + Send + Sync>,
    /// Whether the server is ready for traffic.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// One authenticated call.
pub(crate) struct Call<'a> {
    pub(crate) services: &'a Services,
    pub(crate) caller: &'a Caller,
    /// When the request came.
    pub(crate) now: Timestamp,
    /// What the answer names as `x-amzn-RequestId`, and the data plane as `traceId`.
    pub(crate) request_id: &'a str,
    /// Where the request came from.
    pub(crate) source_ip: Option<IpAddr>,
}

impl Call<'_> {
    /// A new random UUID.
    #[expect(clippy::unused_self, reason = "ids are the call's to give, so that no handler makes its own")]
    pub(crate) fn new_id(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// The caller, as the broker knows publishers.
    pub(crate) fn as_publisher(&self) -> broker::Caller {
        broker::Caller { principal: Arc::from(self.caller.user_id.as_str()), source_ip: self.source_ip }
    }
}

/// Where a request came from: what its connection's door adds to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceIp(pub(crate) IpAddr);

/// Who signed the request, and for which service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) principal_arn: String,
    pub(crate) user_id: String,
    pub(crate) scope: Scope,
}

/// The service of a signature's credential scope (AWS IoT Core developer guide, endpoints and Signature Version 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `iot` and, from old clients, `execute-api`.
    Iot,
    /// `iotdata` and `iotdevicegateway`.
    IotData,
    /// `iot-jobs-data`.
    IotJobsData,
    Iam,
    Sts,
}

impl Scope {
    pub(crate) fn named(service: &str) -> Option<Self> {
        Some(match service {
            "iot" | "execute-api" => Self::Iot,
            "iotdata" | "iotdevicegateway" => Self::IotData,
            "iot-jobs-data" => Self::IotJobsData,
            "iam" => Self::Iam,
            "sts" => Self::Sts,
            _ => return None,
        })
    }

    /// IAM and STS are global: their requests are signed for us-east-1 whatever the region is.
    pub(crate) fn is_global(self) -> bool {
        matches!(self, Self::Iam | Self::Sts)
    }
}
