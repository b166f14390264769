//! Webhooks: signed with HMAC-SHA256 over the time and the body.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector_core::{
    Error, ErrorKind, JsonObject, Result, VerifiedWebhook, WebhookRequest, WebhookVerifier,
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::Memory;

/// The headers that hold the time, in seconds since 1970, and the signature, in base64.
const TIME: &str = "x-memory-time";
const SIGNATURE: &str = "x-memory-signature";
/// How far the clocks of both sides may differ, the way of the request included.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The headers of a webhook with this body that was sent at this time.
pub fn sign(secret: &str, sent_at: SystemTime, body: &[u8]) -> Vec<(String, String)> {
    use base64::Engine;
    let since = sent_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = since.as_secs().to_string();
    let signature = mac(secret, &time, body).finalize().into_bytes();
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    vec![(TIME.to_owned(), time), (SIGNATURE.to_owned(), signature)]
}

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mac = mac.expect("HMAC takes a key of any length");
    mac.chain_update(time).chain_update(".").chain_update(body)
}

#[derive(Deserialize)]
struct Body {
    event: String,
    organization: Option<String>,
}

impl WebhookVerifier for Memory {
    fn verify(
        &self,
        request: &WebhookRequest<'_>,
        secrets: &[SecretString],
        now: SystemTime,
    ) -> Result<VerifiedWebhook> {
        let refused = |why: &str| Error::new(ErrorKind::Auth, why.to_owned());
        let time = request.header(TIME).unwrap_or_default();
        let signature = decoded(request.header(SIGNATURE).unwrap_or_default());
        let is_genuine = |secret: &SecretString| {
            let secret = secret.expose_secret();
            // The comparison takes the same time wherever the difference is.
            let mac = mac(secret, time, request.body);
            !secret.is_empty() && mac.verify_slice(&signature).is_ok()
        };
        if !secrets.iter().any(is_genuine) {
            return Err(refused("no secret has signed the webhook"));
        }
        if !is_recent(time, now) {
            return Err(refused(
                "the webhook was not sent within the last 5 minutes",
            ));
        }
        event(request.body)
    }
}

/// The bytes of a signature; what is not base64 signs nothing.
fn decoded(signature: &str) -> Vec<u8> {
    use base64::Engine;
    let decoded = base64::engine::general_purpose::STANDARD.decode(signature);
    decoded.unwrap_or_default()
}

fn is_recent(time: &str, now: SystemTime) -> bool {
    let Ok(seconds) = time.parse() else {
        return false;
    };
    let Some(sent_at) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) else {
        return false;
    };
    let age = now.duration_since(sent_at);
    age.unwrap_or_else(|error| error.duration()) <= TOLERANCE
}

fn event(body: &[u8]) -> Result<VerifiedWebhook> {
    let refused = || Error::new(ErrorKind::Data, "the body of the webhook is not an event");
    let text = str::from_utf8(body).map_err(|_| refused())?;
    let body = JsonObject::parse(text).map_err(|_| refused())?;
    let Body {
        event,
        organization,
    } = body.read().map_err(|_| refused())?;
    Ok(VerifiedWebhook::new(event, organization, body))
}
