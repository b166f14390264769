//! A read that is divided into parts for several machines.
//!
//! 1. [`plan_end`](planning::plan_end) asks Buildkite where the copy will be after all parts: a state,
//!    known before anything is read.
//! 2. [`divide`](divide::divide) turns a request and such an end into [`Part`]s. It requests nothing,
//!    so the same end gives the same parts.
//! 3. [`PartReader`](read::PartReader) reads the builds of one part, on any machine, at any time after
//!    that.
//!
//! The end answers for every build as it was at one moment, the planning. It lists the builds that
//! were open then; the next read looks for those, and for all that finished since. A part that is
//! read later may meet a build that was finished at the planning and runs again. The end does not
//! list it, so no read would look for it if it were removed meanwhile. The part leaves it out; the
//! next read finds it.

mod cuts;
mod divide;
mod form;
mod gaps;
mod group;
mod planning;
mod read;

pub(crate) use divide::divide;
pub(crate) use form::{Part, SweepPiece, TreePiece};
pub(crate) use planning::plan_end;
pub(crate) use read::PartReader;
