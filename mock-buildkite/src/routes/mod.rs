//! The endpoints: one file per resource, and the table that leads to them.
//!
//! Refusals come in the order of the real API: an unknown token, a missing scope, an unknown
//! object in the path from left to right, then a bad query or body.

mod access;
mod build_filters;
mod builds;
mod collections;
mod cursor_pages;
mod downloads;
mod jobs;
mod list_filters;
mod logs;
mod number_pages;
mod organizations;
mod params;
mod path_objects;
mod pipelines;
mod query;
mod resources;
mod route;
mod table;
mod write_table;
mod writes;

use std::net::IpAddr;

use crate::settings::{LinkStyle, Settings};
use crate::world::{Build, Token, User, World};
pub(crate) use downloads::signature;
use path_objects::PathObjects;
pub(crate) use query::Query;
pub(crate) use writes::{UPLOADS, keep_upload};

/// A request, who sent it, and the world it is about.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) settings: &'a Settings,
    pub(crate) method: &'a str,
    /// The path without leading and trailing slash.
    pub(crate) path: &'a str,
    pub(crate) query: &'a Query,
    /// The body as it came.
    pub(crate) body: &'a [u8],
    pub(crate) token: Option<Token>,
    pub(crate) headers: &'a Headers,
    /// The base URL of links.
    pub(crate) base: &'a str,
    /// The base URL of the storage of artifacts.
    pub(crate) storage: &'a str,
    /// Limit, use and seconds until the reset, of the organization in the path.
    pub(crate) organization_usage: (u32, u32, u32),
    /// Where the request comes from.
    pub(crate) peer: IpAddr,
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
    /// The scope that the endpoint needs.
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

/// A reply, or a refusal, which is a reply as well.
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
    // Every read answers HEAD as well; the server leaves its body out.
    let method = if call.method == "HEAD" {
        "GET"
    } else {
        call.method
    };
    let path = match segments {
        [] if method == "GET" => return Ok(access::root(call)),
        ["v2", "meta"] if method == "GET" => return Ok(access::meta()),
        [".well-known", "api-catalog"] if method == "GET" => return Ok(access::catalog(call)),
        ["v2", "analytics", "openapi.yaml"] if method == "GET" => return Ok(access::openapi()),
        ["v2", path @ ..] => path,
        _ => return Err(call.no_route()),
    };
    if !call.signed_in()?.admits_address(call.peer) {
        return Err(foreign_address());
    }
    if let Some((route, params)) = table::find(method, path) {
        *scope = route.scope;
        call.require(route.scope)?;
        if method != "GET" {
            // Before anything in the body.
            PathObjects::find(call, &params)?;
        }
        return (route.handler)(call, &params);
    }
    let list = collections::find(path).filter(|list| list.allows(method));
    let list = list.ok_or_else(|| call.no_route())?;
    *scope = list.scope();
    call.require(list.scope())?;
    list.answer(call)
}

/// The refusal of an address that is on no allow list (inferred).
fn foreign_address() -> Reply {
    Reply::error(403, "Your IP address is not allowed to access this API")
}

impl Call<'_> {
    /// The token, if it is known and has not expired.
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

    /// Refuses a token without the scope that an endpoint needs.
    fn require(&self, scope: Option<&str>) -> Result<(), Reply> {
        let Some(scope) = scope else {
            return Ok(());
        };
        if self.signed_in()?.scopes.iter().any(|one| one == scope) {
            return Ok(());
        }
        let message = format!("Your access token doesn't have the {scope} scope");
        Err(Reply::error(403, &message))
    }

    /// The user whose token it is.
    fn user(&self) -> Result<User, Reply> {
        Ok(self.signed_in()?.user.clone())
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
        let found = self.world.organization(slug);
        let found = found.filter(|_| token.sees_organization(slug));
        let found = found.ok_or_else(|| Reply::error(404, "No organization found"))?;
        if self.world.admits_address(slug, self.peer) {
            Ok(found)
        } else {
            Err(foreign_address())
        }
    }

    /// The index of a pipeline that the token sees.
    fn pipeline(&self, [organization, slug]: [&str; 2]) -> Result<usize, Reply> {
        let owner = self.organization(organization)?;
        self.signed_in()?;
        self.world
            .pipeline(owner, slug)
            .filter(|pipeline| self.sees(*pipeline))
            .ok_or_else(|| Reply::error(404, "No pipeline found"))
    }

    /// A build by organization, pipeline and number.
    fn build(&self, [organization, pipeline, number]: [&str; 3]) -> Result<&Build, Reply> {
        let pipeline = self.pipeline([organization, pipeline])?;
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
