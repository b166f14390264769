//! Why a request has no answer, and whether another attempt may get one.

use std::error::Error as StdError;
use std::io;

use rustls::AlertDescription;
use rustls::CertificateError;
use url::Url;

use crate::error::{Error, Fault};

const CHECK_BASE_URL: &str = "check the scheme, host and port of `base_url`";
const CHECK_PROXY: &str = "check HTTPS_PROXY, or list the host of `base_url` in NO_PROXY";
const ADD_AUTHORITY: &str = "add its CA certificate to the system's store, or name a file with it \
                             in SSL_CERT_FILE";
const CHECK_CLOCK: &str = "check the clock of this machine, or renew the server's certificate";
/// What to do when nobody listens.
pub(crate) const CHECK_SERVER: &str = "check `base_url`, and that the server is running";

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

/// Why a request for `path` has no answer, without its URL.
pub(super) fn of_request(path: &str, error: &reqwest::Error) -> Failure {
    let reason = explain(error);
    if let Some(remedy) = remedy(error) {
        let path = path.to_owned();
        return Failure::Final(Error::Unreachable {
            path,
            reason,
            remedy,
        });
    }
    Failure::Fault(if error.is_connect() {
        Fault::Unreachable(reason)
    } else if error.is_timeout() {
        Fault::Timeout
    } else {
        Fault::Connection(reason)
    })
}

/// Why a body broke off.
pub(super) fn of_body(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::Timeout
    } else {
        Fault::Broken(explain(error))
    }
}

/// All causes, from the outermost to the innermost. The error itself is left out, because it
/// repeats the URL.
pub(super) fn explain(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        // The HTTP library's envelope, and envelopes that repeat what they hold, say nothing.
        if !text.starts_with("client error (") && texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() {
        return "the request cannot be sent".to_owned();
    }
    texts.join(": ")
}

/// What somebody has to change before another attempt can succeed. `None` if it may succeed by
/// itself.
fn remedy(error: &reqwest::Error) -> Option<&'static str> {
    if error.is_builder() {
        return Some(CHECK_BASE_URL);
    }
    causes(error).find_map(|cause| {
        if let Some(tls) = cause.downcast_ref() {
            of_tls(tls)
        } else if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            http.is_parse().then_some(CHECK_BASE_URL)
        } else {
            of_proxy(&cause.to_string())
        }
    })
}

fn of_tls(error: &rustls::Error) -> Option<&'static str> {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Some(CHECK_CLOCK),
        Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Some(CHECK_BASE_URL),
        Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented => Some(ADD_AUTHORITY),
        Tls::AlertReceived(AlertDescription::InternalError | AlertDescription::UserCanceled) => {
            None
        }
        Tls::AlertReceived(_)
        | Tls::InvalidMessage(_)
        | Tls::PeerIncompatible(_)
        | Tls::UnsupportedNameType => Some(CHECK_BASE_URL),
        _ => None,
    }
}

/// The library does not export the type of this error.
fn of_proxy(text: &str) -> Option<&'static str> {
    let refusals = [
        "tunnel error: proxy authorization required",
        "tunnel error: unsuccessful",
        "tunnel error: proxy response headers too long",
    ];
    refusals.contains(&text).then_some(CHECK_PROXY)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| cause_of(*cause))
}

/// The source of an I/O error skips the error that it holds.
fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}
