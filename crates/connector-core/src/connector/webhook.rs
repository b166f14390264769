//! Webhooks: the remote says that something happened. A hint to sync soon, never data to trust.

use std::time::SystemTime;

use secrecy::SecretString;

use crate::{JsonObject, Result};

/// Verifies webhooks of the remote.
pub trait WebhookVerifier: Send + Sync {
    /// Checks that one of `secrets` signed the request, that it is recent at `now`, and reads
    /// what it is about. Two secrets are accepted while one replaces the other.
    ///
    /// The comparison takes the same time wherever the difference is.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if it is not genuine or too old;
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) if its body is not an event.
    fn verify(
        &self,
        request: &WebhookRequest<'_>,
        secrets: &[SecretString],
        now: SystemTime,
    ) -> Result<VerifiedWebhook>;
}

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct WebhookRequest<'a> {
    /// Names in lower case, with values. Values that are not text are omitted.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, byte for byte as it arrived.
    pub body: &'a [u8],
}

impl<'a> WebhookRequest<'a> {
    /// A request with these headers, names in lower case, and this body.
    pub fn new(headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Self {
        Self { headers, body }
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| *known == name).map(|(_, v)| *v)
    }
}

/// An event that the remote sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedWebhook {
    /// Its kind, in the remote's words: `build.finished`.
    pub event: String,
    /// The organization in which it happened, if the event names one.
    pub organization: Option<String>,
    /// The event itself.
    pub body: JsonObject,
}

impl VerifiedWebhook {
    /// An event of this kind.
    pub fn new(event: impl Into<String>, organization: Option<String>, body: JsonObject) -> Self {
        Self {
            event: event.into(),
            organization,
            body,
        }
    }
}
