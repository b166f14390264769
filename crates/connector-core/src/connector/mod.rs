//! A plugin: who it is, what it can do, how it is opened.

mod configuration;
mod identity;
mod inspection;
mod links;
mod registry;
mod settings_schema;
mod setup;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Destination, Error, ErrorKind, Replica, Result, Source};

pub use configuration::Configuration;
pub use identity::Identity;
pub use inspection::{CredentialInspector, CredentialReport, MissingScopes};
pub use links::RecordLinks;
pub use registry::Registry;
pub use settings_schema::{FlagSetting, LocationKind, LocationSetting, SettingsSchema};
pub use setup::Setup;
pub use webhook::{VerifiedWebhook, WebhookRequest, WebhookVerifier};

/// A plugin. It holds no connection; what it opens does.
///
/// Each role and each capability is an object, or `None`. A plugin returns itself for the roles
/// that it implements.
pub trait Connector: Send + Sync {
    /// Name, title, version and documentation.
    fn identity(&self) -> Identity;

    /// The connector as a source, if it is one.
    fn source(&self) -> Option<&dyn SourceRole> {
        None
    }

    /// The connector as a destination, if it is one.
    fn destination(&self) -> Option<&dyn DestinationRole> {
        None
    }

    /// Reads back what a destination holds, if that can be done.
    fn replica(&self) -> Option<&dyn ReplicaRole> {
        None
    }

    /// Reports what a credential can do, if the remote supports that.
    fn credential_inspector(&self) -> Option<&dyn CredentialInspector> {
        None
    }

    /// Verifies webhooks of the remote, if it sends any.
    fn webhook_verifier(&self) -> Option<&dyn WebhookVerifier> {
        None
    }

    /// Finds the web page of a record, if the remote has one.
    fn record_links(&self) -> Option<&dyn RecordLinks> {
        None
    }
}

/// Opens a connector for reading.
#[async_trait]
pub trait SourceRole: Send + Sync {
    /// What can be set.
    fn settings(&self) -> SettingsSchema;

    /// Checks the settings. Pure: nothing is opened, read or requested.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed;
    /// [`ErrorKind::Auth`] if a credential is needed and missing.
    fn validate(&self, setup: &Setup) -> Result<()>;

    /// Opens the connector without sending a request.
    ///
    /// # Errors
    /// Those of [`validate`](Self::validate); [`ErrorKind::Io`] if the machine refuses.
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>>;
}

/// Opens a connector for writing.
#[async_trait]
pub trait DestinationRole: Send + Sync {
    /// What can be set.
    fn settings(&self) -> SettingsSchema;

    /// What the destination can do, whatever its settings.
    fn capabilities(&self) -> crate::Capabilities;

    /// Checks the settings. Pure: nothing is opened, read or requested.
    ///
    /// # Errors
    /// As [`SourceRole::validate`].
    fn validate(&self, setup: &Setup) -> Result<()>;

    /// Opens the connector without changing anything.
    ///
    /// # Errors
    /// As [`SourceRole::open`].
    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>>;
}

/// Opens what a connector holds as a destination, for reading back.
#[async_trait]
pub trait ReplicaRole: Send + Sync {
    /// Opens the copy without changing it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed; [`ErrorKind::Io`] if there is
    /// no copy.
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>>;
}

impl dyn Connector + '_ {
    /// The connector as a source.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is not one.
    pub fn expect_source(&self) -> Result<&dyn SourceRole> {
        self.source().ok_or_else(|| self.lacks_role("source"))
    }

    /// The connector as a destination.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is not one.
    pub fn expect_destination(&self) -> Result<&dyn DestinationRole> {
        self.destination()
            .ok_or_else(|| self.lacks_role("destination"))
    }

    /// The connector as a copy that can be read back.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it cannot.
    pub fn expect_replica(&self) -> Result<&dyn ReplicaRole> {
        self.replica()
            .ok_or_else(|| self.lacks_role("copy that is read back"))
    }

    fn lacks_role(&self, role: &str) -> Error {
        let name = self.identity().name;
        let message = format!("the connector `{name}` cannot be used as a {role}");
        Error::new(ErrorKind::Config, message)
    }
}
