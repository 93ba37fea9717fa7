//! The properties of MQTT 5: a length, and then identifiers with their values (MQTT 5, 2.2.2). Reading and writing is
//! here, for every packet; what a packet does with its properties is in the packet's own file.

mod message;
mod reader;
mod table;
mod writer;

pub(crate) use message::{put_message_properties, read_message_property};
pub(crate) use reader::{PropertyReader, pass_over};
pub(crate) use table::{Place, PropertyId};
pub(crate) use writer::{PropertyBlock, PropertySink};
