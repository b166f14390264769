//! Buildkite as a plugin.
//!
//! As a source it reads every list that the REST API has, see [`Buildkite`]. Builds and jobs come
//! from one pass over the builds, because a page of builds holds their jobs, and are read
//! incrementally, and so are the lists below builds. The others are plain lists, read in full.
//!
//! This crate turns the client's types into the contract's and back. Pacing and retries are the
//! client's, where state is kept is the host's.

mod artifacts;
mod config;
mod connector;
mod destination;
mod error;
mod forecast;
mod inquiry;
mod inspection;
mod ledger;
mod listener;
mod lists;
mod mask;
#[cfg(test)]
mod model;
mod pace;
mod pass;
mod pipelines;
mod rules;
mod scope;
mod source;
mod state;
pub mod streams;
mod verify;

pub use artifacts::{ArtifactFile, ArtifactQuery, Artifacts, Fetched};
pub use config::Config;
pub use connector::Buildkite;
pub use destination::{
    DestinationConfig, Difference, Mapping, Permission, PlannedRequest, ResultRow, Wait,
    destination_streams, records,
};
pub use lists::CustomStream;
pub use mask::Sensitive;
