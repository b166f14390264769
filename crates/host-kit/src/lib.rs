//! What the hosts that speak a protocol have in common.
//!
//! It decides how files that a host names are read ([`input`]), how a read is followed without
//! holding anything back ([`Steps`]), what becomes of records that a source no longer has
//! ([`GoneAsRecords`]), and when records that came over a wire are durable ([`Intake`]). What the
//! messages look like is left to each protocol; no vendor and no runtime is known here.

mod events;
mod gone;
mod halt;
pub mod input;
mod intake;
mod steps;

pub use events::{Events, Level, Notice};
pub use gone::{GONE_RECORDS, GoneAsRecords};
pub use halt::Halt;
pub use intake::{Intake, Refusal};
pub use steps::{Step, Steps};
