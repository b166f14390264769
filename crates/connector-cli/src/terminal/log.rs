//! The log that `-v` turns on.
//!
//! Only crates that know which values are secret write to it. Libraries could log a header, so no
//! environment variable turns them on.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::escape;

/// Crates whose log is shown, whatever the program.
const TARGETS: [&str; 3] = ["connector_cli", "host_kit", "sync_runner"];

/// Starts the log on standard error: 0 for none, 1 for what happens, 2 for each request, 3 for
/// more. `targets` are further crates.
pub(crate) fn start(verbose: u8, targets: &[String]) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(|| Escaping(io::stderr()));
    let targets = targets.iter().map(String::as_str).chain(TARGETS);
    let targets = Targets::new().with_targets(targets.map(|target| (target, level)));
    let subscriber = tracing_subscriber::registry().with(lines).with(targets);
    // It fails if this process already has a log, which then stays.
    subscriber.try_init().ok();
}

/// Writes log events, each as a whole.
struct Escaping<W>(W);

impl<W: io::Write> io::Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(escape::block(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_log_drives_no_terminal() {
        let mut written = Vec::new();
        Escaping(&mut written).write_all(b"a\x1b[2Jb\n").unwrap();
        assert_eq!(written, b"a\\u001b[2Jb\n");
    }
}
