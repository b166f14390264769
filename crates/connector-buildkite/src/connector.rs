//! The plugin's front door.

use std::sync::Arc;

use async_trait::async_trait;
use buildkite_client::{Client, Options};
use connector_core::{
    Capabilities, Connector, CredentialInspector, Destination, DestinationRole, Identity, Result,
    SettingsSchema, Setup, Source, SourceRole,
};

use crate::config::Config;
use crate::destination::{self, BuildkiteDestination, DestinationConfig};
use crate::pace;
use crate::rules::Rules;
use crate::source::BuildkiteSource;

/// The Buildkite connector, named `buildkite`. It reads by [`Config`] and writes by
/// [`DestinationConfig`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Buildkite;

impl Connector for Buildkite {
    fn identity(&self) -> Identity {
        Identity::new("buildkite", "Buildkite", env!("CARGO_PKG_VERSION"))
            .with_documentation("https://buildkite.com/docs/apis/rest-api")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }

    fn credential_inspector(&self) -> Option<&dyn CredentialInspector> {
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Buildkite {
    fn settings(&self) -> SettingsSchema {
        Config::settings()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        let config = Config::parse(setup.configuration.clone(), setup.credential.clone())?;
        options(&config).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        Ok(Arc::new(BuildkiteSource::new(
            config,
            Rules::default(),
            setup.observer,
        )?))
    }
}

#[async_trait]
impl DestinationRole for Buildkite {
    fn settings(&self) -> SettingsSchema {
        DestinationConfig::settings()
    }

    fn capabilities(&self) -> Capabilities {
        destination::capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        BuildkiteDestination::new(setup.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        Ok(Box::new(BuildkiteDestination::new(setup)?))
    }
}

/// The client of a configuration. Nothing is requested yet.
pub(crate) fn client(config: &Config) -> Result<Client> {
    pace::client(options(config)?)
}

/// The client's options of a configuration.
pub(crate) fn options(config: &Config) -> Result<Options> {
    let mut options = Options::authenticated(config.authentication()?);
    options.base_url.clone_from(&config.base_url);
    options.reserve = config.rate_limit_reserve / 100.0;
    options.max_concurrency = config.max_concurrency as usize;
    Ok(options)
}
