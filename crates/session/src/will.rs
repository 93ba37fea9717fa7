//! The will that a client leaves: what its quotas let it be, and a copy to keep.

use std::sync::Arc;

use bytes::Bytes;

use message::QoS;
use mqtt_codec::{PacketType, Will};
use names::Dialect;

use crate::{Quotas, Violation, checks};

/// Dialect `aws` holds a will to what a PUBLISH may be; two length bytes keep its payload below the limit.
pub(crate) fn check(will: &Will, quotas: &Quotas) -> Result<(), Violation> {
    if quotas.dialect == Dialect::Aws && will.qos == QoS::ExactlyOnce {
        return Err(Violation::QosNotSupported { packet_type: PacketType::Connect, qos: will.qos });
    }
    if let Some(properties) = &will.properties {
        checks::check_properties(properties, quotas)?;
    }
    checks::check_name(&will.topic, will.retain, quotas)
}

/// The will lives as long as the connection, so it must not hold on to the read buffer that it came in.
pub(crate) fn detached(will: &Will) -> Will {
    Will {
        topic: will.topic.detached(),
        payload: Bytes::copy_from_slice(&will.payload),
        qos: will.qos,
        retain: will.retain,
        delay_seconds: will.delay_seconds,
        properties: will.properties.as_deref().map(|properties| Arc::new(properties.detached())),
    }
}
