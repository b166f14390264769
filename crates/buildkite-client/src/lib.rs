//! A client for Buildkite's REST API that paces itself and repeats what is safe to repeat.
//!
//! Whoever calls it gets an answer or a final error:
//!
//! - a **rate governor** learns both of Buildkite's limits from every answer and waits exactly
//!   until the binding one is free again, so that it causes no 429 where answers tell the limits;
//! - **writes** are sent once, and whoever sent one is told if its outcome is not known;
//! - **reads** are repeated after 429, 5xx, timeouts and broken answers, with backoff, for a time;
//! - **lists** end only when the server says so; those of builds are read by keyset, split while
//!   they arrive, at a page size that the server can bear;
//! - the **token** goes to the origin of the base URL and nowhere else, and is shown nowhere.
//!
//! It knows nothing of connectors, state or files. Facts about the API are Buildkite's
//! documentation and recorded answers; where the two disagree, the recordings are believed.

mod authorization;
mod base_url;
mod body;
mod build;
mod builds;
mod client;
mod clock;
mod count;
mod download;
mod error;
mod governor;
mod http;
mod keyset;
mod known_limit;
mod link;
mod options;
mod pace;
mod page_size;
mod pages;
mod query;
mod rate_limit;
mod retry;
mod splitter;
mod timestamp;
mod write;

pub use authorization::Authentication;
pub use base_url::DEFAULT_BASE_URL;
pub use build::RawBuild;
pub use builds::{Listed, Progress};
pub use client::{AccessToken, Client, TokenUser};
pub use clock::{Clock, SystemClock};
pub use download::{Download, Retrieval};
pub use error::{Error, Result};
pub use known_limit::KnownLimit;
pub use options::{Event, Listener, Options};
pub use pace::{Pace, WeakPace};
pub use pages::Paging;
pub use query::{BuildQuery, Floor};
pub use timestamp::{Timestamp, format_timestamp};
pub use write::Verb;
