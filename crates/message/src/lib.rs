//! What travels: topic names, topic filters, quality of service and messages.
//!
//! Everything here is checked when it is made. A message is made once and shared by every subscriber that gets it;
//! topic and payload are slices of the buffer that they arrived in.

mod filter_tree;
mod message;
mod prefixes;
mod properties;
mod qos;
mod shared_filter;
mod subscribe_options;
mod topic_filter;
mod topic_memo;
mod topic_name;

pub use filter_tree::{FilterTree, Reach};
pub use message::{Message, Origin};
pub use prefixes::{BASIC_INGEST_PREFIX, SHARED_PREFIX};
pub use properties::{PayloadFormat, Properties};
pub use qos::QoS;
pub use shared_filter::{InvalidSharedFilter, SharedFilter};
pub use subscribe_options::{RetainHandling, SubscribeOptions};
pub use topic_filter::{InvalidTopicFilter, TopicFilter};
pub use topic_memo::TopicMemo;
pub use topic_name::{InvalidTopicName, TopicName};
