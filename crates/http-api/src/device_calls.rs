//! How many calls each device has under way: a call holds a thread until the disk has it, and devices are many.

use std::collections::HashMap;
use std::sync::Arc;

use names::{CertificateId, limits};
use parking_lot::Mutex;

use crate::error::ApiError;

/// Calls that are not answered yet, by certificate.
#[derive(Default)]
pub(crate) struct DeviceCalls(Arc<Mutex<HashMap<CertificateId, usize>>>);

/// One of them. Dropping it is the answer's sign.
pub(crate) struct UnderWay {
    certificate: CertificateId,
    calls: Arc<Mutex<HashMap<CertificateId, usize>>>,
}

impl DeviceCalls {
    /// One call more.
    ///
    /// # Errors
    /// `ThrottlingException`, 429: the device has too many under way.
    pub(crate) fn begin(&self, certificate: CertificateId) -> Result<UnderWay, ApiError> {
        let mut calls = self.0.lock();
        let count = calls.entry(certificate).or_insert(0);
        if *count >= limits::HTTP_CALLS_PER_DEVICE_MAX {
            return Err(ApiError::named("ThrottlingException", "Too many requests"));
        }
        *count += 1;
        drop(calls);
        Ok(UnderWay { certificate, calls: Arc::clone(&self.0) })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut calls = self.calls.lock();
        if let Some(count) = calls.get_mut(&self.certificate) {
            *count -= 1;
            if *count == 0 {
                calls.remove(&self.certificate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_so_many_calls_under_way_and_no_more() {
        let (calls, device, other) =
            (DeviceCalls::default(), CertificateId::from_der_hash([1; 32]), CertificateId::from_der_hash([2; 32]));
        let mut under_way: Vec<_> =
            (0..limits::HTTP_CALLS_PER_DEVICE_MAX).map(|_| calls.begin(device).ok().unwrap()).collect();
        assert!(calls.begin(device).is_err());
        assert!(calls.begin(other).is_ok());
        under_way.pop();
        assert!(calls.begin(device).is_ok());
        drop(under_way);
        assert!(calls.0.lock().is_empty());
    }
}
