//! Runs the work of a command, shows its progress, and stops it on request.

use connector_core::{Error, ErrorKind, Result, Stop};
use sync_runner::Progress;
use tokio::time::MissedTickBehavior;

use super::progress::{Display, INTERVAL};
use super::{Terminal, signals};

/// Runs `work` in its own task, so that a destination that blocks, such as a full pipe, stops
/// neither the display nor the signals. The first signal requests `stop`.
///
/// # Errors
/// [`ErrorKind::Internal`] if `work` panics.
pub(crate) async fn watch<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    progress: &Progress,
    stop: &Stop,
    terminal: &Terminal,
) -> Result<T> {
    signals::listen(stop.clone());
    let mut display = Display::new(terminal);
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = tokio::spawn(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = tick.tick() => display.update(&progress.snapshot(), stop.is_requested()),
        }
    };
    display.finish(&progress.snapshot());
    done.map_err(|panic| {
        let message = "a part of this program panicked; this is a defect";
        Error::new(ErrorKind::Internal, message).with_source(panic)
    })
}

/// As [`watch`], for work that changes nothing and can be dropped at any time; `None` if it was
/// dropped.
///
/// # Errors
/// Those of `work`, and as [`watch`].
pub(crate) async fn watch_question<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
    progress: &Progress,
    terminal: &Terminal,
) -> Result<Option<T>> {
    let stop = Stop::new();
    let stopped = stop.clone();
    let work = async move {
        tokio::select! {
            biased;
            () = stopped.requested() => None,
            done = work => Some(done),
        }
    };
    watch(work, progress, &stop, terminal).await?.transpose()
}
