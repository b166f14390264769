//! The store as its users see it: files on a disk, and other processes that use them too.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod bench;
mod changes;
mod damage;
#[cfg(target_os = "linux")]
mod keyring;
mod keys;
#[cfg(unix)]
mod permissions;
mod processes;
mod refusals;
mod secrecy;
