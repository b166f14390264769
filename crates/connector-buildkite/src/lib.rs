//! Buildkite as a plugin.
//!
//! As a source it reads organizations, pipelines, builds and jobs, see [`Buildkite`]. Builds and
//! jobs come from one pass over the builds, because a page of builds holds their jobs, and are
//! read incrementally.
//!
//! This crate turns the client's types into the contract's and back. Pacing and retries are the
//! client's, where state is kept is the host's.

mod config;
mod connector;
mod error;
mod forecast;
mod inquiry;
mod ledger;
mod listener;
#[cfg(test)]
mod model;
mod pass;
mod pipelines;
mod rules;
mod scope;
mod source;
mod state;
pub mod streams;
mod verify;

pub use config::Config;
pub use connector::Buildkite;
