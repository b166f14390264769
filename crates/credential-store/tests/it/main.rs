//! The store as its users see it: files on a disk, and other processes that use them too.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod access;
mod changes;
mod damage;
mod fixture;
#[cfg(all(target_os = "linux", feature = "keyring"))]
mod keyring;
mod keys;
#[cfg(not(feature = "keyring"))]
mod no_keyring;
mod old_stores;
#[cfg(unix)]
mod permissions;
mod processes;
mod refusals;
mod secrecy;
