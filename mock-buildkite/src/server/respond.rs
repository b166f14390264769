//! From a request to an answer: token, hook, limits, route, fault.

use std::borrow::Cow;

use super::answer::Answer;
use super::corrupt::{corrupt, replacement, with_status};
use super::cors::preflight;
use super::fault::Criteria;
use super::limits::Count;
use super::request::{Host, Request};
use super::{Fault, SeenRequest, Shared, Store, control, lock, storage};
use crate::routes::{Call, Headers, Query, Reply, answer};
use crate::world::Token;

/// Answers a request of either host.
pub(super) fn respond(store: &Shared, request: Request) -> Answer {
    let mut store = lock(store);
    if request.host == Host::Storage {
        return storage::respond(&mut store, &request);
    }
    if request.method == "OPTIONS" {
        return preflight(&request);
    }
    let store = &mut *store;
    if let Some(answer) = control::respond(store, &request) {
        return answer;
    }
    store.count += 1;
    let count = store.count;
    if let Some(hook) = &mut store.hook {
        hook(count, &mut store.world);
    }
    store.world.catch_up();
    let exchange = Exchange::new(store, request);
    let reply = exchange.reply(store);
    exchange.record(store, &reply);
    exchange.answer(store, reply)
}

/// One request with what is known of it.
pub(super) struct Exchange {
    pub(super) request: Request,
    /// Without leading and trailing slashes.
    path: String,
    /// The base URL of links to other pages.
    base: String,
    query: Query,
    pub(super) token: Option<Token>,
    headers: Headers,
    pub(super) counts: [Count; 2],
    pub(super) fault: Option<Fault>,
}

impl Exchange {
    fn new(store: &mut Store, request: Request) -> Self {
        let token = presented_token(store, &request);
        let path = request.path.trim_matches('/').to_owned();
        let base = match request.header("host") {
            "" => store.base.clone(),
            host => format!("http://{host}"),
        };
        let query = Query::parse(&request.query);
        let user = token.as_ref().map(|token| token.user.id.as_str());
        let now = store.world.clock.now_millis();
        let organization = organization_in(&path).unwrap_or_default();
        let counts = store
            .limits
            .count(organization, user.unwrap_or_default(), now);
        let fault = store.faults.take(&criteria(&request, &path, &query));
        let headers = Headers {
            accept: request.header("accept").to_owned(),
            range: request.header("range").to_owned(),
            version: request.header("buildkite-version").to_owned(),
        };
        Self {
            request,
            path,
            base,
            query,
            token,
            headers,
            counts,
            fault,
        }
    }

    /// The reply, or what a fault turns it into.
    fn reply(&self, store: &mut Store) -> Reply {
        let fault = self.fault.as_ref();
        if let Some(reply) = fault.and_then(|fault| replacement(fault, &self.counts)) {
            return reply;
        }
        let exceeded = self.counts.iter().filter(|count| count.is_exceeded());
        if let Some(count) = exceeded.max_by_key(|count| count.reset) {
            return with_status(429, count.body());
        }
        let mut reply = answer(self.call(store));
        if reply.mime.is_none()
            && let Cow::Owned(body) = store.world.with_origin(&reply.body)
        {
            reply.body = body;
        }
        if let Some(fault) = fault {
            corrupt(fault, &self.path, &mut reply);
        }
        reply
    }

    fn call<'a>(&'a self, store: &'a mut Store) -> Call<'a> {
        let [of_organization, _] = &self.counts;
        Call {
            world: &mut store.world,
            settings: &store.settings,
            method: &self.request.method,
            path: &self.path,
            query: &self.query,
            body: &self.request.body,
            token: self.token.clone(),
            headers: &self.headers,
            base: &self.base,
            storage: store.storage.beside(self.request.header("host")),
            organization_usage: of_organization.usage(),
            peer: self.request.peer,
        }
    }

    fn record(&self, store: &mut Store, reply: &Reply) {
        let most = store.most_requests;
        let Some(requests) = &mut store.requests else {
            return;
        };
        if requests.len() >= most.saturating_mul(2) {
            requests.drain(..most);
        }
        requests.push(SeenRequest {
            method: self.request.method.clone(),
            path: format!("/{}", self.path),
            query: self.request.query.clone(),
            body: String::from_utf8_lossy(&self.request.body).into_owned(),
            is_lost: matches!(self.fault, Some(Fault::LostAnswer | Fault::ClosedBefore)),
            status: reply.status,
            is_unknown: reply.is_unknown_route,
        });
    }
}

/// The token of the world that a request presents.
fn presented_token(store: &Store, request: &Request) -> Option<Token> {
    let secret = request.header("authorization").strip_prefix("Bearer ")?;
    let now = store.world.now();
    let mut tokens = store.world.tokens.iter();
    tokens.find(|token| token.admits(secret, now)).cloned()
}

/// The organization that a path names.
fn organization_in(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip_while(|part| *part != "organizations");
    parts.nth(1)
}

/// What faults look at.
fn criteria<'a>(request: &'a Request, path: &str, query: &Query) -> Criteria<'a> {
    let per_page = query.get("per_page").and_then(|text| text.parse().ok());
    Criteria {
        method: &request.method,
        path: &request.path,
        per_page: per_page.unwrap_or(30),
        has_jobs: path.ends_with("builds") && !query.is_set("exclude_jobs", false),
    }
}
