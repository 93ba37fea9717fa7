//! A thing's named shadows, listed.

use names::{ShadowName, ThingName};
use store::Direction;

use crate::error::ServiceError;
use crate::service::ShadowService;
use crate::table;

/// A page of the names of a thing's named shadows, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedShadows {
    /// The names; the classic shadow has none and is never listed.
    pub names: Vec<ShadowName>,
    /// When there are more: the last of these names, after which the next page begins.
    pub next_after: Option<ShadowName>,
}

impl ShadowService {
    /// At most `limit` names of named shadows after `after` (API model, ListNamedShadowsForThing). A thing that is not
    /// known has none. Blocks on the store.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store does not answer.
    pub fn list_named(
        &self,
        thing: &ThingName,
        after: Option<&ShadowName>,
        limit: usize,
    ) -> Result<NamedShadows, ServiceError> {
        let (from, to) = table::named_range(thing, after);
        let rows = self.store.range(&from, &to, limit.saturating_add(1), Direction::Forward)?;
        let has_more = rows.len() > limit;
        let names: Vec<_> = rows.iter().take(limit).filter_map(|row| table::name_in(&row.key)).collect();
        let next_after = names.last().filter(|_| has_more).cloned();
        Ok(NamedShadows { names, next_after })
    }
}
