//! The program against the fake, as a user's shell and disk see it.
//!
//! Each test has a fake, a folder and a process of its own. What the fake holds is compared with
//! what the program wrote, by code that shares nothing with the program: see [`support`].

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod adapters;
mod artifacts;
mod complete;
mod crash;
mod destination;
mod docs;
mod faults;
mod first_release;
mod hosts;
mod incremental;
mod rate_limits;
mod recorded;
mod secrets;
mod support;
