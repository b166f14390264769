//! The conformance suite: what holds of every correct connector, as checks that each plugin runs.
//!
//! The author of a plugin gives a [`Suite`] the connector, a small world to read, records to
//! write, and asserts on the [`Report`]. Checks of capabilities that the connector does not have
//! are left out; a check that lacks something to run with is skipped and says what, and a test
//! lists each skipped check by name. So nothing passes silently.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! use connector_core::{JsonObject, Record, Stream};
//! use connector_testkit::memory::{Memory, TOKEN};
//! use connector_testkit::{Access, Reading, Suite, Writing};
//! use serde_json::json;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let connector = Memory::new();
//! let access = |token: &str| Access::new(json!({"token": token}));
//!
//! // What is read, what must be refused, and a read that fails half-way.
//! let (mended, broken) = (connector.remote().clone(), connector.remote().clone());
//! let prepare = move || {
//!     mended.mend();
//!     access(TOKEN)
//! };
//! let reading = Reading::new(access(TOKEN))
//!     .with_counts(&[("people", 3), ("tasks", 5)])
//!     .with_wrong(access("a token of nobody"))
//!     .with_failure(prepare, move || broken.break_after(1));
//!
//! // What is written: to a new place each time, and what must become of each record.
//! let schema = json!({"type": "object", "properties": {"id": {}, "state": {}}});
//! let builds = Stream::new("builds", "Builds.", schema).with_primary_key(["id"]);
//! let build = |text| Record::new("builds".into(), JsonObject::parse(text).unwrap());
//! let count = AtomicUsize::new(0);
//! let fresh = move || {
//!     let copy = format!("copy-{}", count.fetch_add(1, Ordering::SeqCst));
//!     Access::new(json!({"token": TOKEN, "copy": copy}))
//! };
//! let writing = Writing::new(fresh, &[builds])
//!     .accepts(build(r#"{"id":1,"state":"passed"}"#))
//!     .accepts(build(r#"{"id":2,"state":"failed"}"#))
//!     .rejects(build(r#"{"id":null,"state":"without a key"}"#))
//!     .with_wrong(access("a token of nobody"));
//!
//! let suite = Suite::new(&connector).with_reading(reading).with_writing(writing);
//! let report = suite.run().await;
//! assert!(report.failed().is_empty(), "{report}");
//! // These need more than this example gives.
//! assert!(report.skipped().contains(&"changes_are_read"), "{report}");
//! # });
//! ```
//!
//! # What to give
//!
//! | The connector has | The suite needs |
//! |---|---|
//! | a source | [`Reading::new`]; [`with_counts`](Reading::with_counts), [`with_wrong`](Reading::with_wrong), [`with_failure`](Reading::with_failure) |
//! | incremental streams, or parts | [`with_change`](Reading::with_change): a world that changes between two reads |
//! | requests that its observer does not hear of | [`with_requests`](Reading::with_requests) |
//! | streams with open rows | [`with_removed_open_row`](Reading::with_removed_open_row) |
//! | a forecast | nothing; [`with_accuracy`](Reading::with_accuracy) where it is not exact |
//! | a comparison with a copy | [`with_removed`](Reading::with_removed); [`with_verified`](Reading::with_verified) where not every record is looked at |
//! | permissions, or an inspector of credentials | [`with_limited`](Reading::with_limited); [`Suite::with_revocable`] |
//! | webhooks | [`Suite::with_webhooks`] |
//! | links of records | [`Suite::with_link`] |
//! | a destination | [`Writing::new`]; [`accepts`](Writing::accepts), [`rejects`](Writing::rejects), [`with_wrong`](Writing::with_wrong) |
//! | a destination that cannot be read back, such as a pipe | [`with_reader`](Writing::with_reader) |
//! | a destination that acts | [`with_acting`](Writing::with_acting) |
//! | no secret among its settings | [`Suite::with_secret`]: a secret in the wrong place must not be repeated |
//!
//! [`Report::assert_capabilities`] pins what the connector has: a wrapper that loses a capability
//! fails there.
//!
//! # What is checked
//!
//! A check is data: [`checks`] lists them, and `README.md` of this crate has them as a table. Each
//! check names the flaws that it must find, and a test of this crate runs it over a connector with
//! each of them. [`memory`] has connectors with every capability, implemented correctly.
//!
//! The suite needs a tokio runtime with its timer, and no network, file or environment.

mod capability;
mod check;
mod checks;
mod copy;
mod forms;
mod given;
pub mod memory;
mod report;
mod rows;
mod run;
mod suite;
mod variation;
mod watcher;

pub use capability::Capability;
pub use check::Check;
pub use checks::{checks, table};
pub use given::{Access, Accuracy, Acting, Reading, Webhooks, Writing};
pub use report::{Ending, Line, Report};
pub use suite::Suite;
