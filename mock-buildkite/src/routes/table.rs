//! Which request means what: every endpoint that is not a plain list.

use super::params::{Params, matched};
use super::route::{Route, open, route};
use super::write_table::LIST_WRITES;
use super::writes::{
    annotations, builds as build_writes, jobs as job_writes, pipelines as pipeline_writes,
};
use super::{access, builds, jobs, organizations, pipelines};

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    open("GET", "access-token", access::access_token),
    open("DELETE", "access-token", access::revoke),
    route("GET", "user", "read_user", access::user),
    route("GET", "organizations", "read_organizations", organizations::list),
    route("GET", "ORG", "read_organizations", organizations::get),
    route("GET", "ORG/usage", "read_organizations", organizations::usage),
    route("GET", "ORG/rate_limit", "read_organizations", organizations::rate_limit),
    route("GET", "ORG/pipelines", "read_pipelines", pipelines::list),
    route("POST", "ORG/pipelines", "write_pipelines", pipeline_writes::create),
    route("GET", "PIPE", "read_pipelines", pipelines::get),
    route("PATCH", "PIPE", "write_pipelines", pipeline_writes::change),
    route("DELETE", "PIPE", "write_pipelines", pipeline_writes::delete),
    route("POST", "PIPE/archive", "write_pipelines", pipeline_writes::archive),
    route("POST", "PIPE/unarchive", "write_pipelines", pipeline_writes::unarchive),
    route("GET", "builds", "read_builds", builds::list),
    route("GET", "ORG/builds", "read_builds", builds::list),
    route("GET", "PIPE/builds", "read_builds", builds::list),
    route("POST", "PIPE/builds", "write_builds", build_writes::create),
    route("GET", "BUILD", "read_builds", builds::get),
    route("PUT", "BUILD/cancel", "write_builds", build_writes::cancel),
    route("PUT", "BUILD/rebuild", "write_builds", build_writes::rebuild),
    route("PUT", "BUILD/retry_failed_jobs", "write_builds", build_writes::retry_failed_jobs),
    route("GET", "BUILD/jobs", "read_builds", jobs::list),
    route("GET", "JOB", "read_builds", jobs::get),
    route("PUT", "JOB/retry", "write_builds", job_writes::retry),
    route("PUT", "JOB/reprioritize", "write_builds", job_writes::reprioritize),
    route("PUT", "JOB/unblock", "write_builds", job_writes::unblock),
    route("POST", "BUILD/annotations", "write_builds", annotations::create),
    route("POST", "JOB/annotations", "write_builds", annotations::create),
    route("DELETE", "BUILD/annotations/{id}", "write_builds", annotations::remove),
    route("DELETE", "JOB/annotations/{id}", "write_builds", annotations::remove),
];

/// The endpoint of a method and a path behind `v2`, and the variable parts of the path.
pub(super) fn find<'a>(method: &str, segments: &[&'a str]) -> Option<(&'static Route, Params<'a>)> {
    let routes = ROUTES.iter().chain(LIST_WRITES);
    let mut routes = routes.filter(|route| route.method == method);
    routes.find_map(|route| Some((route, matched(route.path, segments)?)))
}
