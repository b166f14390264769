//! The program around a host: its runtime and its signals.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use connector_core::{Error, ErrorKind, Result, Stop};

use crate::STOPPED;

/// Runs `work` to its end, on its own runtime.
///
/// # Errors
/// [`ErrorKind::Io`] if the runtime cannot be started; [`ErrorKind::Internal`] if `work` panics.
pub fn run(work: impl Future<Output = ExitCode>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            let message = format!("the runtime cannot be started: {error}");
            Error::new(ErrorKind::Io, message)
        })?;
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    // A name lookup that hangs in the operating system must not keep the program alive.
    runtime.shutdown_background();
    ended.map_err(|_panic| {
        let message = "the program panicked; this is a defect of the connector";
        Error::new(ErrorKind::Internal, message)
    })
}

/// Requests `stop` at the first SIGINT (Ctrl-C) or SIGTERM, and ends the program at the second.
/// Must be called on a tokio runtime.
pub fn stop_on_signals(stop: Stop) {
    tokio::spawn(async move {
        signal().await;
        stop.request();
        signal().await;
        #[expect(
            clippy::exit,
            reason = "asked twice: what still runs is cut off, as by a kill"
        )]
        std::process::exit(STOPPED.into());
    });
}

async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // The signal keeps its default: it ends the program.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_can_be_reported() {
        let ended = run(async { panic!("a defect") });
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(run(async { ExitCode::from(3) }).unwrap(), ExitCode::from(3));
    }
}
