//! The token, its user, and the endpoints that need no token.

use serde_json::json;

use super::params::Params;
use super::{Call, Outcome, Reply};

/// `GET /`
pub(super) fn root(call: &Call<'_>) -> Reply {
    Reply::value(&json!({"message": "🛠", "timestamp": call.world.now().timestamp()}))
}

/// `GET /v2/meta`
pub(super) fn meta() -> Reply {
    Reply::value(&json!({"webhook_ips": ["192.0.2.0/24", "198.51.100.0/24"]}))
}

/// `GET /v2/access-token`
pub(super) fn access_token(call: &mut Call<'_>, _: &Params<'_>) -> Outcome {
    let token = call.signed_in()?;
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    Ok(Reply::value(&json!({
        "uuid": token.uuid(),
        "scopes": token.scopes,
        "description": token.description,
        "created_at": "2026-01-05 09:30:00 UTC",
        "expires_at": token.expires_at.map(time),
        "user": {"email": token.user.email, "name": token.user.name},
    })))
}

/// `DELETE /v2/access-token`
pub(super) fn revoke(call: &mut Call<'_>, _: &Params<'_>) -> Outcome {
    if let Some(token) = call.token.take() {
        call.world.revoke(&token);
    }
    Ok(Reply::no_content())
}

/// `GET /v2/user`
pub(super) fn user(call: &mut Call<'_>, _: &Params<'_>) -> Outcome {
    Ok(Reply::value(&call.user()?.object()))
}

/// `GET /.well-known/api-catalog` (RFC 9727)
pub(super) fn catalog(call: &Call<'_>) -> Reply {
    let base = call.base;
    let catalog = json!({"linkset": [{
        "anchor": format!("{base}/v2/analytics"),
        "service-desc": [{"href": format!("{base}/v2/analytics/openapi.yaml"), "type": "application/openapi+yaml"}],
        "service-doc": [{"href": "https://buildkite.com/docs/apis/rest-api", "type": "text/html"}],
    }]});
    Reply {
        mime: Some("application/linkset+json"),
        ..Reply::value(&catalog)
    }
}

/// `GET /v2/analytics/openapi.yaml`: the paths that the fake serves, without their schemas.
pub(super) fn openapi() -> Reply {
    Reply {
        mime: Some("application/yaml"),
        ..Reply::ok(OPENAPI.as_bytes().to_vec())
    }
}

const OPENAPI: &str = "openapi: 3.1.0\ninfo:\n  title: Buildkite Test Engine\n  version: v2\npaths:\n  \
    /v2/analytics/organizations/{organization}/suites:\n    get:\n      responses:\n        \"200\":\n          \
    description: Suites\n";
