//! The connection to Buildkite: the client, the rate limit that clients share, and what the
//! host hears of it.

mod limiter;
mod observer;
mod scopes;

use buildkite_client::{Client, Options};
use connector_core::Result;

use crate::config::Config;
pub(crate) use limiter::connect;
pub(crate) use observer::forward;
pub(crate) use scopes::missing_scopes;

/// Items on a page, at most (API facts 4.1).
pub(crate) const PAGE: u64 = 100;

/// The client of a configuration. Nothing is requested yet.
///
/// # Errors
/// [`ErrorKind::Config`](connector_core::ErrorKind::Config) for settings that the client refuses.
pub(crate) fn client(config: &Config) -> Result<Client> {
    connect(options(config)?)
}

/// The client's options of a configuration.
///
/// # Errors
/// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if there is no credential.
pub(crate) fn options(config: &Config) -> Result<Options> {
    let mut options = Options::new(config.credential()?);
    options.base_url.clone_from(&config.base_url);
    options.reserve = config.rate_limit_reserve / 100.0;
    options.max_concurrency = config.max_concurrency as usize;
    Ok(options)
}
