//! Reads a secret to store, from a hidden prompt or from standard input.

use clap::{Arg, ArgMatches};
use connector_core::{Credential, Error, ErrorKind, Result};
use secrecy::SecretString;

use crate::arguments::{option, value};
use crate::terminal::Terminal;

const PRIVATE_KEY_OF: &str = "private-key-of";

/// The flag for a private key.
pub(super) fn argument() -> Arg {
    let help = "Read a private key in PEM instead of an API key; ISSUER is what the remote calls \
                its public half, such as the UUID of an access token";
    option(PRIVATE_KEY_OF, "ISSUER", help)
}

/// The secret: an API key, or a private key.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read; [`ErrorKind::Config`] for a private key at a prompt.
pub(super) fn read(terminal: &Terminal, name: &str, matches: &ArgMatches) -> Result<Credential> {
    let Some(issuer) = value::<String>(matches, PRIVATE_KEY_OF) else {
        let prompt = format!("API key of `{name}` (not shown): ");
        return Ok(Credential::ApiKey(ask(terminal, &prompt)?));
    };
    // A prompt takes one line, and a key has many.
    if terminal.has_user() {
        let message = "give the private key on standard input: `credential add … < key.pem`";
        return Err(Error::new(ErrorKind::Config, message));
    }
    let pem = terminal.read_input().map_err(failed)?;
    Ok(Credential::PrivateKey { issuer, pem })
}

fn ask(terminal: &Terminal, prompt: &str) -> Result<SecretString> {
    if terminal.has_user()
        && let Some(secret) = terminal.ask(prompt).map_err(failed)?
    {
        return Ok(secret);
    }
    terminal.read_input().map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "the secret could not be read").with_source(error)
}
