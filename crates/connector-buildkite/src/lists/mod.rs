//! Streams that are plain lists of the API: declared as data, read by one mechanism.
//!
//! A [`ListStream`] says where its records lie, whose they are and what reading takes; adding one
//! is one file below `streams`. Lists of the token, of organizations and pipelines, and of records
//! of another declared stream are read in full, see [`tree`]. Those of builds and jobs are read
//! by the pass over the builds, for the builds that it finds new or changed, see [`children`].

pub(crate) mod children;
mod custom;
mod declaration;
mod keys;
mod read;
mod refused;
pub(crate) mod tree;

pub use custom::CustomStream;
pub(crate) use declaration::{ListStream, Parent, Shape};
pub(crate) use keys::Keys;
pub(crate) use refused::Refusals;
