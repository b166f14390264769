//! The documentation says what the programs do: its tables are made from code, and its commands
//! exist.

mod commands;
#[path = "../../generated.rs"]
mod generated;
mod tables;
