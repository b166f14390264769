//! Runs blocking calls on threads for them.

use connector_core::{Error, ErrorKind, Result};
use tokio::runtime::Handle;

/// Runs `work` on tokio's threads for blocking calls or, without a runtime, on this thread.
///
/// # Errors
/// Those of `work`; [`ErrorKind::Internal`] if it panics or the runtime ends.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let Ok(runtime) = Handle::try_current() else {
        return work();
    };
    runtime.spawn_blocking(work).await.unwrap_or_else(|error| {
        let message = "a call to a file was cut off by a panic or by the end of the runtime";
        Err(Error::new(ErrorKind::Internal, message).with_source(error))
    })
}
