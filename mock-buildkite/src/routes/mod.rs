//! Which request means what: one file per resource, and here the way to it.
//!
//! Refusals come in the order of the real API: an unknown token, a missing scope, an unknown
//! object of the path from left to right, then a bad query.

mod access;
mod asked;
mod builds;
mod collections;
mod cursor;
mod downloads;
mod filters;
mod jobs;
mod logs;
mod organizations;
mod page;
mod pipelines;
mod place;
mod query;
mod resources;
mod writes;

use crate::server::{LinkStyle, Settings};
use crate::world::{Build, Token, World};
pub(crate) use downloads::signature;
pub(crate) use query::Query;

/// What is asked, by whom, of which world.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) settings: &'a Settings,
    pub(crate) method: &'a str,
    /// The path without leading and trailing slash.
    pub(crate) path: &'a str,
    pub(crate) query: &'a Query,
    /// The body as text.
    pub(crate) body: &'a str,
    pub(crate) token: Option<Token>,
    pub(crate) headers: &'a Headers,
    /// The base of links.
    pub(crate) base: &'a str,
    /// The base of the storage of artifacts.
    pub(crate) storage: &'a str,
}

/// The headers of a request that a route may look at; empty if absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    pub(crate) accept: String,
    pub(crate) range: String,
    /// `Buildkite-Version`
    pub(crate) version: String,
}

/// An answer, before limits, faults and compression.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The `Link` header; absent for none.
    pub(crate) link: Option<String>,
    /// The media type; JSON if none is named.
    pub(crate) mime: Option<&'static str>,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The scope that the endpoint takes.
    pub(crate) scope: Option<&'static str>,
    /// True if no route matched.
    pub(crate) is_unknown_route: bool,
}

impl Reply {
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            body,
            link: None,
            mime: None,
            headers: Vec::new(),
            scope: None,
            is_unknown_route: false,
        }
    }

    pub(crate) fn value(value: &serde_json::Value) -> Self {
        Self::ok(value.to_string().into_bytes())
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "message": message });
        Self {
            status,
            ..Self::value(&body)
        }
    }

    fn no_content() -> Self {
        Self {
            status: 204,
            ..Self::ok(Vec::new())
        }
    }
}

/// A refusal is an answer, too.
pub(crate) type Outcome = Result<Reply, Reply>;

/// Answers a call.
pub(crate) fn answer(mut call: Call<'_>) -> Reply {
    let segments: Vec<&str> = call
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let mut scope = None;
    let outcome = route(&mut call, &segments, &mut scope);
    let mut reply = outcome.unwrap_or_else(|refusal| refusal);
    reply.scope = reply.scope.or(scope);
    reply
}

fn route(call: &mut Call<'_>, segments: &[&str], scope: &mut Option<&'static str>) -> Outcome {
    match (call.method, segments) {
        ("GET", []) => return Ok(access::root(call)),
        ("GET", ["v2", "meta"]) => return Ok(access::meta()),
        ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE", ["v2", ..]) => {}
        _ => return Err(call.no_route()),
    }
    let token = call.signed_in()?.clone();
    let mut needs = |name: &'static str| {
        *scope = Some(name);
        let has_it = token.scopes.iter().any(|granted| granted == name);
        let refusal = || {
            Reply::error(
                403,
                &format!("Your access token doesn't have the {name} scope"),
            )
        };
        has_it.then_some(()).ok_or_else(refusal)
    };
    match (call.method, &segments[1..]) {
        ("GET", ["access-token"]) => Ok(access::access_token(&token)),
        ("DELETE", ["access-token"]) => {
            access::revoke(call);
            Ok(Reply::no_content())
        }
        ("GET", ["user"]) => needs("read_user").map(|()| access::user(&token)),
        ("GET", ["organizations"]) => {
            needs("read_organizations")?;
            organizations::list(call)
        }
        ("GET", ["organizations", organization]) => {
            needs("read_organizations")?;
            organizations::get(call, organization)
        }
        ("GET", ["organizations", organization, "rate_limit"]) => {
            needs("read_organizations")?;
            organizations::rate_limit(call, organization)
        }
        ("GET", ["organizations", organization, "pipelines"]) => {
            needs("read_pipelines")?;
            pipelines::list(call, organization)
        }
        ("GET", ["organizations", organization, "pipelines", pipeline]) => {
            needs("read_pipelines")?;
            pipelines::get(call, organization, pipeline)
        }
        ("GET", ["builds"]) => {
            needs("read_builds")?;
            builds::list(call, None, None)
        }
        ("GET", ["organizations", organization, "builds"]) => {
            needs("read_builds")?;
            builds::list(call, Some(organization), None)
        }
        (
            "GET",
            [
                "organizations",
                organization,
                "pipelines",
                pipeline,
                "builds",
            ],
        ) => {
            needs("read_builds")?;
            builds::list(call, Some(organization), Some(pipeline))
        }
        ("GET", ["organizations", organization, "jobs", job]) => {
            needs("read_builds")?;
            jobs::get_in_organization(call, organization, job)
        }
        (
            "GET",
            [
                "organizations",
                organization,
                "pipelines",
                pipeline,
                "builds",
                number,
                rest @ ..,
            ],
        ) if matches!(rest, [] | ["jobs"] | ["jobs", _]) => {
            needs("read_builds")?;
            let path = [*organization, *pipeline, *number];
            match rest {
                [] => builds::get(call, path),
                ["jobs"] => jobs::list(call, path),
                ["jobs", job] => jobs::get(call, path, job),
                _ => Err(call.no_route()),
            }
        }
        (method, path) => {
            if let Some(write) = writes::find(method, path) {
                needs(write.scope)?;
                return write.answer(call);
            }
            let matched = collections::find(path).filter(|matched| matched.allows(method));
            let matched = matched.ok_or_else(|| call.no_route())?;
            if let Some(scope) = matched.scope() {
                needs(scope)?;
            }
            matched.answer(call)
        }
    }
}

impl Call<'_> {
    /// The token, if it is known and has not ended.
    fn signed_in(&self) -> Result<&Token, Reply> {
        let token = self.token.as_ref();
        token
            .filter(|token| token.is_valid(self.world.now()))
            .ok_or_else(|| {
                Reply::error(
                    401,
                    "Authentication required. Please supply a valid API Access Token: \
                     https://buildkite.com/docs/apis/rest-api#authentication",
                )
            })
    }

    fn no_route(&self) -> Reply {
        let message = format!("No route matches {}", self.path);
        Reply {
            is_unknown_route: true,
            ..Reply::error(404, &message)
        }
    }

    /// The index of an organization that the token sees.
    fn organization(&self, slug: &str) -> Result<usize, Reply> {
        let token = self.signed_in()?;
        self.world
            .organization(slug)
            .filter(|_| token.sees_organization(slug))
            .ok_or_else(|| Reply::error(404, "No organization found"))
    }

    /// The index of a pipeline that the token sees.
    fn pipeline(&self, organization: &str, slug: &str) -> Result<usize, Reply> {
        let owner = self.organization(organization)?;
        self.signed_in()?;
        self.world
            .pipeline(owner, slug)
            .filter(|pipeline| self.sees(*pipeline))
            .ok_or_else(|| Reply::error(404, "No pipeline found"))
    }

    /// A build by organization, pipeline and number.
    fn build(&self, [organization, pipeline, number]: [&str; 3]) -> Result<&Build, Reply> {
        let pipeline = self.pipeline(organization, pipeline)?;
        let number = number.parse().ok();
        number
            .and_then(|number| self.world.build_by_number(pipeline, number))
            .ok_or_else(|| Reply::error(404, "No build found"))
    }

    /// Whether the token sees a pipeline, given its index.
    fn sees(&self, pipeline: usize) -> bool {
        let pipeline = &self.world.pipelines[pipeline];
        let organization = &self.world.organizations[pipeline.organization].slug;
        !pipeline.is_hidden
            && self.token.as_ref().is_some_and(|token| {
                token.sees_organization(organization)
                    && token.sees_pipeline(organization, &pipeline.slug)
            })
    }

    fn has_empty_links(&self) -> bool {
        self.settings.link_style == LinkStyle::Empty
    }
}
