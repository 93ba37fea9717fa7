//! Between HTTP and JSON values, as the model says, for every operation alike.

pub(crate) mod answer;
mod constraints;
mod gather;
mod instant;
mod route;
mod scalar;
mod typed;

pub(crate) use constraints::check as check_constraints;
pub(crate) use gather::{Gathered, Incoming, gather};
pub(crate) use route::{Found, Resolution, Routes};
