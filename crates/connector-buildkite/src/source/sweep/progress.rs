//! How far a whole sweep has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::{Event, Message, Observer, Record, Result};

use super::item::{Item, Page};
use crate::source::lists::Refusals;
use crate::source::state::SweepState;
use crate::streams::{BUILDS, JOBS};

/// Turns items into messages, and reports how many records there will be.
pub(super) struct SweepProgress {
    state: SweepState,
    refusals: Refusals,
    observer: Arc<dyn Observer>,
    jobs_read: u64,
    /// By partition: builds read, and builds left.
    builds: BTreeMap<String, (u64, u64)>,
}

impl SweepProgress {
    pub(super) fn new(state: SweepState, refusals: Refusals, observer: Arc<dyn Observer>) -> Self {
        Self {
            state,
            refusals,
            observer,
            jobs_read: 0,
            builds: BTreeMap::new(),
        }
    }

    /// The messages of an item.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](connector_core::ErrorKind::Internal) if the state has no JSON form.
    pub(super) fn apply(&mut self, item: Item) -> Result<Vec<Message>> {
        match item {
            Item::Records(records) => {
                let is_job = |record: &&Record| record.stream == JOBS;
                self.jobs_read += records.iter().filter(is_job).count() as u64;
                Ok(records.into_iter().map(Message::Record).collect())
            }
            Item::Page(page) => self.end_page(page),
            Item::List(_) => Ok(Vec::new()),
        }
    }

    fn end_page(&mut self, page: Page) -> Result<Vec<Message>> {
        let counts = (page.builds_read, page.builds_left);
        self.builds.insert(page.partition.clone(), counts);
        self.estimate();
        let Some(coverage) = page.coverage else {
            return Ok(Vec::new());
        };
        self.state.partitions.insert(page.partition, *coverage);
        // A refused stream was not read: its state stays where it was.
        self.state.leave_out(|stream| self.refusals.has(stream));
        Ok(vec![Message::Checkpoint(self.state.to_state()?)])
    }

    /// Reports how many records there will be: builds as the server counts pages, jobs at the rate
    /// seen so far.
    fn estimate(&self) {
        let sum = |total: u64, count: u64| total.saturating_add(count);
        let read = self.builds.values().map(|(read, _)| *read).fold(0, sum);
        let left = self.builds.values().map(|(_, left)| *left).fold(0, sum);
        let builds = read.saturating_add(left);
        let jobs_per_build = self.jobs_read as f64 / read.max(1) as f64;
        for stream in self.state.streams() {
            let records = match stream.as_str() {
                JOBS => (builds as f64 * jobs_per_build) as u64,
                BUILDS => builds,
                _ => continue,
            };
            self.observer.observe(Event::Estimate {
                stream: stream.clone(),
                records,
            });
        }
    }
}
