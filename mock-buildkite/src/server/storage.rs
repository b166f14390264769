//! The storage of artifacts: a host of its own, which must never see a token of the API.

use std::ops::Range;

use super::Store;
use super::answer::Answer;
use super::fault::{Criteria, Fault};
use super::request::Request;
use crate::routes::{Query, UPLOADS, keep_upload, signature};

/// A request that the storage has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDownload {
    /// The path: `/storage/{build id}/{artifact id}`.
    pub path: String,
    /// The header `Range`, if there was one.
    pub range: Option<String>,
    /// True if it came with the header `Authorization`.
    pub had_authorization: bool,
    /// The status answered.
    pub status: u16,
}

/// The origin of the storage in redirects.
#[derive(Default)]
pub(crate) struct StorageOrigin {
    default: String,
    /// For who calls the API by the name `localhost`.
    beside_localhost: String,
}

impl StorageOrigin {
    /// The given origin, or one whose host name differs from that of the API.
    pub(super) fn new(port: u16, given: Option<String>) -> Self {
        let of_host = |host: &str| {
            given
                .clone()
                .unwrap_or_else(|| format!("http://{host}:{port}"))
        };
        Self {
            default: of_host("localhost"),
            beside_localhost: of_host("127.0.0.1"),
        }
    }

    pub(super) fn default_origin(&self) -> &str {
        &self.default
    }

    /// The origin for a request with this header `Host`.
    pub(super) fn beside(&self, host: &str) -> &str {
        let name = host.split(':').next().unwrap_or_default();
        if name.eq_ignore_ascii_case("localhost") {
            &self.beside_localhost
        } else {
            &self.default
        }
    }
}

/// Answers a request to the storage, and records it.
pub(super) fn respond(store: &mut Store, request: &Request) -> Answer {
    let range = request.headers.get("range");
    let range = range.and_then(|value| value.to_str().ok());
    let fault = store.faults.take(&Criteria {
        method: &request.method,
        path: &request.path,
        per_page: 0,
        has_jobs: false,
    });
    let answer = match &fault {
        Some(Fault::Status { status, .. }) => Answer::new(*status),
        _ if request.method == "POST" && request.path == UPLOADS => {
            Answer::new(keep_upload(&mut store.world, &request.body))
        }
        _ => match content(store, request) {
            Err(status) => Answer::new(status),
            Ok(content) => whole_or_part(content, range, fault.as_ref()),
        },
    };
    if let Some(downloads) = &mut store.downloads {
        downloads.push(SeenDownload {
            path: request.path.clone(),
            range: range.map(str::to_owned),
            had_authorization: request.headers.contains_key("authorization"),
            status: answer.status,
        });
    }
    answer.with_fault(fault)
}

/// The content of an address, or the status that refuses it: 400 with a token, as a storage does
/// that accepts one kind of signature; 403 if the signature is wrong or has expired.
fn content(store: &Store, request: &Request) -> Result<Vec<u8>, u16> {
    if request.headers.contains_key("authorization") {
        return Err(400);
    }
    let mut segments = request.path.trim_start_matches('/').split('/');
    let (Some("storage"), Some(build), Some(id)) =
        (segments.next(), segments.next(), segments.next())
    else {
        return Err(404);
    };
    let query = Query::parse(&request.query);
    let expires = query.get("Expires").and_then(|text| text.parse().ok());
    let expires = expires.unwrap_or(0);
    let signed = format!("{:016x}", signature(id, expires));
    if query.get("Signature") != Some(&signed) || expires < store.world.now().timestamp() {
        return Err(403);
    }
    store.world.artifact_content(build, id).ok_or(404)
}

/// 200 with the whole content, 206 with the requested part, 416 if there is no such part.
fn whole_or_part(content: Vec<u8>, range: Option<&str>, fault: Option<&Fault>) -> Answer {
    let total = content.len();
    let requested = range.and_then(|range| part(range, total));
    let (status, range, content_range) = match requested {
        Some(range) if range.is_empty() => (416, 0..0, Some(format!("bytes */{total}"))),
        Some(range) => {
            let text = format!("bytes {}-{}/{total}", range.start, range.end - 1);
            (206, range, Some(text))
        }
        None => (200, 0..total, None),
    };
    let mut body = content[range].to_vec();
    if let Some(Fault::TruncatedBody(bytes)) = fault {
        body.truncate(*bytes);
    }
    let mut answer = Answer::new(status).with_body(body, "application/octet-stream");
    answer.header("Accept-Ranges", "bytes");
    if let Some(text) = content_range {
        answer.header("Content-Range", text);
    }
    answer
}

/// The part of `total` bytes that `bytes=5-`, `bytes=5-9` or `bytes=-5` requests. The range is
/// empty if it lies beyond the end. None if the header is no such range, which is then ignored.
fn part(range: &str, total: usize) -> Option<Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.parse::<usize>().ok();
    Some(match (first.is_empty(), last.is_empty()) {
        (true, _) => total.saturating_sub(number(last)?)..total,
        (false, true) => number(first)?.min(total)..total,
        (false, false) => {
            let end = number(last)?.saturating_add(1).min(total);
            number(first)?.min(end)..end
        }
    })
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn ranges_are_read_as_http_says() {
        for (range, expected) in [
            ("bytes=0-", Some(0..10)),
            ("bytes=4-", Some(4..10)),
            ("bytes=4-6", Some(4..7)),
            ("bytes=4-99", Some(4..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=10-", Some(10..10)),
            ("lines=1-2", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
    }
}
