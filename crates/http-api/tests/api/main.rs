//! The HTTP APIs over a real socket: a server in memory, signed requests in bytes, answers in bytes.

mod certificates;
mod front_door;
mod iam_actions;
mod policies;
mod rules;
mod shadows;
mod things;
mod tls;
mod world;
