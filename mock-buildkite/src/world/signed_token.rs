//! Tokens that are signed anew for every request.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// A signed token must be presented within 10 s of its creation and lives at most 5 minutes.
const SIGNED_WITHIN_SECS: i64 = 10;
const SIGNED_FOR_SECS: i64 = 300;

/// What a signed token claims.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    exp: i64,
}

/// Whether a token was signed just now with the private key of this public key.
pub(super) fn is_signed(presented: &str, uuid: &str, key: &str, now: DateTime<Utc>) -> bool {
    let Ok(key) = DecodingKey::from_rsa_pem(key.as_bytes()) else {
        return false;
    };
    let mut validation = Validation::new(Algorithm::RS256);
    // Times are those of this world.
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let Ok(signed) = jsonwebtoken::decode::<Claims>(presented, &key, &validation) else {
        return false;
    };
    let Claims { iss, iat, exp } = signed.claims;
    let now = now.timestamp();
    iss == uuid
        && (now - iat).abs() <= SIGNED_WITHIN_SECS
        && exp > now
        && exp - iat <= SIGNED_FOR_SECS
}
