//! The topic of a request's path.

use message::TopicName;

use crate::error::ApiError;

/// The label as a topic name; the model does not say which texts are none.
pub(super) fn read(label: String) -> Result<TopicName, ApiError> {
    TopicName::new(label).map_err(|error| ApiError::invalid(format!("The topic is not valid: {error}.")))
}
