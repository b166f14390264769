//! From a request to an answer: token, hook, limits, route, fault.

use wiremock::{Request, Respond, ResponseTemplate};

use super::fault::Asked;
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
pub(super) struct Exchange {
    method: String,
    path: String,
    query_text: String,
    query: Query,
    /// The body as text.
    sent: String,
    pub(super) token: Option<Token>,
    headers: Headers,
    pub(super) takes_gzip: bool,
    pub(super) counts: [Count; 2],
    pub(super) fault: Option<Fault>,
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
}

/// True if a request came to the address of the storage.
fn is_for_storage(store: &Store, request: &Request) -> bool {
    let host = request.headers.get("host");
    let host = host.and_then(|host| host.to_str().ok());
    host.is_some_and(|host| store.storage.strip_prefix("http://") == Some(host))
}

/// True if the client takes gzip: `gzip, br`, but not `gzip;q=0`.
fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}
