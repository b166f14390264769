//! Settings, checked once and purely.

use connector_core::{Credential, Error, ErrorKind, Result, Setup};
use secrecy::SecretString;
use serde::Deserialize;

/// The settings of the source.
pub(super) struct ReadSettings {
    pub(super) token: SecretString,
    pub(super) page_size: usize,
}

/// The settings of a destination, and of what reads it back.
pub(super) struct CopySettings {
    pub(super) token: SecretString,
    pub(super) copy: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadKeys {
    token: Option<SecretString>,
    page_size: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyKeys {
    token: Option<SecretString>,
    copy: Option<String>,
}

impl ReadSettings {
    pub(super) fn parse(setup: &Setup) -> Result<Self> {
        let keys: ReadKeys = setup.configuration.clone().parse()?;
        let page_size = keys.page_size.unwrap_or(2);
        if !(1..=100).contains(&page_size) {
            let error = Error::new(ErrorKind::Config, "expected a whole number from 1 to 100");
            return Err(error.with_context("key", "page_size"));
        }
        let token = token(setup, keys.token)?;
        Ok(Self { token, page_size })
    }
}

impl CopySettings {
    pub(super) fn parse(setup: &Setup) -> Result<Self> {
        let keys: CopyKeys = setup.configuration.clone().parse()?;
        Ok(Self {
            token: token(setup, keys.token)?,
            copy: keys.copy.unwrap_or_default(),
        })
    }
}

/// The credential takes precedence over the setting.
fn token(setup: &Setup, setting: Option<SecretString>) -> Result<SecretString> {
    let credential = match &setup.credential {
        Some(Credential::ApiKey(key)) => Some(key.clone()),
        _ => None,
    };
    credential.or(setting).ok_or_else(|| {
        let message = "a credential is needed: choose one, or set `token`";
        Error::new(ErrorKind::Auth, message).with_context("key", "token")
    })
}
