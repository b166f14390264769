//! Streams that are plain lists of the API: declared as data, read by one mechanism.
//!
//! A [`ListStream`](crate::streams::ListStream) says where its records are, whose they are and
//! which scopes reading takes. Lists of the token, of organizations and pipelines, and of records
//! of another declared stream are read in full, see [`tree`]. Those of builds and jobs are read
//! by the sweep over the builds, for the builds that it finds new or changed, see [`children`].

pub(crate) mod children;
mod keys;
mod read;
mod refusals;
pub(crate) mod tree;

pub(crate) use refusals::Refusals;
