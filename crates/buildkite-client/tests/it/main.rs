//! The client against the fake: complete lists, faults, limits, page sizes, and where the token goes.

mod bench;
mod changes;
mod expected;
mod faults;
mod limits;
mod listing;
mod lists;
mod refusals;
mod secrets;
mod signing;
mod sizes;
mod streaming;
mod writes;
