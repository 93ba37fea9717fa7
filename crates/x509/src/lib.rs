//! Certificates: the server's own authority, signing requests, and reading what a device presents.
//!
//! [`Authority`] issues the server's certificate and the devices' certificates; [`Certificate`] reads any X.509
//! certificate; [`certificate_id`] is what AWS IoT Core calls a certificate's id. Nothing here opens a socket, reads a
//! clock or keeps anything: `now` is an argument and every key is handed to the caller. Making keys and serial numbers
//! is the one place with randomness.

mod authority;
mod certificate;
mod csr;
mod der;
mod error;
mod fingerprint;
mod pem;

pub use authority::{Authority, DeviceIdentity, Issued};
pub use certificate::Certificate;
pub use error::X509Error;
pub use fingerprint::certificate_id;
