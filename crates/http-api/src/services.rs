//! What the handlers work with: the services of the house, and the one call that is being answered.

use std::net::IpAddr;
use std::sync::Arc;

use ::iam::Iam;
use broker::Broker;
use names::{ArnSpace, CertificateId, Timestamp};
use registry::Registry;
use router::Router;
use rules::Rules;
use shadows::ShadowService;

use crate::error::ApiError;

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
        broker::Caller { principal: Arc::from(self.principal_id()), source_ip: self.source_ip }
    }

    /// The id of the IAM principal or of the certificate.
    pub(crate) fn principal_id(&self) -> String {
        match &self.caller.identity {
            Identity::Iam { user_id, .. } => user_id.clone(),
            Identity::Certificate(id) => id.to_string(),
        }
    }

    /// The ARN of the IAM principal or of the certificate.
    pub(crate) fn principal_arn(&self) -> String {
        match &self.caller.identity {
            Identity::Iam { principal_arn, .. } => principal_arn.clone(),
            Identity::Certificate(id) => self.services.arns.certificate(id),
        }
    }

    /// Whether the caller may do all of this: pairs of an action and its resource. Who signed with an access key may do
    /// everything. The holder of a certificate may do what its policies allow, and nothing that has no action at all.
    ///
    /// # Errors
    /// `ForbiddenException`, 403.
    pub(crate) fn permit(&self, asked: Option<Permissions>) -> Result<(), ApiError> {
        let Identity::Certificate(certificate) = self.caller.identity else { return Ok(()) };
        let Some(asked) = asked else {
            return Err(ApiError::named("ForbiddenException", "This operation needs a signature, not a certificate."));
        };
        for (action, resource) in asked {
            if !self.services.broker.certificate_may(certificate, self.source_ip, action, &resource)? {
                return Err(ApiError::named("ForbiddenException", "Forbidden"));
            }
        }
        Ok(())
    }
}

/// Where a request came from: what its connection's door adds to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceIp(pub(crate) IpAddr);

/// The certificate of the client at the other end of the connection: what its door adds to a request, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientCertificate(pub(crate) CertificateId);

/// What a call wants to do: actions of IoT policies, each with the ARN of its resource.
pub(crate) type Permissions = Vec<(&'static str, String)>;

/// Who calls, and which service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) scope: Scope,
}

/// Who a caller has proven to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The IAM principal whose access key signed the request.
    Iam { principal_arn: String, user_id: String },
    /// The holder of a certificate that is ACTIVE, who sent the request through TLS with it.
    Certificate(CertificateId),
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
