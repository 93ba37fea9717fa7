//! Lists of things, all or by attribute and type (API reference, ListThings).

use store::Direction;

use crate::page::list;
use crate::table::ThingRow;
use crate::things::{Thing, to_thing};
use crate::{Page, PageRequest, Registry, RegistryError, table};

/// Which things are wanted; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThingQuery {
    /// An attribute that they have, and the value that it has; without a value, any.
    pub attribute: Option<(String, Option<String>)>,
    /// The type that they have.
    pub thing_type: Option<String>,
    /// Whether the attribute's value need only start so (`usePrefixAttributeValue`).
    pub prefix: bool,
}

impl Registry {
    /// A page of the things that `query` wants: by name, or by value and name where an attribute is asked for.
    ///
    /// # Errors
    /// [`RegistryError::InvalidToken`] for a token of another list.
    pub fn list_things(&self, query: &ThingQuery, page: &PageRequest) -> Result<Page<Thing>, RegistryError> {
        let prefix = match (&query.attribute, &query.thing_type) {
            (Some((name, value)), _) => table::things_by_attribute(name, value.as_deref(), query.prefix),
            (None, Some(thing_type)) => table::things_by_type(thing_type),
            (None, None) => table::THING.to_vec(),
        };
        list(&*self.store, &prefix, Direction::Forward, page, |row| {
            let Some(name) = table::thing_name_at_end(&row.key) else {
                return Ok(None);
            };
            // An index row's thing may have gone or changed since the index was read.
            let thing = self.read::<ThingRow>(&table::thing(&name))?.map(|row| to_thing(&name, row.value));
            Ok(thing.filter(|thing| is_wanted(thing, query)))
        })
    }
}

fn is_wanted(thing: &Thing, query: &ThingQuery) -> bool {
    let has_type = query
        .thing_type
        .as_deref()
        .is_none_or(|wanted| thing.thing_type.as_ref().is_some_and(|thing_type| thing_type.as_str() == wanted));
    let has_attribute = query.attribute.as_ref().is_none_or(|(name, wanted)| {
        thing.attributes.get(name).is_some_and(|value| match wanted {
            Some(wanted) if query.prefix => value.starts_with(wanted.as_str()),
            Some(wanted) => value == wanted,
            None => true,
        })
    });
    has_type && has_attribute
}
