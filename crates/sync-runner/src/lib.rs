//! Moves records from a source to a destination.
//!
//! ```text
//! Source ──► reader task ──► batches (two at most) ──► BatchWriter ──► commit(state)
//! ```
//!
//! This crate decides how many records travel together, when a state is committed, when a failed
//! read is retried and how a sync is stopped. It leaves *what* is read to the source and *how*
//! it is stored to the destination; it knows no vendor, no protocol and no secret.
//!
//! What it promises:
//!
//! - **No gap.** A state is committed only when every record that it covers has been written. A
//!   stream that does not reach its end without an error is an error itself.
//! - **Bounded memory.** At most four batches exist at a time, whatever the size of the sync.
//! - **A clean stop.** After a request to stop, a destination that stores commits what was read;
//!   one that acts sends nothing more.
//!
//! ```no_run
//! # async fn sync(
//! #     source: std::sync::Arc<dyn connector_core::Source>,
//! #     destination: Box<dyn connector_core::Destination>,
//! # ) -> Result<(), sync_runner::Failure> {
//! let report = sync_runner::Runner::new(source, destination).run().await?;
//! println!("{} records", report.progress.records());
//! # Ok(())
//! # }
//! ```

mod carried_state;
mod progress;
mod reader;
mod report;
mod retry;
mod runner;
mod settings;
mod streams;
mod wait_clock;
mod writer;

// Where rejected records and results go is part of this crate's interface.
pub use host_kit::{DeadLetters, ResultSink};
pub use progress::Progress;
pub use report::{
    Ending, Failure, Notice, Report, Snapshot, StreamProgress, StreamStatus, Traffic, Wait,
};
pub use runner::Runner;
pub use settings::{Limits, RetryBudget};
pub use streams::StreamChoice;
