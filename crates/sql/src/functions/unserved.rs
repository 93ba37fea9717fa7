//! Functions of AWS IoT SQL that ask other services. A statement that uses one is refused when it is parsed.

/// Their names in lower case.
pub(super) static NAMES: &[&str] =
    &["aws_lambda", "get_dynamodb", "get_registry_data", "get_secret", "get_thing_shadow", "machinelearning_predict"];
