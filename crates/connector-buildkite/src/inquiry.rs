//! What forecasts and comparisons ask with: they read no stream, and count what they ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use buildkite_client::{Client, Event as ClientEvent};
use connector_core::Observer;

use crate::listener::forward;
use crate::lists::Refusals;
use crate::lists::children::ChildReader;
use crate::pass::Pass;
use crate::rules::Rules;
use crate::scope::Scope;
use crate::state::PassState;

/// A client that counts its requests, and what a read would be made of.
pub(crate) struct Inquiry {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) max_concurrency: usize,
    rules: Rules,
    observer: Arc<dyn Observer>,
    asked: Arc<AtomicU64>,
}

impl Inquiry {
    pub(crate) fn new(
        client: &Client,
        scope: Scope,
        rules: Rules,
        max_concurrency: u32,
        observer: &Arc<dyn Observer>,
    ) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let tell = forward(observer, None);
        let count = Arc::clone(&asked);
        let client = client.with_observer(Arc::new(move |event| {
            if event == ClientEvent::Request {
                count.fetch_add(1, Ordering::Relaxed);
            }
            tell(event);
        }));
        Self {
            client,
            scope: Arc::new(scope),
            max_concurrency: max_concurrency as usize,
            rules,
            observer: Arc::clone(observer),
            asked,
        }
    }

    /// How many requests were sent so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The pass that a read would make from `state` on.
    pub(crate) fn pass(&self, state: PassState) -> Arc<Pass> {
        Arc::new(Pass {
            client: self.client.clone(),
            scope: Arc::clone(&self.scope),
            state,
            rules: self.rules,
            max_concurrency: self.max_concurrency,
            observer: Arc::clone(&self.observer),
            children: ChildReader {
                client: self.client.clone(),
                refusals: Refusals::default(),
                observer: Arc::clone(&self.observer),
                max_bytes: usize::MAX,
            },
        })
    }
}
