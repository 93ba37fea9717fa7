//! Device shadows as a subscriber and as a service.
//!
//! Over MQTT a shadow is asked and changed by publishing to `$aws/things/THING/shadow/...`; this crate subscribes to
//! those topics and answers on their neighbours. Over HTTP the same is done by plain functions. Either way a change is
//! on disk before anybody hears of it, and its news are ordinary messages through the router, so rules and clients see
//! them alike. What a shadow is and how it changes is in `shadow-document`; who may publish is the broker's business.
//!
//! Things need not be registered to have shadows, and deleting a thing does not delete its shadows (AWS IoT Core
//! developer guide, device-shadow-data-flow).

mod batch;
mod cache;
mod error;
mod metrics;
mod named;
mod operation;
mod outcome;
mod reply;
mod request;
mod reserved_topics;
mod service;
mod settings;
mod shadow_id;
mod subscriber;
mod table;
mod throttle;
mod tombstones;
mod worker;

pub use error::ServiceError;
pub use metrics::ShadowMetrics;
pub use named::NamedShadows;
pub use operation::Operation;
pub use reserved_topics::{ReplyTopic, parse_request_topic, request_filters, request_topic};
pub use service::ShadowService;
pub use settings::ShadowSettings;
pub use shadow_id::ShadowId;
