//! The storage of artifacts: another origin, which must never see a token of the API.

use std::ops::Range;

use wiremock::{Request, ResponseTemplate};

use super::Store;
use super::fault::{Asked, Fault};
use super::front::{CUT_HEADER, SLOW_HEADER};
use crate::routes::{Query, signature};

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

/// Answers a request to the storage, and remembers it.
pub(super) fn respond(store: &mut Store, request: &Request) -> ResponseTemplate {
    let header = |name: &str| {
        let value = request.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let path = request.url.path().to_owned();
    let range = header("range");
    let had_authorization = request.headers.contains_key("authorization");
    let fault = store.faults.take(&Asked {
        method: request.method.as_str(),
        path: &path,
        per_page: 0,
        has_jobs: false,
    });
    let (status, template) = match &fault {
        Some(Fault::Status { status, .. }) => (*status, ResponseTemplate::new(*status)),
        _ => match content(store, request) {
            Err(status) => (status, ResponseTemplate::new(status)),
            Ok(content) => whole_or_part(content, range.as_deref(), fault.as_ref()),
        },
    };
    if let Some(downloads) = &mut store.downloads {
        downloads.push(SeenDownload {
            path,
            range,
            had_authorization,
            status,
        });
    }
    disturbed(template, fault.as_ref())
}

/// The content that an address leads to, or the status that refuses it: 400 with a token, as
/// storages do that know one way to sign; 403 if the address was not given or has expired.
fn content(store: &Store, request: &Request) -> Result<Vec<u8>, u16> {
    if request.headers.contains_key("authorization") {
        return Err(400);
    }
    let mut segments = request.url.path().trim_start_matches('/').split('/');
    let (Some("storage"), Some(build), Some(id)) =
        (segments.next(), segments.next(), segments.next())
    else {
        return Err(404);
    };
    let query = Query::parse(request.url.query().unwrap_or_default());
    let expires = query.get("Expires").and_then(|text| text.parse().ok());
    let expires = expires.unwrap_or(0);
    let signed = format!("{:016x}", signature(id, expires));
    if query.get("Signature") != Some(&signed) || expires < store.world.now().timestamp() {
        return Err(403);
    }
    store.world.artifact_content(build, id).ok_or(404)
}

/// 200 with all, 206 with the part asked for, 416 if there is no such part.
fn whole_or_part(
    content: Vec<u8>,
    range: Option<&str>,
    fault: Option<&Fault>,
) -> (u16, ResponseTemplate) {
    let total = content.len();
    let asked = range.and_then(|range| part(range, total));
    let (status, range, content_range) = match asked {
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
    let mut template = ResponseTemplate::new(status)
        .insert_header("Accept-Ranges", "bytes")
        .set_body_raw(body, "application/octet-stream");
    if let Some(text) = content_range {
        template = template.insert_header("Content-Range", text.as_str());
    }
    (status, template)
}

/// What `bytes=5-`, `bytes=5-9` or `bytes=-5` asks of so many bytes: nothing if it lies beyond;
/// none if it is no such range, which is then ignored.
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

/// Faults of the connection are carried out by the front.
fn disturbed(template: ResponseTemplate, fault: Option<&Fault>) -> ResponseTemplate {
    match fault {
        Some(Fault::SlowHead(delay)) => template.set_delay(*delay),
        Some(Fault::SlowBody(pause)) => {
            template.insert_header(SLOW_HEADER, pause.as_millis().to_string().as_str())
        }
        Some(Fault::ResetMidBody(bytes)) => {
            template.insert_header(CUT_HEADER, bytes.to_string().as_str())
        }
        _ => template,
    }
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
