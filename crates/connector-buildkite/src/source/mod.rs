//! Reading Buildkite.
//!
//! A [`Plan`] says what a read consists of, the [`Reader`] turns it into messages. The rooms, each of
//! which uses only those before it:
//!
//! - [`scope`]: which organizations and pipelines;
//! - [`state`]: what the copy has, and how that is saved;
//! - [`lists`]: streams that are plain lists of the API;
//! - [`sweep`]: builds, jobs and the lists below them, incrementally;
//! - [`parts`]: a read that is divided for several machines.

mod check;
pub(crate) mod lists;
mod overlap;
mod partitions;
mod parts;
pub(crate) mod plain;
mod plan;
mod read_ledger;
mod reader;
pub(crate) mod scope;
pub(crate) mod state;
pub(crate) mod sweep;

pub(crate) use plan::Plan;
pub(crate) use reader::Reader;
