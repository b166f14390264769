//! The conformance suite: what every connector must keep, as checks that each plugin runs.
//!
//! A plugin's author gives a [`Suite`] the connector, a world to read (small: a read is killed
//! after every message) and records to write, and asserts on the [`Report`]:
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! use connector_core::{JsonObject, Record};
//! use connector_testkit::tiny::{STORE, TOKEN, Tiny, things};
//! use connector_testkit::{Access, Reading, Suite, Writing};
//! use serde_json::json;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let connector = Tiny::default();
//! let access = |token: &str| Access::new(json!({"token": token}));
//!
//! let (mended, broken) = (connector.clone(), connector.clone());
//! let prepare = move || {
//!     mended.set_broken(false);
//!     access(TOKEN)
//! };
//! let reading = Reading::new(access(TOKEN))
//!     .with_counts(&[("letters", 5), ("numbers", 5)])
//!     .with_wrong(access("a token of nobody"))
//!     .with_failure(prepare, move || broken.set_broken(true));
//!
//! let thing = |text| Record::new("things".into(), JsonObject::parse(text).unwrap());
//! let stores = AtomicUsize::new(0);
//! let fresh = move || {
//!     let store = stores.fetch_add(1, Ordering::SeqCst).to_string();
//!     Access::new(json!({"token": TOKEN, STORE: store}))
//! };
//! let writing = Writing::new(fresh, &[things()])
//!     .accepts(thing(r#"{"id":1}"#))
//!     .rejects(thing(r#"{"id":null,"text":"without a key"}"#))
//!     .with_wrong(access("a token of nobody"));
//!
//! let suite = Suite::new(&connector).with_reading(reading).with_writing(writing);
//! suite.run().await.assert_passed();
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
