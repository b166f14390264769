//! What a program provides: its environment and its user.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io;

use secrecy::SecretString;

/// The program's environment and its user. A service has nobody to ask; a console in a browser
/// asks in a page.
///
/// This crate reads no environment variable and no terminal itself.
pub trait Host: Debug + Send + Sync {
    /// The value of an environment variable; `None` if it is not set.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// Asks the user for a secret without showing it; `None` if there is nobody to ask.
    ///
    /// # Errors
    /// If the user was asked and the answer could not be read.
    fn ask(&self, prompt: &str) -> io::Result<Option<SecretString>>;
}
