//! The fake, asked over HTTP as a client would ask it.

mod access;
mod caller;
mod changes;
mod faults;
mod filters;
mod jobs;
mod limits;
mod lists;
mod lives;
mod places;
mod program;
mod recorded;
mod seed;
mod serving;
mod settings;
