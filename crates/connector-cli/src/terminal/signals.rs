//! Ctrl-C and SIGTERM.

use connector_core::Stop;

use crate::exit::Exit;

/// Requests `stop` at the first signal, and ends the program at the second.
pub(crate) fn listen(stop: Stop) {
    tokio::spawn(async move {
        signal().await;
        stop.request();
        signal().await;
        #[expect(
            clippy::exit,
            reason = "asked twice: what still runs is cut off, as by a kill"
        )]
        std::process::exit(Exit::Stopped as i32);
    });
}

async fn signal() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // The signal then has its default effect and ends the program.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = ctrl_c => {}
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
