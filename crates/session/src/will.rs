//! The will that a client leaves: what a dialect lets it be, and a copy to keep.

use bytes::Bytes;

use message::QoS;
use mqtt_codec::{PacketType, Will};
use names::Dialect;

use crate::{Violation, aws_limits};

/// Dialect `aws` holds a will to what a PUBLISH may be; two length bytes keep its payload below the limit.
/// Dialect `mqtt` takes any: the server publishes it itself, so QoS 2 asks nothing of the connection.
pub(crate) fn check(will: &Will, dialect: Dialect) -> Result<(), Violation> {
    if dialect != Dialect::Aws {
        return Ok(());
    }
    if will.qos == QoS::ExactlyOnce {
        return Err(Violation::QosNotSupported { packet_type: PacketType::Connect, qos: will.qos });
    }
    aws_limits::check_name(&will.topic, will.retain, dialect)
}

/// The will lives as long as the connection, so it must not hold on to the read buffer that it came in.
pub(crate) fn detached(will: &Will) -> Will {
    Will {
        topic: will.topic.detached(),
        payload: Bytes::copy_from_slice(&will.payload),
        qos: will.qos,
        retain: will.retain,
    }
}
