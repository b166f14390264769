//! Where the token comes from: the environment, or a hidden prompt. Never an argument, which
//! other users of the machine can see, and which shells remember.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};

use connector_core::{Credential, Error, ErrorKind, Result};
use secrecy::{ExposeSecret, SecretString};

/// No key is longer; what is piped by mistake may be.
const MAX_SECRET: u64 = 64 * 1024;
const VARIABLE: &str = "BUILDKITE_API_TOKEN";
/// Buildkite's API tokens begin with it (Buildkite docs, Managing API access tokens).
const PREFIX: &str = "bkua_";

pub(crate) const IN_ARGUMENTS: &str = "an argument holds an API token. Others can see it in the \
    list of processes and in the history of the shell: revoke it, make a new one, and give it as \
    BUILDKITE_API_TOKEN or at the prompt";

pub(crate) const HOW_TO_MAKE_ONE: &str = "\
Make a token in Buildkite under Personal Settings > API Access Tokens, with access to your
organization and the scopes read_organizations, read_pipelines and read_builds. Then:
    export BUILDKITE_API_TOKEN=...
or run this on a terminal without it and paste the token at the prompt.";

/// Whether somebody typed a token where it does not belong.
pub(crate) fn is_in(arguments: &[OsString]) -> bool {
    let holds_token = |argument: &OsString| argument.to_string_lossy().contains(PREFIX);
    arguments.iter().any(holds_token)
}

/// The token of the environment; else, unless the configuration file has one, of the prompt.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none, or it is empty.
pub(crate) fn resolve(file_has_one: bool) -> Result<Option<Credential>> {
    if let Some(token) = from_environment()? {
        return accept(token, VARIABLE).map(Some);
    }
    if file_has_one {
        return Ok(None);
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        let message = format!("there is no API token: {VARIABLE} is not set");
        return Err(Error::new(ErrorKind::Auth, message));
    }
    let typed = ask("Buildkite API token (not shown): ")?;
    accept(typed, "what was typed").map(Some)
}

fn from_environment() -> Result<Option<SecretString>> {
    variable(VARIABLE)
}

/// A variable of the environment, as a secret.
///
/// # Errors
/// [`ErrorKind::Auth`] if it is not text.
pub(crate) fn variable(name: &str) -> Result<Option<SecretString>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let value = std::env::var(name);
    match value {
        Ok(value) => Ok(Some(value.into())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::new(ErrorKind::Auth, format!("{name} is not text")))
        }
    }
}

/// What is asked for: at a hidden prompt if a person sits there, else from standard input.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read.
pub(crate) fn ask(prompt: &str) -> Result<SecretString> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the secret could not be read").with_source(error)
    };
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_SECRET)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text.into())
}

/// The same, but never from standard input, which may hold another secret.
///
/// # Errors
/// [`ErrorKind::Auth`] if nobody sits there, naming the variable that is taken instead.
pub(crate) fn ask_at_terminal(prompt: &str, variable: &str) -> Result<SecretString> {
    match std::io::stderr().is_terminal() {
        true => rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the secret could not be read").with_source(error)
            }),
        false => {
            let message = format!("the credential store needs its passphrase: set {variable}");
            Err(Error::new(ErrorKind::Auth, message))
        }
    }
}

/// Tokens are pasted and read from files: blanks and a line break around them are no part of it.
fn accept(token: SecretString, origin: &str) -> Result<Credential> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        let message = format!("the API token is empty: {origin} holds nothing");
        return Err(Error::new(ErrorKind::Auth, message));
    }
    Ok(Credential::ApiKey(token.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_line_breaks_are_no_part_of_a_token() {
        let Credential::ApiKey(token) = accept(" bkua_1\r\n".into(), "x").unwrap() else {
            panic!("not an API key");
        };
        assert_eq!(token.expose_secret(), "bkua_1");
    }

    #[test]
    fn an_empty_token_is_an_error() {
        let error = accept(" \n".into(), "what was typed").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
    }

    #[test]
    fn a_token_among_the_arguments_is_found() {
        let arguments = ["sync", "--token=bkua_0123"].map(OsString::from);
        assert!(is_in(&arguments));
        assert!(!is_in(&arguments[..1]));
    }
}
