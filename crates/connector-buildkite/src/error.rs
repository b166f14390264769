//! Failures of the client and of settings, as errors of the contract.
//!
//! This is the one place where a client failure becomes a contract failure.

use std::fmt::Display;

use buildkite_client::Error as ClientError;
use connector_core::{Error, ErrorKind, Retry, StreamName};

/// Says what failed, where, and what to do about it.
pub(crate) fn explain(error: ClientError) -> Error {
    let path = error.path().map(str::to_owned);
    let message = error.to_string();
    let explained = match error {
        ClientError::BaseUrl(_) => {
            Error::new(ErrorKind::Config, message).with_context("key", "base_url")
        }
        ClientError::Token(_) | ClientError::PrivateKey(_) => {
            Error::new(ErrorKind::Config, message).with_context("key", "api_key")
        }
        ClientError::Unauthorized { .. } => Error::new(
            ErrorKind::Auth,
            format!("{message}; it may be mistyped, expired or revoked"),
        ),
        ClientError::Forbidden { needed_scope, .. } => {
            let advice = needed_scope.map_or_else(
                || "the token's scopes, the user's role or the plan may not allow it".to_owned(),
                |scope| format!("the token needs the scope {scope}"),
            );
            Error::new(ErrorKind::Permission, format!("{message}; {advice}"))
        }
        ClientError::NotFound { .. } => Error::new(ErrorKind::NotFound, message),
        ClientError::RateLimited { wait, .. } => {
            Error::new(ErrorKind::Unavailable, message).with_retry(Retry::After(wait))
        }
        ClientError::Proxy(_) => Error::new(ErrorKind::Config, message),
        ClientError::Unreachable { .. } => {
            Error::new(ErrorKind::Unavailable, message).with_retry(Retry::Never)
        }
        ClientError::Unavailable { .. } | ClientError::CutShort { .. } => {
            Error::new(ErrorKind::Unavailable, message)
        }
        ClientError::Refused { .. }
        | ClientError::Protocol { .. }
        | ClientError::TooLarge { .. }
        | ClientError::NoProgress { .. } => Error::new(ErrorKind::Protocol, message),
        _ => Error::new(ErrorKind::Internal, message),
    };
    match path {
        Some(path) => explained.with_context("path", path),
        None => explained,
    }
}

/// As [`explain`], for a stream.
pub(crate) fn in_stream(stream: &StreamName) -> impl Fn(ClientError) -> Error + use<> {
    let stream = stream.clone();
    move |error| explain(error).with_context("stream", &stream)
}

/// The error of a setting: `what` says what is expected, never the value.
pub(crate) fn invalid_setting(key: impl Display, what: &str) -> Error {
    Error::new(ErrorKind::Config, what).with_context("key", key)
}
