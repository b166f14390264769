//! The plugin's front door.

mod inspection;
mod source;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, CredentialInspector, Destination, DestinationRole, Identity, Result,
    SettingsSchema, Setup, Source, SourceRole,
};

use crate::config::Config;
use crate::connection::options;
use crate::destination::{self, BuildkiteDestination, DestinationConfig};
use source::BuildkiteSource;

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
        options(&config)?;
        Ok(())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        Ok(Arc::new(BuildkiteSource::new(config, setup.observer)?))
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
        BuildkiteDestination::new(setup.clone())?;
        Ok(())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        Ok(Box::new(BuildkiteDestination::new(setup)?))
    }
}
