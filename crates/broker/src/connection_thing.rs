//! The thing that a connection is, as policies see it (AWS IoT Core developer guide, thing-policy-variables).

use names::{CertificateId, ClientId, ThingName};
use policy::Values;
use registry::{Registry, RegistryError, Thing};

use crate::identity::Identity;

/// A registered thing and how the connection's certificate belongs to it.
#[derive(Debug)]
pub(crate) struct ConnectionThing {
    thing: Thing,
    is_attached: bool,
}

impl ConnectionThing {
    /// The thing that a certificate is attached to exclusively, whatever the client id; else the thing that has the client
    /// id for its name. None for clients without a certificate, and where there is no such thing.
    pub(crate) fn of(
        registry: &Registry,
        identity: &Identity,
        client_id: &ClientId,
    ) -> Result<Option<Self>, RegistryError> {
        let Identity::Certificate(certificate) = identity else { return Ok(None) };
        if let Some(name) = registry.exclusive_thing(certificate)? {
            return Self::read(registry, &name, certificate);
        }
        match ThingName::new(client_id.as_str()) {
            Ok(name) => Self::read(registry, &name, certificate),
            Err(_) => Ok(None),
        }
    }

    fn read(registry: &Registry, name: &ThingName, id: &CertificateId) -> Result<Option<Self>, RegistryError> {
        let thing = match registry.thing(name) {
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            thing => thing?,
        };
        Ok(Some(Self { thing, is_attached: registry.is_attached(name, id)? }))
    }

    /// The value of a policy variable that begins with `iot:Connection.Thing.`, without that.
    pub(crate) fn value(&self, key: &str) -> Option<Values<'_>> {
        let attribute = || key.strip_prefix("Attributes[")?.strip_suffix(']');
        match key {
            "ThingName" => Some(Values::one(self.thing.name.as_str())),
            "ThingTypeName" => self.thing.thing_type.as_ref().map(|name| Values::one(name.as_str())),
            "IsAttached" => Some(Values::one(if self.is_attached { "true" } else { "false" })),
            _ => Some(Values::one(self.thing.attributes.get(attribute()?)?.as_str())),
        }
    }
}
