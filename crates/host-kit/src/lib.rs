//! What hosts have in common: the runner, and those that speak a protocol.
//!
//! - [`BatchWriter`] moves records into a destination: it owns rejected records
//!   ([`DeadLetters`]), results ([`ResultSink`]) and the order in which things become durable.
//! - [`WireWriter`] does the same for records that another program sends, and decides which of its
//!   states may be passed on.
//! - [`HostSettings`] are the settings of a destination that hosts handle themselves.
//! - [`ReadDriver`] follows a read without delaying anything, and [`MessageWriter`] writes its
//!   messages.
//! - [`TombstonesAsRecords`] is for hosts that know only rows.
//! - [`input`] reads the files and lines that a host receives.
//! - [`program`] runs a host: a runtime and signals.
//!
//! No vendor is known here, and only [`program`] depends on a runtime.

mod context;
mod events;
mod holder;
mod host_error;
pub mod input;
mod message_writer;
mod private_file;
pub mod program;
mod read_driver;
mod saved_state;
mod selection;
mod settings;
mod tombstones;
mod wire_writer;
mod writing;

pub use context::HostContext;
pub use events::{Events, Level, Notice, Report, about, sentence};
pub use holder::this_process;
pub use host_error::{HostError, STOPPED, output_failure, unless_stopped};
pub use message_writer::{MessageWriter, RecordForm};
pub use private_file::PrivateFile;
pub use read_driver::{ReadDriver, Step};
pub use saved_state::{foreign_state, is_unset};
pub use selection::selection;
pub use settings::{DestinationSettings, HostSettings, ResultLocation};
pub use tombstones::{REMOVED_RECORDS, TombstonesAsRecords};
pub use wire_writer::{WireOutput, WireWriter};
pub use writing::{
    BatchWriter, DeadLetters, RecordOutcome, Rejection, ResultSink, unsaved_error, waiting_records,
};
