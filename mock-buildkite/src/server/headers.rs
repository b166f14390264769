//! The headers of an answer, and its compression.

use flate2::Crc;

use super::answer::Answer;
use super::cors::EXPOSED;
use super::respond::Exchange;
use super::{Fault, Store};
use crate::routes::Reply;

impl Exchange {
    /// The reply as it is sent.
    pub(super) fn answer(&self, store: &Store, reply: Reply) -> Answer {
        // A connection that is closed unanswered has no status.
        let mut answer = Answer::new(reply.status.max(200));
        if store.settings.has_date {
            answer.header("Date", http_date(store));
        }
        answer.header("Server", "nginx");
        answer.header("X-Request-Id", request_id(store.count));
        answer.header("X-Runtime", runtime(store.count));
        answer.header("Vary", "Accept");
        answer.header("Access-Control-Allow-Origin", "*");
        answer.header("Access-Control-Expose-Headers", EXPOSED);
        let reply = self.cached(reply, &mut answer);
        if let Some(link) = &reply.link {
            answer.header("Link", link);
        }
        for (name, value) in &reply.headers {
            answer.header(name, value);
        }
        self.scopes(store, &reply, &mut answer);
        self.limits(store, reply.status, &mut answer);
        if let Some(Fault::Redirect(address)) = &self.fault {
            answer.header("Location", address);
        }
        self.body(answer, reply).with_fault(self.fault.clone())
    }

    fn scopes(&self, store: &Store, reply: &Reply, answer: &mut Answer) {
        let token = self.token.as_ref();
        if let Some(token) = token.filter(|token| token.is_valid(store.world.now())) {
            answer.header("X-OAuth-Scopes", token.scopes.join(","));
        }
        if let Some(scope) = reply.scope {
            answer.header("X-Accepted-OAuth-Scopes", scope);
        }
    }

    fn limits(&self, store: &Store, status: u16, answer: &mut Answer) {
        let mut counts = self.counts;
        if let Some(Fault::RateLimited {
            scope,
            reset,
            has_details,
        }) = &self.fault
        {
            if !has_details {
                return;
            }
            for count in counts.iter_mut().filter(|count| count.scope == *scope) {
                (count.used, count.reset) = (count.limit + 1, *reset);
            }
        }
        store
            .limits
            .write(&counts, |name, value| answer.header(&name, value));
        if status == 429 && store.limits.sends_retry_after {
            let exceeded = counts.iter().filter(|count| count.is_exceeded());
            let reset = exceeded.map(|count| count.reset).max();
            answer.header("Retry-After", reset.unwrap_or(1).to_string());
        }
    }

    /// Sets the headers for caches. A client that has the same answer already gets 304.
    fn cached(&self, reply: Reply, answer: &mut Answer) -> Reply {
        if reply.status != 200 {
            answer.header("Cache-Control", "no-cache");
            return reply;
        }
        let etag = etag(&reply.body);
        answer.header("ETag", &etag);
        answer.header("Cache-Control", "max-age=0, private, must-revalidate");
        let mut known = self
            .request
            .header("if-none-match")
            .split(',')
            .map(str::trim);
        if !known.any(|known| known == etag || known == "*") {
            return reply;
        }
        answer.status = 304;
        Reply {
            status: 304,
            body: Vec::new(),
            ..reply
        }
    }

    fn body(&self, answer: Answer, reply: Reply) -> Answer {
        if matches!(reply.status, 204 | 304) {
            return answer;
        }
        let is_html = reply.body.starts_with(b"<");
        let mime = match reply.mime {
            Some(mime) => mime,
            None if is_html => "text/html",
            None => "application/json; charset=utf-8",
        };
        let answer = answer.with_body(reply.body, mime);
        // Lengths and ranges of a text are those of the text as it is kept.
        let takes_gzip = takes_gzip(self.request.header("accept-encoding"));
        if takes_gzip && reply.mime.is_none() {
            answer.gzipped()
        } else {
            answer
        }
    }
}

/// How long the request is said to have taken, in seconds.
fn runtime(count: u64) -> String {
    format!("0.{:06}", 9_000 + count * 7_919 % 90_000)
}

/// What time the server says it is.
fn http_date(store: &Store) -> String {
    let now = store.world.now();
    let date = now.checked_add_signed(store.settings.date_skew);
    let date = date.unwrap_or(now);
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn request_id(count: u64) -> String {
    format!("00000000-0000-4000-8000-{count:012x}")
}

fn etag(body: &[u8]) -> String {
    let mut sum = Crc::new();
    sum.update(body);
    format!("W/\"{:024x}{:08x}\"", body.len(), sum.sum())
}

/// True if the client takes gzip: `gzip, br`, but not `gzip;q=0`.
fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}
