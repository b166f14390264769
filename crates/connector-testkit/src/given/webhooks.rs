//! A webhook to verify.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A genuine webhook, and how to make others.
pub struct Webhooks {
    pub(crate) body: Vec<u8>,
    pub(crate) event: String,
    pub(crate) sign: Sign,
    pub(crate) oldest: Option<Duration>,
    pub(crate) is_body_signed: bool,
}

/// Makes the headers of a webhook: for a secret, the time it is sent, and its body.
type Sign = Box<dyn Fn(&str, SystemTime, &[u8]) -> Vec<(String, String)> + Send + Sync>;

impl Webhooks {
    /// A `body` of the kind `event`. `sign` makes the headers, names in lower case, that the
    /// remote sends with a body, for a secret and the time of sending. The suite chooses secrets.
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

    /// The age at which a webhook is refused for sure; an hour unless set.
    #[must_use]
    pub fn with_age(mut self, oldest: Duration) -> Self {
        self.oldest = Some(oldest);
        self
    }

    /// The remote sends its secret as it is and signs neither body nor time.
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
