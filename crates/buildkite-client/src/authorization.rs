//! How requests say who they are from: with a token, or with a key that signs one for each.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::error::{Error, Result};

/// How long a signed token is good for. Buildkite takes 5 minutes at most (API facts 2.1).
const SIGNED_FOR_SECS: i64 = 60;
/// Buildkite takes a token that was signed within 10 s of its own time. A clock that is off by
/// more than this is told apart from a wrong key.
const CLOCK_IS_OFF_SECS: i64 = 5;

/// What a client proves itself with. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Authentication {
    /// An API access token, sent as it is.
    Token(SecretString),
    /// An RSA key (2048 to 4096 bits, PEM), whose public half is registered at Buildkite: each
    /// request gets a token of its own, signed RS256 (API facts 2.1; in preview there).
    PrivateKey {
        /// UUID of the access token that the key is registered for.
        issuer: String,
        /// The key.
        pem: SecretString,
    },
}

/// Makes the header.
pub(crate) enum Authorization {
    Token(SecretString, HeaderValue),
    Signer(Signer),
}

pub(crate) struct Signer {
    issuer: String,
    key: EncodingKey,
    /// How far Buildkite's clock is ahead of this machine's, in seconds.
    ahead_secs: AtomicI64,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
}

impl Authorization {
    pub(crate) fn new(authentication: Authentication) -> Result<Self> {
        match authentication {
            Authentication::Token(token) => {
                if token.expose_secret().is_empty() {
                    return Err(Error::Token("is empty"));
                }
                let header = bearer(token.expose_secret())
                    .ok_or(Error::Token("holds characters that no token has"))?;
                Ok(Self::Token(token, header))
            }
            Authentication::PrivateKey { issuer, pem } => {
                // Its errors may quote what they choke on.
                let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes())
                    .map_err(|_| Error::PrivateKey("is not an RSA key in PEM"))?;
                let signer = Signer {
                    issuer,
                    key,
                    ahead_secs: AtomicI64::new(0),
                };
                signer.sign()?;
                Ok(Self::Signer(signer))
            }
        }
    }

    /// The value of the header, for one request.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        match self {
            Self::Token(_, header) => Ok(header.clone()),
            Self::Signer(signer) => signer.sign(),
        }
    }

    /// A text of the remote's without the token.
    pub(crate) fn redact(&self, text: &str) -> String {
        match self {
            Self::Token(token, _) => text.replace(token.expose_secret(), "[REDACTED]"),
            // A signed token is good for a minute; it has two dots and no blank.
            Self::Signer(_) => {
                let words = text.split(' ');
                let is_signed = |word: &str| word.len() > 100 && word.matches('.').count() >= 2;
                let words = words.map(|word| if is_signed(word) { "[REDACTED]" } else { word });
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Takes over the server's time. True if a request that was refused may have been refused
    /// for the clock of this machine, and is worth another try.
    pub(crate) fn learn(&self, server: Option<DateTime<Utc>>) -> bool {
        let (Self::Signer(signer), Some(server)) = (self, server) else {
            return false;
        };
        let ahead = server.timestamp() - local_secs();
        let before = signer.ahead_secs.swap(ahead, Ordering::Relaxed);
        (ahead - before).abs() > CLOCK_IS_OFF_SECS
    }
}

impl Signer {
    fn sign(&self) -> Result<HeaderValue> {
        let iat = local_secs() + self.ahead_secs.load(Ordering::Relaxed);
        let claims = Claims {
            iss: &self.issuer,
            iat,
            exp: iat + SIGNED_FOR_SECS,
        };
        let signed = encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|_| Error::PrivateKey("cannot sign; it must be RSA of 2048 to 4096 bits"))?;
        bearer(&signed).ok_or(Error::PrivateKey("signs what no header can hold"))
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(..) => "Token",
            Self::Signer(_) => "Signer",
        })
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn local_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
