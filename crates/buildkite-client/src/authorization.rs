//! The `Authorization` header: an API token, or a token signed for each request.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use credential::Credential;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::error::{Error, Result};

/// How long a signed token is valid. Buildkite accepts at most 5 minutes (API facts 2.1).
const SIGNED_FOR_SECS: i64 = 60;
/// Buildkite accepts a token that was signed within 10 s of its own time. A refusal with a larger
/// difference than this may be due to the clock and not to the key.
const CLOCK_IS_OFF_SECS: i64 = 5;

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
    /// # Errors
    /// [`Error::Token`] or [`Error::PrivateKey`].
    pub(crate) fn new(credential: Credential) -> Result<Self> {
        match credential {
            Credential::ApiKey(token) => Self::token(token),
            Credential::PrivateKey { issuer, pem } => Signer::new(issuer, &pem).map(Self::Signer),
            _ => Err(Error::Token("is of an unknown kind")),
        }
    }

    fn token(token: SecretString) -> Result<Self> {
        if token.expose_secret().is_empty() {
            return Err(Error::Token("is empty"));
        }
        let header = bearer(token.expose_secret()).ok_or(Error::Token(
            "has characters that cannot be sent in a header",
        ))?;
        Ok(Self::Token(token, header))
    }

    /// The value of the header, for one request.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        match self {
            Self::Token(_, header) => Ok(header.clone()),
            Self::Signer(signer) => signer.sign(),
        }
    }

    /// A text from the remote, without the token.
    pub(crate) fn redact(&self, text: &str) -> String {
        match self {
            Self::Token(token, _) => text.replace(token.expose_secret(), "[REDACTED]"),
            Self::Signer(_) => {
                let words = text.split(' ');
                let words = words.map(|word| if is_signed(word) { "[REDACTED]" } else { word });
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Adopts the server's time. Returns true if a refused request may have been refused because
    /// of this machine's clock and is worth another attempt.
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
    fn new(issuer: String, pem: &SecretString) -> Result<Self> {
        // The library's errors may quote the key.
        let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes())
            .map_err(|_| Error::PrivateKey("is not an RSA key in PEM"))?;
        let signer = Self {
            issuer,
            key,
            ahead_secs: AtomicI64::new(0),
        };
        signer.sign()?;
        Ok(signer)
    }

    fn sign(&self) -> Result<HeaderValue> {
        let iat = local_secs() + self.ahead_secs.load(Ordering::Relaxed);
        let claims = Claims {
            iss: &self.issuer,
            iat,
            exp: iat + SIGNED_FOR_SECS,
        };
        let signed = encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|_| Error::PrivateKey("cannot sign; it must be RSA of 2048 to 4096 bits"))?;
        bearer(&signed).ok_or(Error::PrivateKey("makes tokens that no header can carry"))
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

/// Whether a word looks like a signed token, which is long and has two dots.
fn is_signed(word: &str) -> bool {
    word.len() > 100 && word.matches('.').count() >= 2
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
