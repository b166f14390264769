//! Connectors in memory that have every capability of the contract, each implemented correctly.
//!
//! [`Memory`] reads a [`Remote`] and keeps copies of any stream. [`Launcher`] acts on the records
//! that it is given and reports what became of them. This crate's tests run the suite over both,
//! and over connectors that differ from them in one flaw. The author of a plugin finds each
//! capability here in a few lines.

mod copies;
mod destination;
mod inspection;
mod launcher;
mod links;
mod remote;
mod replica;
mod settings;
mod source;
mod webhooks;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, CredentialInspector, Destination, DestinationRole, FlagSetting,
    Identity, LocationKind, RecordLinks, Replica, ReplicaRole, Result, SettingsSchema, Setup,
    Source, SourceRole, WebhookVerifier,
};
use serde_json::{Value, json};

use copies::Copies;
use destination::MemoryDestination;
use replica::MemoryReplica;
use settings::{CopySettings, ReadSettings};
use source::MemorySource;

pub use launcher::{LAUNCHES, Launcher, launches};
pub use remote::{LIMITED_TOKEN, PEOPLE, Remote, TASKS, TOKEN};
pub use webhooks::sign;

/// A connector with every role and every capability, but for acting on records.
///
/// Its source reads two streams of its [`Remote`]: `people`, in full, and `tasks`, in full or
/// incrementally. Its destination takes any stream; copies live as long as the connector and its
/// clones.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    remote: Remote,
    copies: Copies,
}

impl Memory {
    /// A remote with some people and tasks, and no copy.
    pub fn new() -> Self {
        Self::default()
    }

    /// The system that its source reads.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }
}

impl Connector for Memory {
    fn identity(&self) -> Identity {
        Identity::new(source::CONNECTOR, "Memory", env!("CARGO_PKG_VERSION"))
            .with_documentation("https://example.com/memory")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }

    fn replica(&self) -> Option<&dyn ReplicaRole> {
        Some(self)
    }

    fn credential_inspector(&self) -> Option<&dyn CredentialInspector> {
        Some(self)
    }

    fn webhook_verifier(&self) -> Option<&dyn WebhookVerifier> {
        Some(self)
    }

    fn record_links(&self) -> Option<&dyn RecordLinks> {
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Memory {
    fn settings(&self) -> SettingsSchema {
        let page_size = json!({
            "type": "integer", "minimum": 1, "maximum": 100, "default": 2,
            "description": "Records per request.",
        });
        let flag = FlagSetting::new("page-size", "page_size", "RECORDS", "Records per request");
        settings_with_token(&[("page_size", page_size)]).with_flag(flag)
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        ReadSettings::parse(setup).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let settings = ReadSettings::parse(&setup)?;
        let remote = self.remote.clone();
        Ok(Arc::new(MemorySource::new(
            remote,
            settings,
            setup.observer,
        )))
    }
}

#[async_trait]
impl DestinationRole for Memory {
    fn settings(&self) -> SettingsSchema {
        let copy = json!({"type": "string", "description": "The name of the copy."});
        settings_with_token(&[("copy", copy)]).with_location("copy", LocationKind::File)
    }

    fn capabilities(&self) -> Capabilities {
        destination::capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        CopySettings::parse(setup).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let settings = CopySettings::parse(&setup)?;
        let (remote, copies) = (self.remote.clone(), self.copies.clone());
        let destination = MemoryDestination::new(remote, copies, settings, setup.dry_run);
        Ok(Box::new(destination))
    }
}

#[async_trait]
impl ReplicaRole for Memory {
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        let settings = CopySettings::parse(&setup)?;
        let replica = MemoryReplica::new(self.copies.clone(), settings.copy);
        replica.exists()?;
        Ok(Arc::new(replica))
    }
}

/// The settings of every role here: a token, and these.
fn settings_with_token(more: &[(&str, Value)]) -> SettingsSchema {
    let token = json!({
        "type": "string", "writeOnly": true,
        "description": "The token that opens the remote.",
    });
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"token": token},
        "required": ["token"],
        "additionalProperties": false,
    });
    for (key, property) in more {
        schema["properties"][*key] = property.clone();
    }
    let help = "Any connector in memory opens with the token `memory::TOKEN`.";
    SettingsSchema::new(schema).with_credential("MEMORY_TOKEN", help)
}
