//! Clients over the broker without sockets: bytes in, bytes out, a clock that the test turns.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs, reason = "test code")]

mod by_http;
mod endings;
mod failures;
mod groups;
mod house;
mod messages;
mod policies;
mod presence;
mod sessions;
mod wills;

use std::sync::Arc;

use broker::{DisconnectReason, Identity, Progress};
use bytes::Bytes;
use message::{QoS, SubscribeOptions, TopicFilter, TopicName};
use mqtt_codec::{Connect, Packet, ReasonCode, Will};
use names::{CertificateId, Dialect, Timestamp, limits};
use registry::CertificateStatus;
use store::{MemoryStore, Store};
