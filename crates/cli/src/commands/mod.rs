//! One file per command.

pub(crate) mod artifacts;
pub(crate) mod check;
pub(crate) mod credential;
pub(crate) mod discover;
pub(crate) mod plan;
mod request;
pub(crate) mod sample;
pub(crate) mod sync;
pub(crate) mod verify;
