//! Waiting for a lock that another process holds.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_core::{Event, Observer, Stop};
use rusqlite::ErrorCode;

/// How long one attempt waits.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(1);
/// How long a wait lasts before it is reported.
const QUIET: Duration = Duration::from_secs(5);
/// How long a wait lasts at most.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Waits for other processes that use the database, and reports long waits.
#[derive(Clone)]
pub(crate) struct Patience {
    path: PathBuf,
    observer: Arc<dyn Observer>,
    stop: Stop,
    quiet: Duration,
    longest: Duration,
}

impl Patience {
    /// For the database at `path`.
    pub(crate) fn new(path: PathBuf, observer: Arc<dyn Observer>, stop: Stop) -> Self {
        Self {
            path,
            observer,
            stop,
            quiet: QUIET,
            longest: LONGEST,
        }
    }

    /// Hears of long waits.
    pub(crate) fn observer(&self) -> &dyn Observer {
        self.observer.as_ref()
    }

    /// Repeats `work` while another process holds the lock that it needs. Gives up after 15
    /// minutes, or when the run is asked to stop.
    pub(crate) fn wait_for<T>(
        &self,
        work: impl Fn() -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let begun = Instant::now();
        let mut is_reported = false;
        loop {
            let result = work();
            let is_over = begun.elapsed() >= self.longest || self.stop.is_requested();
            if is_over || !result.as_ref().is_err_and(is_locked) {
                return result;
            }
            if !is_reported && begun.elapsed() >= self.quiet {
                self.report();
                is_reported = true;
            }
        }
    }

    fn report(&self) {
        let (path, most) = (self.path.display(), self.longest.as_secs() / 60);
        self.observer.observe(Event::notice(format!(
            "another process is using the database {path}; waiting up to {most} minutes for \
             it to finish"
        )));
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").finish_non_exhaustive()
    }
}

/// Whether the error is that another process holds the lock.
pub(crate) fn is_locked(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use connector_core::Ignore;
    use rusqlite::Connection;

    use super::*;

    /// Releases its lock when it hears that somebody waits for it.
    struct Polite {
        database: Mutex<Connection>,
        heard: Mutex<Vec<String>>,
    }

    impl Observer for Polite {
        fn observe(&self, event: Event) {
            if let Event::Notice { message, .. } = event {
                self.heard.lock().unwrap().push(message);
                let database = self.database.lock().unwrap();
                database.execute_batch("ROLLBACK").unwrap();
            }
        }
    }

    fn locked(path: &Path) -> Connection {
        let database = Connection::open(path).unwrap();
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        database
    }

    fn begin_at(path: &Path) -> impl Fn() -> rusqlite::Result<()> {
        let database = Connection::open(path).unwrap();
        database.busy_timeout(Duration::ZERO).unwrap();
        move || database.execute_batch("BEGIN IMMEDIATE")
    }

    #[test]
    fn a_lock_of_others_is_waited_for_and_the_wait_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let polite = Arc::new(Polite {
            database: Mutex::new(locked(&path)),
            heard: Mutex::default(),
        });
        let mut patience = Patience::new(path.clone(), polite.clone(), Stop::new());
        patience.quiet = Duration::ZERO;

        patience.wait_for(begin_at(&path)).unwrap();

        let heard = polite.heard.lock().unwrap();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(
            heard[0].contains("w.db; waiting up to 15 minutes"),
            "{heard:?}"
        );
    }

    #[test]
    fn the_wait_ends_when_the_run_is_asked_to_stop_or_the_time_is_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let _other = locked(&path);
        let stopped = Stop::new();
        stopped.request();
        let mut impatient = Patience::new(path.clone(), Arc::new(Ignore), Stop::new());
        impatient.longest = Duration::ZERO;
        for patience in [
            Patience::new(path.clone(), Arc::new(Ignore), stopped),
            impatient,
        ] {
            let error = patience.wait_for(begin_at(&path)).unwrap_err();
            assert!(is_locked(&error), "{error}");
        }
    }
}
