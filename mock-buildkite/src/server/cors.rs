//! Requests from pages of other origins.

use super::answer::Answer;
use super::request::Request;

/// Headers that a page of another origin may read.
pub(super) const EXPOSED: &str = "Link, RateLimit-Remaining, RateLimit-Limit, RateLimit-Reset, \
                       RateLimit-User-Remaining, RateLimit-User-Limit, RateLimit-User-Reset, \
                       X-OAuth-Scopes";

/// The answer to the question whether a page of another origin may send a request.
pub(super) fn preflight(request: &Request) -> Answer {
    let mut answer = Answer::new(200);
    answer.header("Access-Control-Allow-Origin", "*");
    answer.header(
        "Access-Control-Allow-Methods",
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    );
    let asked = request.header("access-control-request-headers");
    let asked = if asked.is_empty() {
        "Authorization, Content-Type"
    } else {
        asked
    };
    answer.header("Access-Control-Allow-Headers", asked);
    answer.header("Access-Control-Expose-Headers", EXPOSED);
    answer.header("Access-Control-Max-Age", "7200");
    answer
}
