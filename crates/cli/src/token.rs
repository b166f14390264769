//! Where the token comes from: the environment, or a hidden prompt. Never an argument, which
//! other users of the machine can see, and which shells remember.

use std::ffi::OsString;
use std::io::IsTerminal;

use connector_core::{Credential, Error, ErrorKind, Result};
use credential_store::CredentialSource;

use crate::store;

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

/// The token from the environment; otherwise, unless the configuration file has one, from the
/// prompt.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none, or it is empty.
pub(crate) fn resolve(connector: &str, file_has_one: bool) -> Result<Option<Credential>> {
    let mut sources = vec![CredentialSource::Variable(VARIABLE.to_owned())];
    if !file_has_one && std::io::stdin().is_terminal() {
        let prompt = "Buildkite API token (not shown): ".to_owned();
        sources.push(CredentialSource::Prompt(prompt));
    }
    let found = store::resolve(&sources, connector)?;
    if found.is_none() && !file_has_one {
        let message = format!("there is no API token: {VARIABLE} is not set");
        return Err(Error::new(ErrorKind::Auth, message));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_among_the_arguments_is_found() {
        let arguments = ["sync", "--token=bkua_0123"].map(OsString::from);
        assert!(is_in(&arguments));
        assert!(!is_in(&arguments[..1]));
    }
}
