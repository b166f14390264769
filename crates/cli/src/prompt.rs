//! Secrets that a person types, or a program pipes. They are never shown.

use std::io::{IsTerminal, Read};

use connector_core::{Error, ErrorKind, Result};
use secrecy::SecretString;

/// No key is longer; a file that is piped by mistake may be.
const MAX_SECRET: u64 = 64 * 1024;

/// A secret from a hidden prompt, or from standard input if nobody sits there.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read.
pub(crate) fn ask(prompt: &str) -> Result<SecretString> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the secret could not be read").with_source(error)
    };
    if std::io::stdin().is_terminal()
        && let Some(secret) = ask_at_terminal(prompt).map_err(failed)?
    {
        return Ok(secret);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_SECRET)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text.into())
}

/// A secret from a hidden prompt, never from standard input, which may hold another secret;
/// `None` if nobody sits there.
pub(crate) fn ask_at_terminal(prompt: &str) -> std::io::Result<Option<SecretString>> {
    if !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    rpassword::prompt_password(prompt).map(|secret| Some(secret.into()))
}
