//! A connector in memory: correct, or wrong in one way.
//!
//! As a source it has two streams, `letters` (read in full) and `numbers` (read incrementally), a
//! page of two records a request; as a destination it takes the stream [`things`] and keeps rows
//! and states by the name of a store, as long as the [`Tiny`] lives. It is what the checks are proved with, and a small plugin
//! to learn from.

mod destination;
mod flaw;
mod pages;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use connector_core::{
    Capabilities, Configuration, Connector, Credential, Destination, DestinationRole, Error,
    ErrorKind, Identity, Replica, ReplicaRole, Result, SettingsSchema, Setup, Source, SourceRole,
    WriteMode,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub use destination::things;
use destination::{Kept, Store, Stores};
pub use flaw::Flaw;
use source::Letters;

/// The token that opens the streams.
pub const TOKEN: &str = "tiny_0123456789abcdef";
/// A key of the configuration: the name of the store that a destination writes to.
pub const STORE: &str = "store";

/// The connector. What is written to it stays in it.
#[derive(Debug, Clone, Default)]
pub struct Tiny {
    flaw: Option<Flaw>,
    stores: Stores,
    /// How many catalogs and reads it has given.
    given: Arc<AtomicU64>,
    is_broken: Arc<AtomicBool>,
}

impl Tiny {
    /// One that is wrong in this way.
    pub fn with(flaw: Flaw) -> Self {
        Self {
            flaw: Some(flaw),
            ..Self::default()
        }
    }

    /// From now on, each read fails before its second page of a stream; or no longer does.
    pub fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::SeqCst);
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn next(&self) -> u64 {
        self.given.fetch_add(1, Ordering::SeqCst)
    }

    fn parse(&self, setup: Setup) -> Result<Settings> {
        let key = match &setup.credential {
            Some(Credential::ApiKey(key)) => Some(key.expose_secret().to_owned()),
            _ => None,
        };
        let mut given: serde_json::Map<String, Value> = Configuration::parse(setup.configuration)?;
        let refused = |key: &str, what: &str| {
            Error::new(ErrorKind::Config, what.to_owned()).with_context("key", key)
        };
        let mut text = |key: &'static str| match given.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(key, "expected a text")),
        };
        let (token, store) = (text("token")?, text(STORE)?);
        let token = match key.or(token) {
            Some(token) => token,
            None if self.has(Flaw::OpensWithoutKey) => String::new(),
            None => return Err(refused("token", "it must be set")),
        };
        if !given.is_empty() {
            let message = "a key is unknown; allowed are `token` and `store`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Settings {
            token,
            store: store.unwrap_or_default(),
        })
    }
}

/// The configuration, checked. No `Debug`: it holds the token.
struct Settings {
    token: String,
    store: String,
}

impl Settings {
    fn prove(&self) -> Result<()> {
        if self.token == TOKEN {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Auth, "the token is not known"))
    }
}

impl Connector for Tiny {
    fn identity(&self) -> Identity {
        Identity::new("tiny", "Tiny", env!("CARGO_PKG_VERSION"))
            .with_documentation("https://example.com")
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
}

impl Tiny {
    fn schema(&self) -> SettingsSchema {
        let mut schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "token": {"type": "string", "description": "What opens it.", "writeOnly": true},
                STORE: {"type": "string", "description": "The store to write to."},
            },
            "required": ["token"],
            "additionalProperties": false,
        });
        let properties = &mut schema["properties"];
        match self.flaw {
            Some(Flaw::SchemaOfUnknownType) => properties[STORE]["type"] = "word".into(),
            Some(Flaw::KeyWithoutDescription) => properties[STORE] = json!({"type": "string"}),
            Some(Flaw::UnmarkedSecret) => properties["token"]["writeOnly"] = false.into(),
            _ => {}
        }
        SettingsSchema::new(schema)
    }
}

#[async_trait]
impl SourceRole for Tiny {
    fn settings(&self) -> SettingsSchema {
        self.schema()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        self.parse(setup.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let observer = Arc::clone(&setup.observer);
        let settings = self.parse(setup)?;
        Ok(Arc::new(Letters::new(self.clone(), settings, observer)))
    }
}

#[async_trait]
impl DestinationRole for Tiny {
    fn settings(&self) -> SettingsSchema {
        self.schema()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Upsert]).with_state()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        self.parse(setup.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let settings = self.parse(setup)?;
        Ok(Box::new(Store::new(self.clone(), settings)))
    }
}

#[async_trait]
impl ReplicaRole for Tiny {
    async fn open(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        let settings = self.parse(setup)?;
        Ok(Arc::new(Kept::new(self.stores.clone(), settings.store)))
    }
}
