//! Subscriptions of persistent sessions, and whom a topic reaches. Nothing of them is in memory but the shapes of their
//! filters and the answers of a moment ago.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use message::{SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, limits};
use store::{Direction, StoreError, Ticket};

use crate::draft::Draft;
use crate::memo::Reached;
use crate::persistent_sessions::PersistentSessions;
use crate::session_id::SessionId;
use crate::session_value::{encode_options, read_client_id, read_options};
use crate::shape::Shape;
use crate::shared_filter;
use crate::table;

impl PersistentSessions {
    /// Subscriptions of a session; one of a filter that it has already gets new options [MQTT-3.8.4-3]. The ticket is
    /// that of the last of them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the session is gone, [`StoreError::TooLarge`] when a filter is too long to be a key
    /// or there would be too many shapes of filters: nothing is subscribed then. Or the store does not answer.
    pub fn subscribe(
        &self,
        client_id: &ClientId,
        id: SessionId,
        filters: &[(TopicFilter, SubscribeOptions)],
    ) -> Result<Ticket, StoreError> {
        let mut control = self.control.lock();
        self.row_of(client_id, id)?;
        // Of a filter that comes twice the last one holds.
        let wanted: BTreeMap<_, _> = filters.iter().map(|(filter, options)| (filter, options)).collect();
        let shapes = wanted.keys().map(|filter| Shape::of(&shared_filter::split(filter).1));
        // Plain filters never run out of shapes: whoever uses them up must not keep others from ordinary subscriptions.
        let is_new = |shape: &Shape| shape.has_wildcards() && !control.shapes.contains_key(shape);
        let new: BTreeSet<_> = shapes.filter(is_new).collect();
        let wild = || control.shapes.keys().filter(|shape| shape.has_wildcards()).count();
        if !new.is_empty() && wild() + new.len() > limits::SUBSCRIPTION_SHAPES_MAX {
            return Err(StoreError::TooLarge("there are too many kinds of topic filters with wildcards".to_owned()));
        }
        if wanted.keys().any(|filter| filter.as_str().len() > FILTER_BYTES_MAX) {
            return Err(StoreError::TooLarge("the topic filter is too long to be kept".to_owned()));
        }
        let mut draft = Draft::default();
        for (filter, options) in wanted {
            if draft.is_full() {
                drop(std::mem::take(&mut draft).commit(self, &mut control));
            }
            let (share, inner) = shared_filter::split(filter);
            let key = table::of_subscription(id, filter.as_str());
            let is_new = self.overlay.get(&key)?.is_none();
            draft.count(Shape::of(&inner), i64::from(is_new));
            draft.put(key, encode_options(options, ""));
            let index = table::of_index(inner.as_str(), id, share.as_deref());
            draft.put(index, encode_options(options, client_id.as_str()));
        }
        Ok(draft.commit(self, &mut control))
    }

    /// Ends subscriptions; filters that the session does not have are passed over. The ticket is that of the last.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the session is gone. Or the store does not answer.
    pub fn unsubscribe(
        &self,
        client_id: &ClientId,
        id: SessionId,
        filters: &[TopicFilter],
    ) -> Result<Ticket, StoreError> {
        let mut control = self.control.lock();
        self.row_of(client_id, id)?;
        let mut draft = Draft::default();
        for filter in filters.iter().collect::<BTreeSet<_>>() {
            if draft.is_full() {
                drop(std::mem::take(&mut draft).commit(self, &mut control));
            }
            if self.overlay.get(&table::of_subscription(id, filter.as_str()))?.is_some() {
                end_subscription(&mut draft, id, filter);
            }
        }
        Ok(draft.commit(self, &mut control))
    }

    /// All subscriptions of a session, in the order of their filters' bytes, with what is on its way to the disk.
    ///
    /// # Errors
    /// The store does not answer, or a subscription cannot be read.
    pub fn subscriptions(&self, id: SessionId) -> Result<Vec<(TopicFilter, SubscribeOptions)>, StoreError> {
        let mut all: Vec<(TopicFilter, SubscribeOptions)> = Vec::new();
        loop {
            let last = all.last().map(|(filter, _)| filter);
            let page = self.subscriptions_page(id, last, PAGE_ROWS)?;
            let is_last = page.len() < PAGE_ROWS;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// At most `limit` subscriptions of a session behind the filter `after`.
    fn subscriptions_page(
        &self,
        id: SessionId,
        after: Option<&TopicFilter>,
        limit: usize,
    ) -> Result<Vec<(TopicFilter, SubscribeOptions)>, StoreError> {
        let (start, end) = table::all(table::of_session(table::SUBSCRIPTION, id));
        let from = match after {
            Some(filter) => [table::of_subscription(id, filter.as_str()).as_slice(), &[0]].concat(),
            None => start,
        };
        let rows = self.overlay.range(&from, &end, limit)?;
        rows.into_iter()
            .map(|(key, value)| {
                let filter = filter_of(&key).ok_or_else(|| table::unreadable(&key))?;
                let (options, _) = read_options(value).ok_or_else(|| table::unreadable(&key))?;
                Ok((filter, options))
            })
            .collect()
    }

    /// Every durable subscription that a topic reaches, of connected sessions too. A session that has several which
    /// match comes several times.
    ///
    /// # Errors
    /// The store does not answer, or a subscription cannot be read.
    pub fn reached(&self, topic: &TopicName) -> Result<Arc<[Reached]>, StoreError> {
        if self.is_empty() {
            return Ok(Arc::default());
        }
        // Before the store is read: what arrives in between makes a new generation.
        let generation = self.generation();
        if let Some(known) = self.memo.lock().get(topic, generation) {
            return Ok(known);
        }
        let reached: Arc<[Reached]> = self.look_up(topic)?.into();
        self.memo.lock().insert(topic, generation, &reached);
        Ok(reached)
    }

    fn look_up(&self, topic: &TopicName) -> Result<Vec<Reached>, StoreError> {
        let shapes = Arc::clone(&self.shapes.read());
        let levels: Vec<_> = topic.levels().collect();
        let mut reached = Vec::new();
        for shape in shapes.iter() {
            if let Some((filter, is_parent)) = shape.filter_for(topic, &levels) {
                self.read_index(&filter, is_parent, &mut reached)?;
            }
        }
        Ok(reached)
    }

    fn read_index(&self, filter: &TopicFilter, is_parent: bool, reached: &mut Vec<Reached>) -> Result<(), StoreError> {
        let (mut from, to) = table::all(table::index_of(filter.as_str()));
        let id_at = from.len();
        loop {
            let rows = self.store.range(&from, &to, PAGE_ROWS, Direction::Forward)?;
            let is_last = rows.len() < PAGE_ROWS;
            if let Some(last) = rows.last() {
                from = [last.key.as_slice(), &[0]].concat();
            }
            for row in rows {
                let entry = index_entry(filter, id_at, &row.key, row.value);
                let entry = entry.ok_or_else(|| table::unreadable(&row.key))?;
                // In dialect `aws` a `#` does not match its parent level.
                if !is_parent || entry.options.dialect == names::Dialect::Mqtt {
                    reached.push(entry);
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Deletes a subscription that is there.
pub(crate) fn end_subscription(draft: &mut Draft, id: SessionId, filter: &TopicFilter) {
    let (share, inner) = shared_filter::split(filter);
    draft.count(Shape::of(&inner), -1);
    draft.delete(table::of_subscription(id, filter.as_str()));
    draft.delete(table::of_index(inner.as_str(), id, share.as_deref()));
}

/// The filter of a subscription's key.
pub(crate) fn filter_of(key: &[u8]) -> Option<TopicFilter> {
    let text = key.get(table::SUBSCRIPTION.len() + 8..)?;
    TopicFilter::new(std::str::from_utf8(text).ok()?).ok()
}

fn index_entry(filter: &TopicFilter, id_at: usize, key: &[u8], value: Vec<u8>) -> Option<Reached> {
    let session = SessionId::new(table::number_at(key, id_at)?);
    let share = std::str::from_utf8(key.get(id_at + 8..)?).ok()?;
    let (options, client_id) = read_options(value)?;
    Some(Reached {
        session,
        client_id: read_client_id(&client_id)?,
        filter: filter.clone(),
        options,
        share: (!share.is_empty()).then(|| Arc::from(share)),
    })
}

const PAGE_ROWS: usize = 1_024;
/// What a key has room for beside its table, the session and the zero.
const FILTER_BYTES_MAX: usize = limits::STORE_KEY_BYTES_MAX - 64;
