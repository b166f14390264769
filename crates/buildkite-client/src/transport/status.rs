//! What the status of an answer means.

use std::fmt;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::body::Body;
use super::budget::TimeBudget;
use super::failure::Failure;
use super::header;
use super::request::Request;
use crate::authorization::Authorization;
use crate::error::{Error, Fault};

/// Error bodies are read up to this many bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// The rest of an error body is not waited for any longer.
const ERROR_BODY_TIME: Duration = Duration::from_secs(10);
/// This many characters of a remote's message are repeated.
const MAX_MESSAGE: usize = 300;

/// Returns the answer if it is a success with the expected content.
pub(super) async fn judge(
    request: &Request,
    response: Response,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let path = request.url.path();
    let status = response.status();
    if status.is_success() {
        let checked = request.expects.check(response.headers());
        checked.map_err(|what| Error::protocol(path, what))?;
        Ok(response)
    } else if is_passing(status) {
        Err(Fault::Status(status.as_u16()).into())
    } else if status.is_redirection() {
        Err(Failure::Redirect(target(response).await))
    } else {
        Err(refusal(path, response, authorization).await.into())
    }
}

/// Whether the same request may succeed later.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

async fn refusal(path: &str, response: Response, authorization: &Authorization) -> Error {
    let status = response.status();
    let needed_scope = header::text(response.headers(), "x-accepted-oauth-scopes");
    let needed_scope = needed_scope.map(|scope| repeatable(&scope, authorization));
    let message = match serde_json::from_slice::<Refusal>(&error_body(response).await) {
        Ok(refusal) => repeatable(&refusal.to_string(), authorization),
        Err(_) => "(no message)".to_owned(),
    };
    let path = path.to_owned();
    match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized { path, message },
        StatusCode::FORBIDDEN => Error::Forbidden {
            path,
            message,
            needed_scope,
        },
        StatusCode::NOT_FOUND => Error::NotFound { path, message },
        status => Error::Refused {
            path,
            status: status.as_u16(),
            message,
        },
    }
}

/// A text from the remote, short, on one line, without the token.
fn repeatable(text: &str, authorization: &Authorization) -> String {
    // Control characters go first, because they could split the token in two.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = authorization.redact(&text);
    text.chars().take(MAX_MESSAGE).collect()
}

/// The body of an error: its `message`, and the fields that it says are wrong (API facts 3).
#[derive(Deserialize)]
struct Refusal {
    message: String,
    /// Objects, as documented. Anything else is left out.
    #[serde(default)]
    errors: Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let errors = self.errors.as_array().into_iter().flatten();
        for (position, error) in errors.enumerate() {
            let text = |key| error.get(key).and_then(Value::as_str);
            let Some(code) = text("code") else { continue };
            f.write_str(if position == 0 { ": " } else { ", " })?;
            match text("field") {
                Some(field) => write!(f, "{field}: {code}")?,
                None => f.write_str(code)?,
            }
        }
        Ok(())
    }
}

/// Where a redirect leads: its `Location`, else the `url` of its body (API facts 12).
async fn target(response: Response) -> Option<Url> {
    #[derive(Deserialize)]
    struct Body {
        url: Url,
    }
    let location = header::text(response.headers(), "location");
    let target = location.and_then(|location| response.url().join(&location).ok());
    if target.is_some() {
        return target;
    }
    let body: Body = serde_json::from_slice(&error_body(response).await).ok()?;
    Some(body.url)
}

/// As much of an error's body as arrives. It only explains the status.
pub(super) async fn error_body(response: Response) -> Vec<u8> {
    match Body::new(response, TimeBudget::new(ERROR_BODY_TIME)) {
        Ok(body) => body.beginning(MAX_ERROR_BODY).await,
        Err(_) => Vec::new(),
    }
}
