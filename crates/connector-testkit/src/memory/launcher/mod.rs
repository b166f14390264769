//! A destination that acts: each record launches something that ends later.

mod destination;
mod site;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, Destination, DestinationRole, Identity, LocationKind, Result,
    SettingsSchema, Setup, Stream, WriteMode,
};
use serde_json::json;

use super::settings::CopySettings;
use super::settings_with_token;
use destination::LauncherDestination;
use site::Site;

/// The only stream that a [`Launcher`] accepts.
pub const LAUNCHES: &str = "launches";

/// A connector that launches something for each record, once per `key`, and reports its number
/// when it ends. What it launches lives as long as the connector and its clones.
#[derive(Debug, Clone, Default)]
pub struct Launcher {
    site: Site,
}

/// The stream that a [`Launcher`] accepts: a `key`, and a `target` to launch at.
pub fn launches() -> Stream {
    let text = json!({"type": "string"});
    let schema = json!({
        "type": "object",
        "properties": {"key": text, "target": text},
        "required": ["key", "target"],
    });
    Stream::new(LAUNCHES, "What to launch.", schema).with_primary_key(["key"])
}

/// What it can do, whatever its settings.
fn capabilities() -> Capabilities {
    let capabilities = Capabilities::new([WriteMode::Append]).with_state();
    capabilities.with_results().with_dry_run()
}

impl Launcher {
    /// Nothing has been launched yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many launches there were under the name `journal`.
    pub fn count(&self, journal: &str) -> usize {
        self.site.count(journal)
    }

    /// Launches this many times more, and then no more until it is mended.
    pub fn break_after(&self, launches: u64) {
        self.site.break_after(launches);
    }

    /// Launches again.
    pub fn mend(&self) {
        self.site.mend();
    }
}

impl Connector for Launcher {
    fn identity(&self) -> Identity {
        Identity::new("launcher", "Launcher", env!("CARGO_PKG_VERSION"))
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }
}

#[async_trait]
impl DestinationRole for Launcher {
    fn settings(&self) -> SettingsSchema {
        let copy = json!({"type": "string", "description": "The name of the journal."});
        settings_with_token(&[("copy", copy)]).with_location("copy", LocationKind::File)
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        CopySettings::parse(setup).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let settings = CopySettings::parse(&setup)?;
        let destination = LauncherDestination::new(self.site.clone(), settings, setup);
        Ok(Box::new(destination))
    }
}
