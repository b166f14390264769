//! Why a request has no answer.

use url::Url;

use crate::error::{Error, Fault};

/// Why a request has no answer.
pub(crate) enum Failure {
    /// Another attempt may succeed.
    Fault(Fault),
    /// Another attempt fails, too.
    Final(Error),
    /// The answer is a redirect. Its target is a secret, since it may be signed.
    Redirect(Option<Url>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// How a request failed, without its URL.
pub(crate) fn fault(error: &reqwest::Error) -> Fault {
    let text = innermost(error);
    if error.is_timeout() {
        Fault::Timeout
    } else if error.is_connect() {
        Fault::Unreachable(text)
    } else if error.is_body() || error.is_decode() {
        Fault::Broken(text)
    } else {
        Fault::Connection(text)
    }
}

/// The innermost cause says what happened. The outermost repeats the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(
        || "the request could not be sent".to_owned(),
        ToString::to_string,
    )
}
