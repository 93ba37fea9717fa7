//! One copy of a message for one subscriber.

use std::num::NonZeroU64;
use std::sync::Arc;

use message::{Message, QoS, SharedFilter};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// One copy of a message for one subscriber.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message, shared by all its deliveries.
    pub message: Arc<Message>,
    /// The lower of the publisher's and the subscription's QoS [MQTT-3.8.4-8].
    pub qos: QoS,
    /// The RETAIN flag to send: true for a retained message sent because of a new subscription [MQTT-3.3.1-8], and for a
    /// live one that was published so where the subscription asks for it [MQTT-3.3.1-13].
    pub retain: bool,
    /// Its number in the subscriber's stored queue; none when it is in memory only.
    pub seq: Option<NonZeroU64>,
    /// What few deliveries have, shared by all of a route.
    pub extra: Option<Arc<Extra>>,
}

/// What a delivery has beside its message.
#[derive(Debug, Default)]
pub struct Extra {
    /// Identifiers of the subscriptions that matched [MQTT-3.3.4-3]; one that several of them share comes as often (MQTT
    /// 5, 3.3.4).
    pub subscription_ids: Vec<u32>,
    /// The group that it was sent to; another member may get it when this one dies.
    pub shared: Option<SharedFilter>,
    /// Who waits until the client has acknowledged it, or the service is done with it.
    pub confirmation: Option<Confirmation>,
}

/// Tells whoever waits that the client has acknowledged, or that the service is done.
#[derive(Debug)]
pub struct Confirmation(Mutex<Option<oneshot::Sender<()>>>);

impl Delivery {
    /// A delivery with nothing beside its message.
    pub fn plain(message: Arc<Message>, qos: QoS, retain: bool) -> Self {
        Self { message, qos, retain, seq: None, extra: None }
    }

    /// Identifiers of the subscriptions that matched.
    pub fn subscription_ids(&self) -> &[u32] {
        self.extra.as_ref().map_or(&[], |extra| &extra.subscription_ids)
    }

    /// The group that it was sent to.
    pub fn shared(&self) -> Option<&SharedFilter> {
        self.extra.as_ref()?.shared.as_ref()
    }

    /// The client has acknowledged it, or the service is done with it.
    pub fn confirm(&self) {
        if let Some(confirmation) = self.extra.as_ref().and_then(|extra| extra.confirmation.as_ref())
            && let Some(waiting) = confirmation.0.lock().take()
        {
            let _nobody_waits = waiting.send(());
        }
    }
}

impl Extra {
    /// Whether it matters to somebody else what becomes of the delivery.
    pub fn is_awaited(&self) -> bool {
        self.shared.is_some() || self.confirmation.is_some()
    }
}

impl Confirmation {
    /// A confirmation, and where it arrives; dropped without a word when it never comes.
    pub fn new() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Mutex::new(Some(sender))), receiver)
    }
}

/// None where there would be nothing in it.
pub(crate) fn extra(subscription_ids: Vec<u32>, shared: Option<SharedFilter>) -> Option<Arc<Extra>> {
    if subscription_ids.is_empty() && shared.is_none() {
        return None;
    }
    Some(Arc::new(Extra { subscription_ids, shared, confirmation: None }))
}
