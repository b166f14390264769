//! What forecasts and comparisons request with: they read no stream, and count their requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use buildkite_client::{Client, Event as ClientEvent};
use connector_core::Observer;

use crate::connection::forward;
use crate::source::Reader;
use crate::source::lists::Refusals;
use crate::source::lists::children::ChildReader;
use crate::source::lists::tree::TreeReader;
use crate::source::scope::Scope;
use crate::source::state::SweepState;
use crate::source::sweep::Sweep;

/// A client that counts its requests, and what a read would consist of.
pub(super) struct CostProbe {
    pub(super) client: Client,
    pub(super) scope: Arc<Scope>,
    pub(super) max_concurrency: usize,
    observer: Arc<dyn Observer>,
    requests: Arc<AtomicU64>,
}

impl CostProbe {
    /// Knows the pipelines that these sweeps know.
    pub(super) fn new(reader: &Reader, sweeps: &[SweepState]) -> Self {
        let requests = Arc::new(AtomicU64::new(0));
        let report = forward(reader.observer(), None);
        let count = Arc::clone(&requests);
        let client = reader.client_for(None);
        let client = client.with_observer(Arc::new(move |event| {
            if event == ClientEvent::Request {
                count.fetch_add(1, Ordering::Relaxed);
            }
            report(event);
        }));
        Self {
            client,
            scope: Arc::new(reader.scope(sweeps)),
            max_concurrency: reader.max_concurrency(),
            observer: Arc::clone(reader.observer()),
            requests,
        }
    }

    /// How many requests were sent so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// What reads the lists that are not below builds.
    pub(super) fn trees(&self) -> TreeReader {
        TreeReader {
            client: self.client.clone(),
            scope: Arc::clone(&self.scope),
            refusals: Refusals::default(),
            observer: Arc::clone(&self.observer),
            max_concurrency: self.max_concurrency,
        }
    }

    /// The sweep that a read would make from `state` on.
    pub(super) fn sweep(&self, state: SweepState) -> Arc<Sweep> {
        Arc::new(Sweep {
            client: self.client.clone(),
            scope: Arc::clone(&self.scope),
            state,
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
