//! An endpoint: method, path, scope and handler.

use super::params::Params;
use super::{Call, Outcome};

/// An endpoint.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// The path behind `v2`, see [`matched`](super::params::matched).
    pub(super) path: &'static str,
    /// The scope that it needs; none if every token will do.
    pub(super) scope: Option<&'static str>,
    pub(super) handler: Handler,
}

/// Answers a request for an endpoint.
pub(super) type Handler = fn(&mut Call<'_>, &Params<'_>) -> Outcome;

pub(super) const fn open(method: &'static str, path: &'static str, handler: Handler) -> Route {
    Route {
        method,
        path,
        scope: None,
        handler,
    }
}

pub(super) const fn route(
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    handler: Handler,
) -> Route {
    Route {
        scope: Some(scope),
        ..open(method, path, handler)
    }
}
