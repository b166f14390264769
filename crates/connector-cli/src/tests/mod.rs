//! Whole command lines over two toy connectors, in this process: what is printed where, and the
//! exit codes.

mod commands;
mod help;
mod settings;
mod shell;
mod store;
mod syncs;
mod tickets;
