//! What a fault turns an answer into.

use serde_json::value::RawValue;

use super::Fault;
use super::limits::Count;
use crate::document::Document;
use crate::routes::Reply;

/// The answer that replaces the real one, if the fault is of that kind.
pub(super) fn replacement(fault: &Fault, counts: &[Count; 2]) -> Option<Reply> {
    Some(match fault {
        Fault::RateLimited {
            scope,
            reset,
            has_details: true,
        } => {
            let count = counts.iter().find(|count| count.scope == *scope)?;
            let count = Count {
                reset: *reset,
                used: count.limit + 1,
                ..*count
            };
            with_status(429, count.body())
        }
        Fault::RateLimited { .. } => Reply::error(429, "You have exceeded your API rate limit."),
        Fault::Status {
            status,
            is_html: false,
        } => Reply::error(*status, "Something went wrong"),
        Fault::Status {
            status,
            is_html: true,
        } => with_status(
            *status,
            b"<html><body><h1>Bad Gateway</h1></body></html>".to_vec(),
        ),
        // The connection closes without a status.
        Fault::ClosedBefore => with_status(0, Vec::new()),
        Fault::HeavyPage(_) => Reply::error(502, "Something went wrong"),
        Fault::NotJson => Reply::ok(b"<!doctype html><title>Maintenance</title>".to_vec()),
        Fault::Redirect(_) => with_status(302, Vec::new()),
        _ => return None,
    })
}

/// An answer with this status and body.
pub(super) fn with_status(status: u16, body: Vec<u8>) -> Reply {
    Reply {
        status,
        ..Reply::ok(body)
    }
}

/// Corrupts a sound answer to a request for `path`, if the fault is of that kind.
pub(super) fn corrupt(fault: &Fault, path: &str, reply: &mut Reply) {
    match fault {
        Fault::StatusAfter(status) => {
            *reply = Reply {
                is_unknown_route: reply.is_unknown_route,
                ..Reply::error(*status, "Something went wrong")
            };
        }
        Fault::TruncatedBody(bytes) => reply.body.truncate(*bytes),
        Fault::EmptyPage => change_items(&mut reply.body, Vec::clear),
        Fault::DuplicateItem => change_items(&mut reply.body, |items| {
            if let Some(first) = items.first().cloned() {
                items.insert(0, first);
            }
        }),
        Fault::NextLinkTo(base) => redirect_next_link(&format!("{base}/{path}"), reply),
        _ => {}
    }
}

/// Changes the items of a list of either kind and leaves every other body alone.
fn change_items(body: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Box<RawValue>>)) {
    let text = String::from_utf8_lossy(body);
    if let Ok(mut items) = serde_json::from_str::<Vec<Box<RawValue>>>(&text) {
        change(&mut items);
        *body = serde_json::to_vec(&items).expect("items are JSON");
    } else if let Ok(mut list) = Document::parse(&text)
        && let Some(Ok(mut items)) = list.raw("items").map(serde_json::from_str)
    {
        change(&mut items);
        list.set("items", items);
        *body = list.to_json().into_bytes();
    }
}

/// Points the next link of a list of either kind to another address.
fn redirect_next_link(address: &str, reply: &mut Reply) {
    let text = String::from_utf8_lossy(&reply.body);
    match Document::parse(&text) {
        Ok(mut list) if list.raw("links").is_some() => {
            let mut links = Document::from(list.get("links"));
            links.set("next", format!("{address}?after=next"));
            list.set("links", links);
            reply.body = list.to_json().into_bytes();
        }
        _ => reply.link = Some(format!("<{address}?page=2>; rel=\"next\"")),
    }
}
