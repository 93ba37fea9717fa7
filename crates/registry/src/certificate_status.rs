//! What a certificate may do, and how it came.

use serde::{Deserialize, Serialize};

/// What a certificate may do; only an active one may connect (API model, `CertificateStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateStatus {
    /// May connect.
    Active,
    /// May not connect until it is activated.
    Inactive,
    /// May never connect again.
    Revoked,
    /// On its way to another account.
    PendingTransfer,
    /// Deprecated by AWS.
    RegisterInactive,
    /// Registered by just-in-time registration or fleet provisioning, not yet activated.
    PendingActivation,
}

impl CertificateStatus {
    /// AWS's word for it, such as `PENDING_ACTIVATION`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
            Self::PendingTransfer => "PENDING_TRANSFER",
            Self::RegisterInactive => "REGISTER_INACTIVE",
            Self::PendingActivation => "PENDING_ACTIVATION",
        }
    }

    /// Whether a caller of the API may set it.
    pub(crate) const fn is_settable(self) -> bool {
        matches!(self, Self::Active | Self::Inactive | Self::Revoked)
    }
}

/// How a certificate was registered (API model, `CertificateMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateMode {
    /// Made by the service, or signed by a registered authority.
    Default,
    /// Registered without its authority: the client must send the server's name.
    SniOnly,
}

impl CertificateMode {
    /// AWS's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::SniOnly => "SNI_ONLY",
        }
    }
}
