//! The plugin's front door.

use std::sync::Arc;

use async_trait::async_trait;
use buildkite_client::{Client, Options};
use connector_core::{Connector, Destination, Identity, Result, Roles, Setup, Source};
use serde_json::Value;

use crate::config::Config;
use crate::destination::{BuildkiteDestination, DestinationConfig};
use crate::pace;
use crate::rules::Rules;
use crate::source::BuildkiteSource;

/// The Buildkite connector, named `buildkite`; its configuration is [`Config`], as a
/// destination [`DestinationConfig`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Buildkite;

#[async_trait]
impl Connector for Buildkite {
    fn identity(&self) -> Identity {
        Identity {
            name: "buildkite",
            title: "Buildkite",
            version: env!("CARGO_PKG_VERSION"),
            documentation_url: "https://buildkite.com/docs/apis/rest-api",
        }
    }

    fn roles(&self) -> Roles {
        Roles {
            source: true,
            destination: true,
        }
    }

    fn configuration_schema(&self) -> Value {
        Config::schema()
    }

    fn destination_schema(&self) -> Value {
        DestinationConfig::schema()
    }

    async fn open_destination(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        Ok(Box::new(BuildkiteDestination::new(setup)?))
    }

    async fn open_source(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        Ok(Arc::new(BuildkiteSource::new(
            config,
            Rules::default(),
            setup.observer,
        )?))
    }
}

/// The client of a configuration. Nothing is requested yet.
pub(crate) fn client(config: &Config) -> Result<Client> {
    pace::client(options(config)?)
}

/// The client's options of a configuration.
pub(crate) fn options(config: &Config) -> Result<Options> {
    let mut options = Options::new(config.authentication()?);
    options.base_url.clone_from(&config.base_url);
    options.reserve = config.rate_limit_reserve / 100.0;
    options.max_concurrency = config.max_concurrency as usize;
    Ok(options)
}
