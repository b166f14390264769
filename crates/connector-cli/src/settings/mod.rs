//! Puts the settings of a command together: flags, the environment, a configuration file.
//!
//! A flag precedes a variable, which precedes the file. The variable of the setting `path` of a
//! program whose variables begin with `EXAMPLE` is `EXAMPLE_PATH`. It is for the source, or for
//! the destination if the source has no such setting; `EXAMPLE_DESTINATION_PATH` is for the
//! destination. Which setting a location or a flag sets is what a connector declares.

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
