//! How far a whole sweep has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_core::{Event, Message, Observer, Record, Result};

use super::item::{Item, Page};
use crate::source::lists::Refusals;
use crate::source::state::SweepState;
use crate::streams::{BUILDS, JOBS};

/// A larger state is written at most once in [`LARGE_STATE_EVERY`]: writing it takes longer than
/// reading a page again.
const LARGE_STATE: usize = 1_000_000;
const LARGE_STATE_EVERY: Duration = Duration::from_secs(60);

/// Turns items into messages, and reports how many records there will be.
pub(super) struct SweepProgress {
    state: SweepState,
    refusals: Refusals,
    observer: Arc<dyn Observer>,
    jobs_read: u64,
    /// By partition: builds read, and builds left.
    builds: BTreeMap<String, (u64, u64)>,
    /// When the last checkpoint was made, and whether the state has changed since.
    last_checkpoint: Option<Instant>,
    is_ahead: bool,
}

impl SweepProgress {
    pub(super) fn new(state: SweepState, refusals: Refusals, observer: Arc<dyn Observer>) -> Self {
        Self {
            state,
            refusals,
            observer,
            jobs_read: 0,
            builds: BTreeMap::new(),
            last_checkpoint: None,
            is_ahead: false,
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
        self.state.enter(page.partition, *coverage);
        // A refused stream was not read: its state stays where it was.
        self.state.leave_out(|stream| self.refusals.has(stream));
        self.is_ahead = true;
        if self.waits(Instant::now()) {
            return Ok(Vec::new());
        }
        self.checkpoint()
    }

    /// The last checkpoint, if there is anything that none covers yet.
    ///
    /// # Errors
    /// Those of [`apply`](Self::apply).
    pub(super) fn finish(&mut self) -> Result<Vec<Message>> {
        if self.is_ahead {
            self.checkpoint()
        } else {
            Ok(Vec::new())
        }
    }

    fn checkpoint(&mut self) -> Result<Vec<Message>> {
        self.is_ahead = false;
        self.last_checkpoint = Some(Instant::now());
        Ok(vec![Message::Checkpoint(self.state.to_state()?)])
    }

    /// Whether the state is large and was written a moment ago.
    fn waits(&self, now: Instant) -> bool {
        let is_recent = |at| now.duration_since(at) < LARGE_STATE_EVERY;
        self.last_checkpoint.is_some_and(is_recent) && self.state.about_bytes() > LARGE_STATE
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use connector_core::{Event, SyncMode};

    use super::*;
    use crate::source::state::{Coverage, OpenBuild};

    struct Nobody;

    impl Observer for Nobody {
        fn observe(&self, _: Event) {}
    }

    fn page(open: usize) -> Page {
        let at: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let build = |number: usize| {
            let build = OpenBuild {
                pipeline: "0189a1b2-0000-4000-8000-000000000000".to_owned(),
                number: number as u64,
                created_at: at,
                jobs: Vec::new(),
            };
            (format!("0189a1b2-0000-4000-8000-{number:012}"), build)
        };
        let coverage = Coverage {
            top: at,
            synced: at,
            open: (0..open).map(build).collect(),
            ..Coverage::nothing(None)
        };
        Page {
            partition: "acme".to_owned(),
            coverage: Some(Box::new(coverage)),
            builds_read: 0,
            builds_left: 0,
        }
    }

    fn progress() -> SweepProgress {
        let streams = vec!["builds".into(), "jobs".into()];
        let state = SweepState::new("https://h", SyncMode::Incremental, streams, None);
        SweepProgress::new(state, Refusals::default(), Arc::new(Nobody))
    }

    #[test]
    fn a_state_beyond_a_megabyte_is_written_once_a_minute_and_at_the_end() {
        for (open, pages_written) in [(100, 3), (8_000, 1)] {
            let mut progress = progress();
            let pages = (0..3).map(|_| progress.apply(Item::Page(page(open))).unwrap().len());
            assert_eq!(pages.sum::<usize>(), pages_written, "{open}");
            let is_large = pages_written == 1;
            assert_eq!(progress.waits(Instant::now()), is_large);
            assert!(!progress.waits(Instant::now() + LARGE_STATE_EVERY));
            assert_eq!(progress.finish().unwrap().len(), usize::from(is_large));
            assert_eq!(progress.finish().unwrap().len(), 0);
        }
    }

    #[test]
    fn the_size_of_a_state_is_estimated_within_a_third() {
        let mut progress = progress();
        progress.apply(Item::Page(page(2_000))).unwrap();
        let real = progress.state.to_state().unwrap().to_json().unwrap().len();
        let about = progress.state.about_bytes();
        assert!(
            about > real * 2 / 3 && about < real * 4 / 3,
            "{about} {real}"
        );
    }
}
