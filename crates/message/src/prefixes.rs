//! What may stand before a topic or filter without being a part of it.

/// `$aws/rules/RULE/TOPIC` is a message for one rule, which sees TOPIC (AWS IoT Core developer guide, iot-basic-ingest).
pub const BASIC_INGEST_PREFIX: &str = "$aws/rules/";
/// `$share/NAME/FILTER` is a group's subscription to FILTER; case counts (MQTT 5, 4.8.2).
pub const SHARED_PREFIX: &str = "$share/";
