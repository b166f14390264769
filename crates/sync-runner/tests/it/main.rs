//! The runner between a tiny source and a tiny destination, both in memory.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod crashes;
mod fake;
mod faults;
mod flow;
mod tombstones;
