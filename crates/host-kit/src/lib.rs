//! What hosts have in common: the runner, and those that speak a protocol.
//!
//! - [`BatchWriter`] moves records into a destination: it owns rejected records
//!   ([`DeadLetters`]), results ([`ResultSink`]) and the order in which things become durable.
//! - [`HostSettings`] are the settings of a destination that hosts handle themselves.
//! - [`ReadDriver`] follows a read without holding anything back.
//! - [`TombstonesAsRecords`] is for hosts that know rows only.
//! - [`input`] reads the files and lines that a host is given.
//!
//! No vendor and no runtime is known here.

mod events;
mod holder;
mod host_error;
pub mod input;
mod private_file;
mod read_driver;
mod settings;
mod tombstones;
mod writing;

pub use events::{Events, Level, Notice, about, sentence};
pub use holder::this_process;
pub use host_error::HostError;
pub use private_file::PrivateFile;
pub use read_driver::{ReadDriver, Step};
pub use settings::{HostSettings, ResultLocation};
pub use tombstones::{REMOVED_RECORDS, TombstonesAsRecords};
pub use writing::{BatchWriter, DeadLetters, RecordOutcome, Rejection, ResultSink, unsaved_error};
