//! Counts what happens in a sync, for a display.
//!
//! A [`Progress`] is the observer that a source is opened with. A display takes a
//! [`Snapshot`] a few times a second; the records themselves are counted per batch, so counting
//! costs nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connector_core::{Event, Observer, Selection, StreamName, WaitReason};
use tokio::time::Instant;

use crate::wait_clock::WaitClock;
use crate::{Notice, Snapshot, StreamProgress, StreamStatus, Traffic, Wait};

/// Later notices are only counted: a source that warns about each record must not fill memory.
const MOST_NOTICES: usize = 100;
/// Different reasons for rejected records that are kept per stream.
const MOST_REASONS: usize = 5;

/// Watches one sync. Hand it to the source as its observer and to
/// [`Runner::with_progress`](crate::Runner::with_progress).
#[derive(Debug, Default)]
pub struct Progress(Mutex<Inner>);

/// Everything here is touched once per request, wait or batch, never per record: one lock will do.
#[derive(Debug, Default)]
struct Inner {
    streams: Vec<Watched>,
    total: Counter,
    wait: Option<(Instant, WaitReason)>,
    waits: u64,
    notices: Vec<Notice>,
    notices_left_out: u64,
}

#[derive(Debug)]
struct Watched {
    progress: StreamProgress,
    counter: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    requests: u64,
    retries: u64,
    rate_limited: WaitClock,
    retrying: WaitClock,
}

/// What became of the records of one stream in one batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) removed: u64,
    pub(crate) bytes: u64,
    pub(crate) rejected: u64,
    pub(crate) saved: u64,
    pub(crate) reasons: Vec<String>,
}

impl Progress {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has happened so far.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let inner = self.lock();
        Snapshot {
            streams: inner.streams.iter().map(|s| s.snapshot(now)).collect(),
            total: inner.total.traffic(now),
            waiting: inner.waiting(now),
            notices: inner.notices.clone(),
            notices_left_out: inner.notices_left_out,
        }
    }

    /// The streams are known.
    pub(crate) fn plan(&self, selections: &[Selection]) {
        self.lock().streams = selections.iter().map(Watched::new).collect();
    }

    /// A read begins, the first or a retry: it has started no stream yet.
    pub(crate) fn begin(&self) {
        for watched in &mut self.lock().streams {
            watched.progress.status = StreamStatus::Pending;
        }
    }

    /// Sets the status of the stream at `index` of the plan.
    pub(crate) fn set_status(&self, index: usize, status: StreamStatus) {
        self.lock().streams[index].progress.status = status;
    }

    /// A batch was written; one tally per stream of the plan.
    pub(crate) fn add(&self, tallies: Vec<Tally>) {
        for (watched, tally) in self.lock().streams.iter_mut().zip(tallies) {
            watched.progress.add(tally);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock, and counters are never half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let now = Instant::now();
        let mut inner = self.lock();
        match event {
            Event::Request { stream } => inner.count(stream, |counter| counter.requests += 1),
            Event::Wait {
                stream,
                duration,
                reason,
            } => {
                inner.count(stream, |counter| counter.wait(now, duration, &reason));
                inner.wait(now + duration, reason);
            }
            Event::Estimate { stream, records } => {
                if let Some(watched) = inner.stream(&stream) {
                    watched.progress.estimate = Some(records);
                }
            }
            Event::Notice { stream, message } => inner.notice(Notice { stream, message }),
            // The contract may grow. Unknown events are not shown.
            _ => {}
        }
    }
}

impl Inner {
    fn stream(&mut self, name: &StreamName) -> Option<&mut Watched> {
        self.streams.iter_mut().find(|s| s.progress.stream == *name)
    }

    fn count(&mut self, stream: Option<StreamName>, change: impl Fn(&mut Counter)) {
        change(&mut self.total);
        if let Some(watched) = stream.and_then(|stream| self.stream(&stream)) {
            change(&mut watched.counter);
        }
    }

    fn wait(&mut self, until: Instant, reason: WaitReason) {
        if self.wait.as_ref().is_none_or(|(end, _)| *end < until) {
            self.wait = Some((until, reason));
            self.waits += 1;
        }
    }

    fn waiting(&self, now: Instant) -> Option<Wait> {
        let (until, reason) = self.wait.as_ref()?;
        let left = until.checked_duration_since(now).filter(|d| !d.is_zero())?;
        Some(Wait {
            number: self.waits,
            left,
            reason: reason.clone(),
        })
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(notice);
        } else {
            self.notices_left_out += 1;
        }
    }
}

impl Watched {
    fn new(selection: &Selection) -> Self {
        let progress = StreamProgress {
            stream: selection.stream.clone(),
            mode: selection.mode,
            status: StreamStatus::Pending,
            records: 0,
            removed: 0,
            bytes: 0,
            rejected: 0,
            saved: 0,
            reasons: Vec::new(),
            estimate: None,
            traffic: Traffic::default(),
        };
        Self {
            progress,
            counter: Counter::default(),
        }
    }

    fn snapshot(&self, now: Instant) -> StreamProgress {
        StreamProgress {
            traffic: self.counter.traffic(now),
            ..self.progress.clone()
        }
    }
}

impl StreamProgress {
    fn add(&mut self, tally: Tally) {
        self.records += tally.accepted;
        self.removed += tally.removed;
        self.bytes += tally.bytes;
        self.rejected += tally.rejected;
        self.saved += tally.saved;
        for reason in tally.reasons {
            if self.reasons.len() < MOST_REASONS && !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

impl Counter {
    fn wait(&mut self, now: Instant, duration: Duration, reason: &WaitReason) {
        match reason {
            WaitReason::Retry(_) => {
                self.retries += 1;
                self.retrying.begin(now, duration);
            }
            WaitReason::Remote(_) => self.retrying.begin(now, duration),
            _ => self.rate_limited.begin(now, duration),
        }
    }

    fn traffic(&self, now: Instant) -> Traffic {
        Traffic {
            requests: self.requests,
            retries: self.retries,
            rate_limited: self.rate_limited.total(now),
            retrying: self.retrying.total(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds() -> StreamName {
        "builds".into()
    }

    fn progress() -> Progress {
        let progress = Progress::new();
        progress.plan(&[Selection::full_refresh("builds")]);
        progress
    }

    #[test]
    fn a_request_counts_for_its_stream_and_in_total() {
        let progress = progress();
        for stream in [Some(builds()), None, Some("unknown".into())] {
            progress.observe(Event::Request { stream });
        }
        let snapshot = progress.snapshot();
        assert_eq!(snapshot.streams[0].traffic.requests, 1);
        assert_eq!(snapshot.total.requests, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_shown_until_it_is_over() {
        let progress = progress();
        let reason = WaitReason::RateLimit("rest_user".to_owned());
        progress.observe(Event::Wait {
            stream: Some(builds()),
            duration: Duration::from_secs(42),
            reason: reason.clone(),
        });
        tokio::time::advance(Duration::from_secs(2)).await;

        let waiting = progress.snapshot().waiting.unwrap();
        assert_eq!(waiting.left, Duration::from_secs(40));
        assert_eq!(waiting.reason, reason);

        tokio::time::advance(Duration::from_secs(40)).await;
        let snapshot = progress.snapshot();
        assert_eq!(snapshot.waiting, None);
        assert_eq!(snapshot.total.rate_limited, Duration::from_secs(42));
        assert_eq!(
            snapshot.streams[0].traffic.waited(),
            snapshot.total.waited()
        );
    }

    #[test]
    fn a_source_that_warns_about_each_record_fills_no_memory() {
        let progress = progress();
        for number in 0..150 {
            let message = number.to_string();
            progress.observe(Event::Notice {
                stream: None,
                message,
            });
        }
        let snapshot = progress.snapshot();
        assert_eq!(snapshot.notices.len(), 100);
        assert_eq!(snapshot.notices_left_out, 50);
    }
}
