//! A webhook to verify.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A genuine webhook, and how to sign others.
pub struct Webhooks {
    pub(crate) body: Vec<u8>,
    pub(crate) event: String,
    pub(crate) sign: Sign,
    pub(crate) oldest: Option<Duration>,
    pub(crate) is_body_signed: bool,
}

/// Makes the headers of a webhook from a secret, the time of sending and a body.
type Sign = Box<dyn Fn(&str, SystemTime, &[u8]) -> Vec<(String, String)> + Send + Sync>;

impl Webhooks {
    /// A `body` with the event type `event`. `sign` makes the headers that the remote sends, names in
    /// lower case, from a secret, the time of sending and a body. The suite chooses the secrets.
    pub fn new(
        event: impl Into<String>,
        body: impl Into<Vec<u8>>,
        sign: impl Fn(&str, SystemTime, &[u8]) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        Self {
            body: body.into(),
            event: event.into(),
            sign: Box::new(sign),
            oldest: Some(Duration::from_secs(3600)),
            is_body_signed: true,
        }
    }

    /// The age at which the verifier must refuse a webhook; one hour unless set.
    #[must_use]
    pub fn with_age(mut self, oldest: Duration) -> Self {
        self.oldest = Some(oldest);
        self
    }

    /// The remote sends the secret itself and signs neither body nor time.
    #[must_use]
    pub fn with_plain_secret(mut self) -> Self {
        self.oldest = None;
        self.is_body_signed = false;
        self
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}
