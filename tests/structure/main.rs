//! The structure of the workspace, held against its own rules.
//!
//! - [`packages`]: who may depend on whom, and which library is used where.
//! - [`circles`]: no two sibling modules of a crate import each other, directly or by a detour.
//! - [`names`]: who may name Buildkite.
//! - [`sizes`]: how long functions and files are.
//! - [`docs`]: links, the length of the README, and code in the documentation.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod circles;
mod docs;
#[path = "../generated.rs"]
mod generated;
mod module_tree;
mod names;
mod packages;
mod sizes;
mod sources;
