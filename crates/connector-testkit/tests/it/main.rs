//! The suite itself: it passes what is right, and each check fails what is wrong in just its way.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod mutants;
mod readme;
mod suite;
