//! The contract between data connectors and the programs that host them.
//!
//! A plugin implements [`Connector`] and, as its roles say, [`Source`] or [`Destination`]; a host
//! finds it in a [`Registry`] and moves [`Message`]s. Neither needs to know the other:
//!
//! ```text
//! Source ──► Message (Record | Checkpoint | Status) ──► runner or host ──► Destination
//! ```
//!
//! This crate knows no vendor, no runtime, no protocol, no file and no clock.
//!
//! - A [`Record`] is one JSON object kept as the text it came in, see [`JsonObject`].
//! - A [`State`] is what a source needs to go on; only the source that made it reads it.
//! - An [`Error`] says what happened, where, and whether trying again can help.
//! - An [`Observer`] is told what happens meanwhile: requests, waits, estimates, notices.

mod catalog;
mod configuration;
mod connector;
mod destination;
mod error;
mod forecast;
mod object;
mod observer;
mod record;
mod registry;
mod replica;
mod source;
mod state;
mod verification;

pub use catalog::{Catalog, Stream, StreamName, SyncMode};
pub use configuration::Configuration;
pub use connector::{Connector, Identity, Roles, Setup};
pub use credential::Credential;
pub use destination::{Accepts, Destination, Outcome, WritePlan};
pub use error::{Error, ErrorKind, Result, Retry};
pub use forecast::{Forecast, StreamForecast};
pub use object::{JsonObject, ObjectWriter};
pub use observer::{Event, Ignore, Observer, Waiting};
pub use record::Record;
pub use registry::Registry;
pub use replica::{Comparison, Replica};
pub use source::{Message, ReadRequest, Selection, Source, Status};
pub use state::State;
pub use verification::{Finding, FindingKind, Verification};
