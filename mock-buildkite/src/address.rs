//! Addresses: where objects live, and how addresses inside builds and jobs change.

use std::borrow::Cow;

use memchr::memmem;

use crate::document::{BuildDocument, Document};
use crate::ids::graphql_id;

/// Where the real API is. Addresses inside a world begin with it; answers put the origin of the fake
/// in its place.
pub(crate) const API: &str = "https://api.buildkite.com";
/// The API address of organizations in the fields of objects.
pub(crate) const ORGANIZATIONS: &str = "https://api.buildkite.com/v2/organizations";
/// The address of Test Engine's organizations.
pub(crate) const ANALYTICS: &str = "https://api.buildkite.com/v2/analytics/organizations";
/// The address of the package registries' organizations.
pub(crate) const PACKAGES: &str = "https://api.buildkite.com/v2/packages/organizations";
/// The address of the pages that people see.
pub(crate) const WEB: &str = "https://buildkite.com";

/// The end of a key and the start of an address in compact JSON. A text that somebody wrote never
/// matches: its quotes are escaped.
const ADDRESS: &[u8] = b"url\":\"https://api.buildkite.com/";

/// Compact JSON with another origin in the addresses of the API: in every field whose name ends in
/// `url`.
pub(crate) fn with_origin<'a>(json: &'a [u8], origin: &str) -> Cow<'a, [u8]> {
    let mut places = memmem::find_iter(json, ADDRESS).peekable();
    if origin == API || places.peek().is_none() {
        return Cow::Borrowed(json);
    }
    let mut out = Vec::with_capacity(json.len() + json.len() / 16);
    let mut copied = 0;
    for place in places {
        let start = place + ADDRESS.len() - 1 - API.len();
        out.extend_from_slice(&json[copied..start]);
        out.extend_from_slice(origin.as_bytes());
        copied = start + API.len();
    }
    out.extend_from_slice(&json[copied..]);
    Cow::Owned(out)
}

/// The API and browser addresses of a build.
#[derive(Debug, Clone)]
pub(crate) struct BuildUrls {
    pub(crate) url: String,
    pub(crate) web_url: String,
}

impl BuildUrls {
    pub(crate) fn new(organization: &str, pipeline: &str, number: u64) -> Self {
        Self {
            url: format!("{ORGANIZATIONS}/{organization}/pipelines/{pipeline}/builds/{number}"),
            web_url: format!("{WEB}/{organization}/{pipeline}/builds/{number}"),
        }
    }
}

/// Fields of a build that hold its address or that of one in the same pipeline.
const OF_BUILDS: [&str; 3] = ["url", "web_url", "rebuilt_from"];

/// Fields of a job that hold its own address or that of its build.
const OF_JOBS: [&str; 6] = [
    "build_url",
    "web_url",
    "log_url",
    "raw_log_url",
    "artifacts_url",
    "unblock_url",
];

/// Gives a job another id, also in its addresses.
pub(crate) fn give_job_id(job: &mut Document, id: &str) {
    let old = job.text("id").unwrap_or_default();
    for before in ["/jobs/", "#"] {
        replace(
            job,
            &OF_JOBS,
            &format!("{before}{old}"),
            &format!("{before}{id}"),
        );
    }
    job.set("id", id);
    job.set("graphql_id", graphql_id("Job", id));
}

/// Moves a build and its jobs from one address to another.
pub(crate) fn move_build(build: &mut BuildDocument, from: &str, to: &str) {
    replace(build.fields_mut(), &OF_BUILDS, from, to);
    if build.has_jobs() {
        for job in build.jobs_mut() {
            replace(job, &OF_JOBS, from, to);
        }
    }
}

/// Replaces an address, or the start of one, in some fields of an object.
fn replace(object: &mut Document, keys: &[&str], from: &str, to: &str) {
    for key in keys {
        let Some(raw) = object.raw(key) else {
            continue;
        };
        let new = replaced(raw, from, to);
        if new != raw
            && let Ok(value) = serde_json::value::RawValue::from_string(new)
        {
            object.set(key, value);
        }
    }
}

/// The text with `to` in place of `from`, except where `from` is the start of a longer name.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !from.is_empty()
        && let Some(at) = rest.find(from)
    {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let continues = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        out.push_str(before);
        out.push_str(if after.starts_with(continues) {
            from
        } else {
            to
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_replaced_up_to_a_border_and_never_within_a_longer_name() {
        for (text, expected) in [
            ("https://b/acme/web", "https://b/acme/site"),
            (
                "https://b/acme/web/builds/1#x",
                "https://b/acme/site/builds/1#x",
            ),
            (
                r#"{"url":"https://b/acme/web"}"#,
                r#"{"url":"https://b/acme/site"}"#,
            ),
            (
                "https://b/acme/web-2/builds/1",
                "https://b/acme/web-2/builds/1",
            ),
            ("https://b/acme/website", "https://b/acme/website"),
            ("elsewhere", "elsewhere"),
        ] {
            let actual = replaced(text, "https://b/acme/web", "https://b/acme/site");
            assert_eq!(actual, expected);
        }
    }

    #[test]
    fn only_fields_that_hold_addresses_get_another_origin() {
        let json = br#"{"url":"https://api.buildkite.com/v2","message":"url\":\"https://api.buildkite.com/v2","log_url":"https://api.buildkite.com/a","web_url":"https://buildkite.com/a"}"#;
        let expected = br#"{"url":"http://x/v2","message":"url\":\"https://api.buildkite.com/v2","log_url":"http://x/a","web_url":"https://buildkite.com/a"}"#;
        assert_eq!(&*with_origin(json, "http://x"), expected);
        assert_eq!(&*with_origin(json, API), json);
    }

    #[test]
    fn the_id_of_a_job_is_not_mistaken_for_the_number_of_its_build() {
        let mut job = Document::default();
        job.set("id", "1");
        job.set("log_url", "https://b/builds/1/jobs/1/log");
        job.set("web_url", "https://b/builds/1#1");
        give_job_id(&mut job, "new");
        assert_eq!(
            job.text("log_url").unwrap(),
            "https://b/builds/1/jobs/new/log"
        );
        assert_eq!(job.text("web_url").unwrap(), "https://b/builds/1#new");
    }
}
