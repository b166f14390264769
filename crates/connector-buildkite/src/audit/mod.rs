//! What can be said about a read beforehand, and about a copy afterwards.

mod forecast;
mod masked;
mod probe;
mod verify;

pub(crate) use forecast::forecast;
pub(crate) use verify::verify;
