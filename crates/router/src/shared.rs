//! Shared subscriptions: groups of which one member gets each message (MQTT 5, 4.8.2).
//!
//! A group knows its connected members; those that are away are found in the stored sessions. Members take turns, and
//! one whose mailbox is full is passed over.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use message::{Message, SharedFilter, SubscribeOptions};
use parking_lot::{Mutex, RwLock};
use persistent_sessions::SessionId;

use crate::delivery::{Extra, extra};
use crate::mailbox::Mailbox;
use crate::subscriber_id::SubscriberId;

/// All groups that have a connected member.
#[derive(Default)]
pub(crate) struct Groups(Mutex<HashMap<SharedFilter, Arc<Group>>>);

/// The connected members of one group.
pub(crate) struct Group {
    /// Under this the group stands in the filter tree.
    pub(crate) id: SubscriberId,
    pub(crate) shared: SharedFilter,
    members: RwLock<Vec<Member>>,
    turn: AtomicUsize,
}

/// A connected member.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) subscriber: SubscriberId,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Where its messages of QoS 1 and 2 are kept, if its session outlives the connection.
    pub(crate) session: Option<SessionId>,
    pub(crate) options: SubscribeOptions,
    pub(crate) extra: Option<Arc<Extra>>,
}

/// What joining did.
pub(crate) struct Joined {
    pub(crate) group: Arc<Group>,
    /// The group was not there before: it is to be put into the filter tree.
    pub(crate) is_new_group: bool,
    /// The subscriber was no member before.
    pub(crate) is_new_member: bool,
}

impl Member {
    pub(crate) fn new(
        subscriber: SubscriberId,
        mailbox: Arc<Mailbox>,
        session: Option<SessionId>,
        options: SubscribeOptions,
        shared: &SharedFilter,
    ) -> Self {
        let extra = extra(options.subscription_id.into_iter().collect(), Some(shared.clone()));
        Self { subscriber, mailbox, session, options, extra }
    }
}

impl Groups {
    /// Makes a subscriber a member, or gives a member new options.
    pub(crate) fn join(&self, shared: &SharedFilter, member: Member, new_id: impl FnOnce() -> SubscriberId) -> Joined {
        let mut groups = self.0.lock();
        let mut is_new_group = false;
        let group = groups.entry(shared.clone()).or_insert_with(|| {
            is_new_group = true;
            let (members, turn) = (RwLock::default(), AtomicUsize::new(0));
            Arc::new(Group { id: new_id(), shared: shared.clone(), members, turn })
        });
        let mut members = group.members.write();
        let known = members.iter_mut().find(|known| known.subscriber == member.subscriber);
        let is_new_member = known.is_none();
        match known {
            Some(known) => *known = member,
            None => members.push(member),
        }
        drop(members);
        Joined { group: Arc::clone(group), is_new_group, is_new_member }
    }

    /// Ends a membership; gives the group when nobody is left in it.
    pub(crate) fn leave(&self, shared: &SharedFilter, subscriber: SubscriberId) -> Option<Arc<Group>> {
        let mut groups = self.0.lock();
        let group = groups.get(shared)?;
        let mut members = group.members.write();
        members.retain(|member| member.subscriber != subscriber);
        let is_empty = members.is_empty();
        drop(members);
        if is_empty { groups.remove(shared) } else { None }
    }
}

impl Group {
    /// The member whose turn it is, if its mailbox is open and takes the message, else the next that does.
    pub(crate) fn next_with_room(&self, message: &Message) -> Option<Member> {
        let members = self.members.read();
        let (before, after) = members.split_at(self.turn(members.len())?);
        after
            .iter()
            .chain(before)
            .find(|member| {
                let qos = message.qos.min(member.options.qos);
                member.mailbox.has_room_for(qos, message.bytes())
            })
            .cloned()
    }

    /// The member whose turn it is.
    pub(crate) fn next(&self) -> Option<Member> {
        let members = self.members.read();
        members.get(self.turn(members.len())?).cloned()
    }

    fn turn(&self, members: usize) -> Option<usize> {
        (members > 0).then(|| self.turn.fetch_add(1, Ordering::Relaxed) % members)
    }
}
