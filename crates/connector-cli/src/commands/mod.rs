//! One file per command.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod credential;
mod demo;
pub(crate) mod discover;
pub(crate) mod man;
pub(crate) mod plan;
mod readable;
mod rejections;
pub(crate) mod sample;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod verify;
