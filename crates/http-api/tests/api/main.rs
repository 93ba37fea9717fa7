//! The HTTP APIs over a real socket: a server in memory, signed requests in bytes, answers in bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod certificates;
mod connections;
mod device;
mod direct_messages;
mod front_door;
mod iam_actions;
mod policies;
mod publish;
mod rules;
mod shadows;
mod things;
mod tls;
mod websocket;
mod world;
