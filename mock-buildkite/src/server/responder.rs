//! From a request to an answer: token, hook, limits, route, fault, headers, compression.

use std::io::Write;
use std::time::Duration;

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use wiremock::{Request, Respond, ResponseTemplate};

use super::fault::Asked;
use super::front::{CUT_HEADER, DATELESS_HEADER, LOST_HEADER, SLOW_HEADER};
use super::limits::Count;
use super::spoil::{replacement, spoil, with_status};
use super::storage;
use super::{Fault, SeenRequest, Shared, Store, lock};
use crate::routes::{Call, Headers, Query, Reply, answer};
use crate::world::Token;

pub(super) struct Responder {
    store: Shared,
}

impl Responder {
    pub(super) fn new(store: Shared) -> Self {
        Self { store }
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut store = lock(&self.store);
        let store = &mut *store;
        if is_for_storage(store, request) {
            return storage::respond(store, request);
        }
        store.count += 1;
        let count = store.count;
        if let Some(hook) = &mut store.hook {
            hook(count, &mut store.world);
        }
        store.world.catch_up();
        let exchange = Exchange::new(store, request);
        let template = exchange.respond(store);
        drop(exchange);
        template
    }
}

/// One request with what is known of it.
struct Exchange {
    method: String,
    path: String,
    query_text: String,
    query: Query,
    /// The body as text.
    sent: String,
    token: Option<Token>,
    headers: Headers,
    takes_gzip: bool,
    counts: [Count; 2],
    fault: Option<Fault>,
}

impl Exchange {
    fn new(store: &mut Store, request: &Request) -> Self {
        let header = |name: &str| {
            let value = request
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let secret = header("authorization");
        let secret = secret.strip_prefix("Bearer ").unwrap_or_default();
        let token = store
            .world
            .tokens
            .iter()
            .find(|token| token.admits(secret, store.world.now()))
            .cloned();
        let path = request.url.path().trim_matches('/').to_owned();
        let query_text = request.url.query().unwrap_or_default().to_owned();
        let query = Query::parse(&query_text);
        let organization = path
            .split('/')
            .skip_while(|part| *part != "organizations")
            .nth(1);
        let user = token.as_ref().map(|token| token.user.id.as_str());
        let now = store.world.clock.now_millis();
        let counts = store.limits.count(
            organization.unwrap_or_default(),
            user.unwrap_or_default(),
            now,
        );
        let [of_organization, _] = counts;
        store.settings.organization_usage = (
            of_organization.limit,
            of_organization.used,
            of_organization.reset,
        );
        let per_page = query
            .get("per_page")
            .and_then(|text| text.parse().ok())
            .unwrap_or(30);
        let has_jobs = path.ends_with("builds") && !query.is_set("exclude_jobs", false);
        let fault = store.faults.take(&Asked {
            method: request.method.as_str(),
            path: &format!("/{path}"),
            per_page,
            has_jobs,
        });
        Self {
            method: request.method.to_string(),
            sent: String::from_utf8_lossy(&request.body).into_owned(),
            takes_gzip: takes_gzip(&header("accept-encoding")),
            headers: Headers {
                accept: header("accept"),
                range: header("range"),
                version: header("buildkite-version"),
            },
            path,
            query_text,
            query,
            token,
            counts,
            fault,
        }
    }

    fn respond(&self, store: &mut Store) -> ResponseTemplate {
        let reply = self.reply(store);
        if let Some(requests) = &mut store.requests {
            requests.push(SeenRequest {
                method: self.method.clone(),
                path: format!("/{}", self.path),
                query: self.query_text.clone(),
                body: self.sent.clone(),
                is_lost: self.is_lost(),
                status: reply.status,
                is_unknown: reply.is_unknown_route,
            });
        }
        self.template(store, reply)
    }

    /// True if the client hears nothing of the answer.
    fn is_lost(&self) -> bool {
        matches!(self.fault, Some(Fault::LostAnswer | Fault::ClosedBefore))
    }

    /// The answer, or what a fault makes of it.
    fn reply(&self, store: &mut Store) -> Reply {
        let fault = self.fault.as_ref();
        if let Some(reply) = fault.and_then(|fault| replacement(fault, &self.counts)) {
            return reply;
        }
        let exceeded = self.counts.iter().filter(|count| count.is_exceeded());
        if let Some(count) = exceeded.max_by_key(|count| count.reset) {
            return with_status(429, count.body());
        }
        let call = Call {
            world: &mut store.world,
            settings: &store.settings,
            method: &self.method,
            path: &self.path,
            query: &self.query,
            body: &self.sent,
            token: self.token.clone(),
            headers: &self.headers,
            base: &store.base,
            storage: &store.storage,
        };
        let mut reply = answer(call);
        if let Some(fault) = fault {
            spoil(fault, &self.path, &mut reply);
        }
        reply
    }

    fn template(&self, store: &Store, reply: Reply) -> ResponseTemplate {
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

/// True if a request came to the address of the storage.
fn is_for_storage(store: &Store, request: &Request) -> bool {
    let host = request.headers.get("host");
    let host = host.and_then(|host| host.to_str().ok());
    host.is_some_and(|host| store.storage.strip_prefix("http://") == Some(host))
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

/// True if the client takes gzip: `gzip, br`, but not `gzip;q=0`.
fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}
