//! Buildkite as a plugin.
//!
//! As a source it reads every list that the REST API has, see [`Buildkite`]. Builds and jobs come
//! from one sweep over the builds, because a page of builds holds their jobs. They are read
//! incrementally, and so are the lists below builds. The others are plain lists, read in full. As a
//! destination it triggers builds and changes pipelines.
//!
//! This crate turns the client's types into the contract's and back. Pacing and retries belong to
//! the client; where state is kept belongs to the host. The rooms, from the bottom up:
//!
//! - [`streams`]: what the records are;
//! - `source` and `destination`, each over a `connection`; `audit`: forecasts and comparisons;
//! - `connector`: the plugin.

mod artifacts;
mod audit;
mod config;
mod connection;
mod connector;
mod destination;
mod error;
mod mask;
mod source;
pub mod streams;

pub use artifacts::{ArtifactFile, ArtifactQuery, Artifacts, Fetched};
pub use config::Config;
pub use connector::Buildkite;
pub use destination::{
    DestinationConfig, Difference, Mapping, Permission, PlannedRequest, ResultRow, Wait,
    destination_streams, records,
};
pub use mask::Sensitive;
pub use streams::CustomStream;
