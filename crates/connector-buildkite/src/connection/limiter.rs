//! One rate limiter for everything that a process reads and writes with one token: a source and a
//! destination that are opened apart count each other's requests.

use std::sync::{Mutex, PoisonError};

use buildkite_client::{Client, Options, WeakRateLimiter};
use connector_core::{Credential, Result};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::error::explain;

/// By the digest of host and token: no token is kept here.
static LIMITERS: Mutex<Vec<([u8; 32], WeakRateLimiter)>> = Mutex::new(Vec::new());

/// A client that shares its rate limiter with all living clients of the same token and host.
///
/// # Errors
/// Those of [`Client::new`].
pub(crate) fn connect(mut options: Options) -> Result<Client> {
    let Some(digest) = digest(&options) else {
        return Client::new(options).map_err(explain);
    };
    let mut limiters = LIMITERS.lock().unwrap_or_else(PoisonError::into_inner);
    limiters.retain(|(_, limiter)| limiter.upgrade().is_some());
    let known = limiters.iter().find(|(known, _)| *known == digest);
    options.rate_limiter = known.and_then(|(_, limiter)| limiter.upgrade());
    let is_known = options.rate_limiter.is_some();
    let client = Client::new(options).map_err(explain)?;
    if !is_known {
        limiters.push((digest, client.rate_limiter().downgrade()));
    }
    Ok(client)
}

fn digest(options: &Options) -> Option<[u8; 32]> {
    let (who, secret) = match &options.credential {
        Credential::ApiKey(token) => ("", token),
        Credential::PrivateKey { issuer, pem } => (issuer.as_str(), pem),
        _ => return None,
    };
    let mut digest = Sha256::new();
    for part in [&options.base_url, who, secret.expose_secret()] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    Some(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn client_of(token: &str) -> Client {
        connect(Options::new(Credential::ApiKey(SecretString::from(token)))).unwrap()
    }

    #[test]
    fn clients_of_one_token_share_their_limiter_and_others_do_not() {
        let one = client_of("one-token-of-this-test");
        let same = client_of("one-token-of-this-test");
        let other = client_of("other-token-of-this-test");
        assert!(one.rate_limiter().is(&same.rate_limiter()));
        assert!(!one.rate_limiter().is(&other.rate_limiter()));
    }
}
