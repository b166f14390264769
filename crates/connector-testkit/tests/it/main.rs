//! The suite itself: it passes what is correct, and each check fails what has just its flaw.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod flaw;
mod mutants;
mod pipe;
mod readme;
mod suite;
mod worlds;
