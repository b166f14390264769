//! One file per command.

pub(crate) mod check;
pub(crate) mod discover;
pub(crate) mod sync;
