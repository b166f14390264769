//! One side of a sync: a connector, its settings, and the origin of each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use connector_core::{
    Capabilities, Configuration, Connector, Credential, Destination, FlagSetting, LocationKind,
    Replica, Result, SettingsSchema, Setup, Source,
};
use host_kit::HostSettings;
use serde_json::{Map, Value};

use super::home;

/// Which half of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It is read.
    Source,
    /// It is written to.
    Destination,
}

/// Where a setting was set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// By a flag: `--since`.
    Flag(String),
    /// By `--set`.
    Assignment,
    /// By an environment variable.
    Variable(String),
    /// In the configuration file.
    File,
    /// By the program.
    Program,
}

/// The name of a credential in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCredential {
    /// The name.
    pub name: String,
    /// The configuration file that names it.
    pub named_in: Option<PathBuf>,
}

/// One side of a sync, not opened yet. Cheap to clone.
#[derive(Clone)]
pub struct Side {
    role: Role,
    connector: Arc<dyn Connector>,
    schema: Arc<SettingsSchema>,
    values: Map<String, Value>,
    origins: BTreeMap<String, Origin>,
    pub(super) credential: Option<StoredCredential>,
    /// Whether its settings are in a file that other users can read.
    pub(super) is_file_exposed: bool,
}

impl Side {
    /// A connector in a role, with nothing set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if it does not have the role.
    pub fn new(connector: Arc<dyn Connector>, role: Role) -> Result<Self> {
        let schema = match role {
            Role::Source => connector.expect_source()?.settings(),
            Role::Destination => HostSettings::schema(connector.expect_destination()?),
        };
        Ok(Self {
            role,
            connector,
            schema: Arc::new(schema),
            values: Map::new(),
            origins: BTreeMap::new(),
            credential: None,
            is_file_exposed: false,
        })
    }

    /// The name of the connector.
    #[must_use]
    pub fn name(&self) -> String {
        self.connector.identity().name
    }

    /// Which half of the contract it is used for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The connector.
    #[must_use]
    pub fn connector(&self) -> &Arc<dyn Connector> {
        &self.connector
    }

    /// The settings, including those that hosts handle.
    #[must_use]
    pub fn schema(&self) -> &SettingsSchema {
        &self.schema
    }

    /// The chosen credential of the store.
    #[must_use]
    pub fn stored_credential(&self) -> Option<&StoredCredential> {
        self.credential.as_ref()
    }

    /// What it can do as a destination; `None` for a source.
    #[must_use]
    pub fn capabilities(&self) -> Option<Capabilities> {
        let destination = self.connector.destination();
        let destination = destination.filter(|_| self.role == Role::Destination);
        destination.map(connector_core::DestinationRole::capabilities)
    }

    /// The location of its data, as set.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        let location = self.schema.location.as_ref()?;
        self.values.get(&location.key)?.as_str()
    }

    /// The form that users type: `sqlite:copy.db`. User and query of an address are omitted,
    /// because they may hold a password.
    #[must_use]
    pub fn label(&self) -> String {
        let kind = self.schema.location.as_ref().map(|location| location.kind);
        match self.location() {
            Some(location) if kind == Some(LocationKind::Url) => without_secrets(location),
            Some(location) => format!("{}:{location}", self.name()),
            None => self.name(),
        }
    }

    /// Whether a setting has a value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !value.is_null())
    }

    /// The value of a setting.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Sets a setting.
    pub fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.values.insert(key.to_owned(), value);
        self.origins.insert(key.to_owned(), origin);
    }

    /// Where a setting was set.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key)
    }

    /// Whether a setting that holds a secret is set.
    #[must_use]
    pub fn holds_secret(&self) -> bool {
        self.schema.secret_keys().any(|key| self.has(key))
    }

    /// Whether one of its secrets is in a file that other users can read.
    #[must_use]
    pub fn exposes_secret(&self) -> bool {
        let is_in_file = |key: &str| self.origin(key) == Some(&Origin::File);
        self.is_file_exposed && self.schema.secret_keys().any(is_in_file)
    }

    /// The settings that the host handles, and the setup for the connector.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if one of those is wrong.
    pub fn setup(&self, credential: Option<Credential>) -> Result<(HostSettings, Setup)> {
        let mut configuration = Configuration::new(Value::Object(self.values.clone()))?;
        let host = match self.capabilities() {
            Some(capabilities) => HostSettings::take(&mut configuration, &capabilities)?,
            None => HostSettings::default(),
        };
        Ok((host, Setup::new(configuration).with_credential(credential)))
    }

    /// Checks the settings without opening anything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key;
    /// [`ErrorKind::Auth`](connector_core::ErrorKind::Auth) if a credential is missing.
    pub fn validate(&self, setup: &Setup) -> Result<()> {
        match self.role {
            Role::Source => self.connector.expect_source()?.validate(setup),
            Role::Destination => self.connector.expect_destination()?.validate(setup),
        }
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of [`SourceRole::open`](connector_core::SourceRole::open).
    pub async fn open_source(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        self.connector.expect_source()?.open(setup).await
    }

    /// Opens it for writing.
    ///
    /// # Errors
    /// Those of [`DestinationRole::open`](connector_core::DestinationRole::open).
    pub async fn open_destination(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        self.connector.expect_destination()?.open(setup).await
    }

    /// Opens it as a replica.
    ///
    /// # Errors
    /// Those of [`ReplicaRole::open`](connector_core::ReplicaRole::open).
    pub async fn open_replica(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        self.connector.expect_replica()?.open(setup).await
    }

    /// For a sentence: `the source `jsonl``.
    #[must_use]
    pub fn described(&self) -> String {
        let role = match self.role {
            Role::Source => "source",
            Role::Destination => "destination",
        };
        format!("the {role} `{}`", self.name())
    }

    /// The flag of this name, if the connector declares it in this role.
    pub(super) fn flag(&self, name: &str) -> Option<FlagSetting> {
        let mut flags = self.schema.flags.iter();
        flags.find(|flag| flag.flag == name).cloned()
    }

    /// The JSON Schema of a setting; null if it has none.
    pub(super) fn property(&self, key: &str) -> Value {
        self.schema.json_schema["properties"][key].clone()
    }

    /// Replaces `~` in its location.
    pub(super) fn expand_home(&mut self) {
        let Some(location) = &self.schema.location else {
            return;
        };
        if location.kind != LocationKind::Url
            && let Some(Value::String(path)) = self.values.get_mut(&location.key)
        {
            *path = home::expand(path);
        }
    }

    /// Replaces the text values of these settings for which `change` returns a new value.
    pub(super) fn change_texts(
        &mut self,
        keys: impl IntoIterator<Item = String>,
        change: impl Fn(&str) -> Option<String>,
    ) {
        for key in keys {
            if let Some(Value::String(text)) = self.values.get_mut(&key)
                && let Some(changed) = change(text)
            {
                *text = changed;
            }
        }
    }
}

/// An address without the parts that may hold a secret.
fn without_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (address, shown) in [
            ("db://ada:s@c@host:1/a?password=s", "db://host:1/a"),
            ("db://host/a", "db://host/a"),
            ("db://ada@host", "db://host"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
