//! The HTTP APIs, driven by AWS's own API models.
//!
//! A [`Door`] speaks HTTP on each connection and hands each whole request to [`HttpApi`], which authenticates it (Signature
//! Version 4), finds the operation by method and path, gathers path, query, headers and body into one JSON value,
//! checks the model's constraints, calls the operation's handler and writes its answer the way the model says. All of
//! that is one binder for all 288 operations; an operation that is served adds one file in `control` or `data` and one
//! line in its table, and one without a handler answers 501 by name. `iam` speaks IAM's and STS's own protocol, AWS
//! Query, for the few actions that topic rules need. A connection that asks for `/mqtt` becomes a WebSocket, which the
//! roof hands to the MQTT listener.
//!
//! Nothing here knows MQTT, disk or what a thing is: the services below do. This crate is the one place where AWS's
//! JSON shapes and error names live, and where the clock is read and ids are made for them.
//!
//! To add an operation: write `control/its_name.rs` with its input, its output and `run`, enter it in
//! `control/mod.rs`, and let the test write docs/operations.md anew (`UPDATE_DOCS=1 cargo test -p http-api`).

mod api;
mod auth;
mod bind;
mod body;
mod control;
mod data;
mod device_calls;
mod error;
mod handlers;
mod health;
mod iam;
mod idle;
mod model;
#[cfg(test)]
mod operations_table;
mod page;
mod server;
mod services;
mod websocket;

pub use api::HttpApi;
pub use model::ModelError;
pub use server::Door;
pub use services::Services;
pub use websocket::{RunWebSocket, WebSocketAccess, WebSocketClient};
