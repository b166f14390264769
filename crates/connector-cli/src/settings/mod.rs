//! Combines the settings of a command from flags, the environment and a configuration file.
//!
//! A flag takes precedence over a variable, and a variable over the file. If the variables of a
//! program begin with `EXAMPLE`, then `EXAMPLE_PATH` sets `path`: of the source, or of the
//! destination if the source has no such setting. `EXAMPLE_DESTINATION_PATH` always sets it for the
//! destination. Connectors declare which setting a location or a flag sets.

mod assignment;
mod date;
mod environment;
mod explanation;
mod file;
mod flags;
mod home;
mod reference;
mod resolver;
mod sharing;
mod side;
mod value;

pub use assignment::{Assignment, InvalidAssignment};
pub use explanation::explain;
pub use file::{ConfigFile, SyncTable, Table};
pub use flags::GivenFlag;
pub use reference::{ConnectorRef, InvalidReference};
pub use resolver::{Given, SettingsResolver, Sides};
pub use side::{Origin, Role, Side, StoredCredential};

pub(crate) use flags::{DeclaredFlag, FlagUse, declared, of_remotes};
pub(crate) use home::expand_path;
