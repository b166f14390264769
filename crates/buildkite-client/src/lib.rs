//! A client for Buildkite's REST API that respects the rate limits and repeats what is safe to
//! repeat.
//!
//! A caller gets an answer or a final error:
//!
//! - A **rate limiter** learns both of Buildkite's limits from every answer and waits exactly until
//!   the binding one is free again. It causes no 429 as long as answers report the limits.
//! - **Writes** are sent once. The sender is told if the outcome is unknown.
//! - **Reads** are repeated after 429, 5xx, timeouts and broken answers, with backoff, within a
//!   time budget.
//! - **Lists** end only when the server says so. Builds are listed by keyset and split while they
//!   arrive, at a page size that the server can handle.
//! - The **token** goes to the origin of the base URL and nowhere else. It is never shown.
//!
//! The client knows nothing about connectors, state or files. Facts about the API come from
//! Buildkite's documentation and from recorded answers. Where they disagree, the recordings win.

mod authorization;
mod base_url;
mod builds;
mod client;
mod clock;
mod download;
mod error;
mod limits;
mod list;
mod object;
mod observer;
mod options;
mod page_size;
mod rate_limiter;
mod retry;
mod timestamp;
mod transport;
mod write;

pub use base_url::DEFAULT_BASE_URL;
pub use builds::{BuildQuery, Listed, ListingProgress, LowerBound, RawBuild, Unusable};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use credential::Credential;
pub use download::{Download, Retrieval};
pub use error::{Error, Result};
pub use limits::Limits;
pub use list::Paging;
pub use object::{AccessToken, TokenUser};
pub use observer::{Event, Observer};
pub use options::Options;
pub use rate_limiter::{KnownLimit, RateLimiter, Share, WeakRateLimiter};
pub use timestamp::{Timestamp, format_timestamp};
pub use write::Verb;
