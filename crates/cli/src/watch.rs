//! Runs the work of a command while a person watches and may stop it.

use connector_core::{Error, ErrorKind, Result};
use sync_runner::{CancellationToken, Progress};
use tokio::time::MissedTickBehavior;

use crate::args::Verbosity;
use crate::progress::{Display, INTERVAL};
use crate::stop;

/// Runs `work` in its own task, so that a destination that blocks, such as a full pipe, stops
/// neither the display nor the signals. The first signal cancels `stop`.
///
/// # Errors
/// [`ErrorKind::Internal`] if `work` panics.
pub(crate) async fn watch<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    progress: &Progress,
    stop: &CancellationToken,
    verbosity: Verbosity,
) -> Result<T> {
    stop::on_signal(stop.clone());
    let mut display = Display::new(verbosity);
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = tokio::spawn(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = tick.tick() => display.update(&progress.snapshot(), stop.is_cancelled()),
        }
    };
    display.finish(&progress.snapshot());
    done.map_err(|panic| {
        Error::new(
            ErrorKind::Internal,
            "a part of this program panicked; this is a defect",
        )
        .with_source(panic)
    })
}

/// The same for work that changes nothing and can be dropped at any time: `None` if it was.
///
/// # Errors
/// Those of `work`, and as [`watch`].
pub(crate) async fn watch_question<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
    progress: &Progress,
    verbosity: Verbosity,
) -> Result<Option<T>> {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let work = async move { stopped.run_until_cancelled_owned(work).await.transpose() };
    watch(work, progress, &stop, verbosity).await?
}
