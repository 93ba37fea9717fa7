//! Whom a topic reaches, worked out once for many messages: subscribers in memory, stored sessions, and groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use message::{QoS, Reach, SharedFilter, SubscribeOptions, TopicName};
use names::Dialect;
use persistent_sessions::{Reached, SessionId};
use store::StoreError;

use crate::delivery::{Extra, extra};
use crate::mailbox::Mailbox;
use crate::router::{Entry, Router};
use crate::shared::Group;
use crate::subscriber_id::SubscriberId;

/// Everybody whom messages on one topic from one publisher reach.
#[derive(Default)]
pub(crate) struct Routes {
    /// Subscribers that are connected, each once.
    pub(crate) live: Vec<Route>,
    /// Sessions that outlive their connections, each once, for messages of QoS 1 and 2.
    pub(crate) stored: Vec<StoredRoute>,
    /// Groups of which one member gets each message.
    pub(crate) shared: Vec<SharedRoute>,
}

impl Routes {
    /// Whether nobody is reached.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.stored.is_empty() && self.shared.is_empty()
    }
}

/// One subscriber, with the highest QoS of its matching subscriptions [MQTT-3.3.4-2].
pub(crate) struct Route {
    subscriber: SubscriberId,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) qos: QoS,
    pub(crate) retain_as_published: bool,
    /// Its messages of QoS 1 and 2 come by way of the disk.
    pub(crate) is_stored: bool,
    pub(crate) extra: Option<Arc<Extra>>,
}

/// One stored session, with the highest QoS of its matching subscriptions.
pub(crate) struct StoredRoute {
    pub(crate) session: SessionId,
    pub(crate) qos: QoS,
    pub(crate) retain_as_published: bool,
    pub(crate) subscription_ids: Vec<u32>,
}

/// One group: those of its members that are connected, and those that have a stored session.
pub(crate) struct SharedRoute {
    pub(crate) shared: SharedFilter,
    pub(crate) group: Option<Arc<Group>>,
    pub(crate) stored: Vec<(SessionId, SubscribeOptions)>,
}

impl Router {
    /// Whom a message on `topic` reaches, when the client `publisher` publishes it.
    pub(crate) fn routes(&self, topic: &TopicName, publisher: Option<&str>) -> Result<Routes, StoreError> {
        let mut routes = Routes::default();
        self.live_routes(topic, publisher, &mut routes);
        if !self.stored.sessions.is_empty() {
            stored_routes(&self.stored.sessions.reached(topic)?, publisher, &mut routes);
        }
        Ok(routes)
    }

    fn live_routes(&self, topic: &TopicName, publisher: Option<&str>, routes: &mut Routes) {
        let mut found: Vec<(SubscriberId, Route, Option<u32>)> = Vec::new();
        self.subscriptions.read().visit(topic, &mut |&subscriber, entry: &Entry, reach| match entry {
            Entry::One(subscription) => {
                let options = &subscription.options;
                if reach == Reach::Parent && options.dialect == Dialect::Aws {
                    return;
                }
                if options.no_local && publisher.is_some() && subscription.client_id.as_deref() == publisher {
                    return;
                }
                let route = Route {
                    subscriber,
                    mailbox: Arc::clone(&subscription.mailbox),
                    qos: options.qos,
                    retain_as_published: options.retain_as_published,
                    is_stored: subscription.session.is_some(),
                    extra: None,
                };
                found.push((subscriber, route, options.subscription_id));
            }
            Entry::Group(group, dialect) => {
                if reach == Reach::Full || *dialect == Dialect::Mqtt {
                    let (shared, group) = (group.shared.clone(), Some(Arc::clone(group)));
                    routes.shared.push(SharedRoute { shared, group, stored: Vec::new() });
                }
            }
        });
        // The highest QoS of a subscriber comes first and stays; identifiers of all its subscriptions go along.
        found.sort_by_key(|(subscriber, route, _)| (*subscriber, std::cmp::Reverse(route.qos)));
        routes.live.reserve(found.len());
        let mut ids: Vec<u32> = Vec::new();
        for (_, route, id) in found {
            if routes.live.last().is_none_or(|last| last.subscriber != route.subscriber) {
                finish(routes.live.last_mut(), &mut ids);
                routes.live.push(route);
            }
            ids.extend(id);
        }
        finish(routes.live.last_mut(), &mut ids);
    }
}

fn finish(route: Option<&mut Route>, ids: &mut Vec<u32>) {
    if let Some(route) = route
        && !ids.is_empty()
    {
        route.extra = extra(std::mem::take(ids), None);
    }
}

fn stored_routes(reached: &[Reached], publisher: Option<&str>, routes: &mut Routes) {
    let mut by_session: BTreeMap<SessionId, StoredRoute> = BTreeMap::new();
    for Reached { session, client_id, filter, options, share } in reached {
        if let Some(share_name) = share {
            let shared = SharedFilter { share_name: Arc::clone(share_name), filter: filter.clone() };
            let known = routes.shared.iter_mut().find(|route| route.shared == shared);
            match known {
                Some(route) => route.stored.push((*session, *options)),
                None => routes.shared.push(SharedRoute { shared, group: None, stored: vec![(*session, *options)] }),
            }
            continue;
        }
        if options.no_local && publisher == Some(client_id.as_str()) {
            continue;
        }
        let route = by_session.entry(*session).or_insert_with(|| StoredRoute {
            session: *session,
            qos: options.qos,
            retain_as_published: options.retain_as_published,
            subscription_ids: Vec::new(),
        });
        if options.qos > route.qos {
            route.qos = options.qos;
            route.retain_as_published = options.retain_as_published;
        }
        route.subscription_ids.extend(options.subscription_id);
    }
    routes.stored.extend(by_session.into_values().filter(|route| route.qos > QoS::AtMostOnce));
}
