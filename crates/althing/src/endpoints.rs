//! Where the server listens, as `althing serve` leaves it in the data directory for `althing env`.

use serde::{Deserialize, Serialize};

/// Where the server in a data directory listens; written by it when it starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) region: String,
    pub(crate) http: Option<String>,
    pub(crate) https: Option<String>,
}
