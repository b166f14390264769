//! The contract between data connectors and the programs that host them.
//!
//! A plugin implements [`Connector`] and, as its roles say, [`Source`] or [`Destination`]. A host
//! finds it in a [`Registry`] and moves [`Message`]s. Neither needs to know the other:
//!
//! ```text
//! Source ──► Message (Record | Checkpoint | Status) ──► runner or host ──► Destination
//! ```
//!
//! This crate knows no vendor, no runtime, no protocol, no file and no clock.
//!
//! - A [`Record`] is one JSON object kept as the text in which it arrived, see [`JsonObject`].
//! - A [`State`] is what a source needs to resume. Only the source that made it reads it.
//! - An [`Error`] says what happened, where, and whether another try can help.
//! - An [`Observer`] receives events: requests, waits, estimates, notices.
//!
//! `Source` and `Destination` are small. Everything beyond reading and writing is an optional
//! capability: a method such as [`Source::partitioned`] returns it as an object, or `None`. A
//! wrapper that forgets a capability visibly has none.

mod catalog;
mod connector;
mod dead_letter;
mod destination;
mod error;
mod expectation;
mod object;
mod observer;
mod record;
mod source;
mod state;
mod stop;
mod suggestion;
mod text;

pub use catalog::{Catalog, OpenRows, Stream, StreamName, SyncMode};
pub use connector::{
    Configuration, Connector, CredentialInspector, CredentialReport, DestinationRole, FlagSetting,
    Identity, LocationKind, LocationSetting, MissingScopes, RecordLinks, Registry, ReplicaRole,
    SettingsSchema, Setup, SourceRole, VerifiedWebhook, WebhookRequest, WebhookVerifier,
};
pub use credential::Credential;
pub use dead_letter::DeadLetter;
pub use destination::{
    AcceptedStreams, ActingDestination, Capabilities, Claim, Comparison, CopyInventory,
    DeleteByKey, Destination, Holder, OpenRowReader, Outcome, Replica, RunEnding, RunHistory,
    RunRecord, StoredStream, StoredSync, StreamPlan, StreamRun, WriteMode, WritePlan,
};
pub use error::{Error, ErrorKind, Result, Retry};
pub use expectation::invalid_json;
pub use object::{JsonObject, ObjectWriter};
pub use observer::{Event, Ignore, Observer, WaitReason};
pub use record::{Record, Tombstone};
pub use source::{
    Finding, FindingKind, Forecast, ForecastingSource, Message, PartitionedSource, Partitions,
    PermissionAwareSource, ReadRequest, Selection, Source, Status, StreamForecast,
    VerifiableSource, Verification,
};
pub use state::State;
pub use stop::Stop;
pub use suggestion::did_you_mean;
pub use text::decode_text;
