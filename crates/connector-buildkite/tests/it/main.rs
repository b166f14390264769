//! The plugin over the fake: what it checks, what it reads, where it goes on, how it fails.

mod artifacts;
mod bench;
mod check;
mod conformance;
mod copy;
mod excused;
mod failures;
mod forecast;
mod incremental;
mod lists;
mod model;
mod odd;
mod parts;
mod reading;
mod removal;
mod resuming;
mod scope;
mod synced;
mod truth;
mod verify;
