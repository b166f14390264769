//! How each check is made; what it claims stands in the list, see [`crate::checks()`].

pub(crate) mod cancelling;
pub(crate) mod catalog;
pub(crate) mod configuration;
pub(crate) mod failing;
pub(crate) mod proving;
pub(crate) mod records;
pub(crate) mod resuming;
pub(crate) mod secrecy;
pub(crate) mod states;
pub(crate) mod writing;
