//! How a reply is sent: headers, the marks of faults for the front, compression.

use std::io::Write;
use std::time::Duration;

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use wiremock::ResponseTemplate;

use super::front::{CUT_HEADER, DATELESS_HEADER, LOST_HEADER, SLOW_HEADER};
use super::responder::Exchange;
use super::{Fault, Store};
use crate::routes::Reply;

impl Exchange {
    /// The reply as it is sent.
    pub(super) fn template(&self, store: &Store, reply: Reply) -> ResponseTemplate {
        // A status that is none is sent to nobody.
        let mut template = ResponseTemplate::new(reply.status.max(200))
            .insert_header("Date", http_date(store).as_str())
            .insert_header("X-Request-Id", request_id(store.count).as_str())
            .insert_header("Vary", "Accept");
        template = match reply.status {
            200 => template
                .insert_header("ETag", etag(&reply.body).as_str())
                .insert_header("Cache-Control", "max-age=0, private, must-revalidate"),
            _ => template.insert_header("Cache-Control", "no-cache"),
        };
        if !store.settings.has_date {
            template = template.insert_header(DATELESS_HEADER, "1");
        }
        if let Some(link) = &reply.link {
            template = template.insert_header("Link", link.as_str());
        }
        for (name, value) in &reply.headers {
            template = template.insert_header(*name, value.as_str());
        }
        let token = self.token.as_ref();
        if let Some(token) = token.filter(|token| token.is_valid(store.world.now())) {
            template = template.insert_header("X-OAuth-Scopes", token.scopes.join(",").as_str());
        }
        if let Some(scope) = reply.scope {
            template = template.insert_header("X-Accepted-OAuth-Scopes", scope);
        }
        template = self.limit_headers(store, reply.status, template);
        self.body(self.disturbed(template), reply)
    }

    fn limit_headers(
        &self,
        store: &Store,
        status: u16,
        mut template: ResponseTemplate,
    ) -> ResponseTemplate {
        let mut counts = self.counts;
        let mut is_silent = false;
        if let Some(Fault::RateLimited {
            scope,
            reset,
            has_details,
        }) = &self.fault
        {
            is_silent = !has_details;
            for count in counts.iter_mut().filter(|count| count.scope == *scope) {
                (count.used, count.reset) = (count.limit + 1, *reset);
            }
        }
        if is_silent {
            return template;
        }
        let mut headers = Vec::new();
        store
            .limits
            .write(&counts, |name, value| headers.push((name, value)));
        if status == 429 && store.limits.sends_retry_after {
            let reset = counts
                .iter()
                .filter(|count| count.is_exceeded())
                .map(|count| count.reset)
                .max();
            headers.push(("Retry-After".to_owned(), reset.unwrap_or(1).to_string()));
        }
        for (name, value) in headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        template
    }

    /// Faults of the connection are carried out by the front.
    fn disturbed(&self, template: ResponseTemplate) -> ResponseTemplate {
        match &self.fault {
            Some(Fault::SlowHead(delay)) => template.set_delay(*delay),
            Some(Fault::SlowBody(pause)) => {
                template.insert_header(SLOW_HEADER, millis(*pause).as_str())
            }
            Some(Fault::ResetMidBody(bytes)) => {
                template.insert_header(CUT_HEADER, bytes.to_string().as_str())
            }
            Some(Fault::LostAnswer | Fault::ClosedBefore) => {
                template.insert_header(LOST_HEADER, "1")
            }
            Some(Fault::Redirect(address)) => template.insert_header("Location", address.as_str()),
            _ => template,
        }
    }

    fn body(&self, template: ResponseTemplate, reply: Reply) -> ResponseTemplate {
        if reply.status == 204 {
            return template;
        }
        let is_html = reply.body.starts_with(b"<");
        let mime = match reply.mime {
            Some(mime) => mime,
            None if is_html => "text/html",
            None => "application/json; charset=utf-8",
        };
        // The length of a text, and a part of it, are those of the text as it is kept.
        if !self.takes_gzip || reply.mime.is_some() {
            return template.set_body_raw(reply.body, mime);
        }
        let mut body = gzip(&reply.body);
        if self.fault == Some(Fault::TruncatedGzip) {
            body.truncate(body.len() / 2);
        }
        template
            .insert_header("Content-Encoding", "gzip")
            .set_body_raw(body, mime)
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes what is written")
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
