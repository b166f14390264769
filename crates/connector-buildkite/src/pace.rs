//! One pace for all that a process reads and writes with one token: a source and a destination
//! that were opened apart still count each other's requests.

use std::sync::{Mutex, PoisonError};

use buildkite_client::{Client, Credential, Options, WeakRateLimiter};
use connector_core::Result;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::error::explain;

/// By the digest of host and token: no token is kept here.
static PACES: Mutex<Vec<([u8; 32], WeakRateLimiter)>> = Mutex::new(Vec::new());

/// A client that shares its pace with those of the same token and host that live.
///
/// # Errors
/// Those of [`Client::new`].
pub(crate) fn client(mut options: Options) -> Result<Client> {
    let Some(digest) = digest(&options) else {
        return Client::new(options).map_err(explain);
    };
    let mut paces = PACES.lock().unwrap_or_else(PoisonError::into_inner);
    paces.retain(|(_, pace)| pace.upgrade().is_some());
    let known = paces.iter().find(|(known, _)| *known == digest);
    options.rate_limiter = known.and_then(|(_, pace)| pace.upgrade());
    let is_known = options.rate_limiter.is_some();
    let client = Client::new(options).map_err(explain)?;
    if !is_known {
        paces.push((digest, client.rate_limiter().downgrade()));
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

    fn of(token: &str) -> Client {
        client(Options::new(Credential::ApiKey(SecretString::from(token)))).unwrap()
    }

    #[test]
    fn clients_of_one_token_share_their_pace_and_others_do_not() {
        let one = of("one-token-of-this-test");
        let same = of("one-token-of-this-test");
        let other = of("other-token-of-this-test");
        assert!(one.rate_limiter().is(&same.rate_limiter()));
        assert!(!one.rate_limiter().is(&other.rate_limiter()));
    }
}
