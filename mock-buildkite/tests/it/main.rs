//! The fake, asked over HTTP as a client would ask it.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod access;
mod build_filters;
mod caller;
mod changes;
mod collections;
mod consistency;
mod control;
mod downloads;
mod endpoints;
mod faults;
mod features;
mod http;
mod joblogs;
mod jobs;
mod limits;
mod lists;
mod lives;
mod missing;
#[cfg(feature = "wiremock")]
mod mounted;
mod pipelines_in_yaml;
mod places;
mod program;
mod random_calls;
mod recorded;
mod routes;
mod seed;
mod serving;
mod settings;
mod stored;
#[cfg(feature = "wiremock")]
mod webhooks;
mod writes;
