//! The conformance suite: what every connector must keep, as checks that each plugin runs.
//!
//! A plugin's author gives a [`Suite`] the connector, a world to read (small: a read is killed
//! after every message) and records to write, and asserts on the [`Report`]:
//!
//! ```
//! use connector_testkit::tiny::{TOKEN, Tiny};
//! use connector_testkit::{Access, Reading, Suite};
//! use serde_json::json;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let connector = Tiny::default();
//! let (mended, broken) = (connector.clone(), connector.clone());
//! let prepare = move || {
//!     mended.set_broken(false);
//!     Access::new(json!({"token": TOKEN}))
//! };
//! let reading = Reading::new(Access::new(json!({"token": TOKEN})))
//!     .with_counts(&[("letters", 5), ("numbers", 5)])
//!     .with_wrong(Access::new(json!({"token": "a token of nobody"})))
//!     .with_failure(prepare, move || broken.set_broken(true));
//!
//! let report = Suite::new(&connector).with_reading(reading).run().await;
//!
//! println!("{report}");
//! report.assert_passed_skipping(&[
//!     // It is a destination, too, and nothing to write was given.
//!     "destination_check_passes",
//!     "destination_check_fails",
//!     "unknown_streams_are_refused",
//!     "outcomes_are_exact",
//!     "reasons_hold_no_values",
//!     "accepted_records_are_stored",
//!     "committed_states_come_back",
//! ]);
//! # });
//! ```
//!
//! A check is data: see [`checks`]. Each names the [`Flaw`](tiny::Flaw)s that it must find, and a
//! test of this crate runs it against [`Tiny`](tiny::Tiny) with each of them. What a check cannot
//! prove for want of something is told as skipped, with the reason; it never counts as passed.
//!
//! The suite needs a tokio runtime with its timer, and no network, file or environment.

mod access;
mod check;
mod checks;
mod forms;
mod opening;
mod reading;
mod report;
mod rows;
mod suite;
pub mod tiny;
mod watcher;
mod writing;

pub use access::Access;
pub use check::{Check, checks, table};
pub use reading::Reading;
pub use report::{Ending, Line, Report};
pub use suite::Suite;
pub use writing::Writing;
