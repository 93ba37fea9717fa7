//! A worker: takes what waits for its shadows and has it performed, batch after batch.

use std::pin::pin;
use std::sync::Arc;

use names::limits;
use tokio::sync::{mpsc, watch};

use crate::batch::Performer;
use crate::request::Request;
use crate::service::ShadowService;

/// The reader of one queue.
pub(crate) struct Worker {
    service: Arc<ShadowService>,
    queue: mpsc::Receiver<Request>,
    cache_bytes: usize,
}

impl Worker {
    /// `cache_bytes` bound what it keeps read of its shadows.
    pub(crate) fn new(service: Arc<ShadowService>, queue: mpsc::Receiver<Request>, cache_bytes: usize) -> Self {
        Self { service, queue, cache_bytes }
    }

    /// Works until `closing` says so; what waits then is still done.
    pub(crate) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let mut closed = pin!(closing.wait_for(|closing| *closing));
        let mut performer = Performer::new(&self.service, self.cache_bytes);
        let mut requests = Vec::new();
        let mut is_closing = false;
        loop {
            tokio::select! {
                received = self.queue.recv_many(&mut requests, limits::SHADOW_REQUESTS_WAITING_MAX) => if received == 0 { return },
                _ = &mut closed, if !is_closing => {
                    is_closing = true;
                    self.queue.close();
                    continue;
                }
            }
            let mut batch = std::mem::take(&mut requests);
            // A task of its own: should it panic, its requests are not answered and all others are.
            let performed = tokio::spawn(async move {
                performer.perform(&mut batch).await;
                performer
            });
            performer = performed.await.unwrap_or_else(|problem| {
                tracing::error!(%problem, "a batch of shadow requests broke off: nobody was answered");
                Performer::new(&self.service, self.cache_bytes)
            });
        }
    }
}
