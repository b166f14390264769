//! What a connector is opened with.

use std::sync::Arc;

use connector_core::{Configuration, Credential, Ignore, Observer, Result, SettingsSchema, Setup};
use secrecy::ExposeSecret;
use serde_json::Value;

/// A configuration, and the credential that goes with it, if there is one.
#[derive(Debug, Clone)]
pub struct Access {
    configuration: Value,
    credential: Option<Credential>,
}

impl Access {
    /// With a configuration alone, a JSON object.
    pub fn new(configuration: Value) -> Self {
        Self {
            configuration,
            credential: None,
        }
    }

    /// Sets the credential.
    #[must_use]
    pub fn with_credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The value of a setting; null if it is not set.
    pub fn get(&self, key: &str) -> &Value {
        &self.configuration[key]
    }

    pub(crate) fn configuration(&self) -> &Value {
        &self.configuration
    }

    pub(crate) fn has_credential(&self) -> bool {
        self.credential.is_some()
    }

    pub(crate) fn without_credential(mut self) -> Self {
        self.credential = None;
        self
    }

    /// Without a key of the configuration.
    pub(crate) fn without(&self, key: &str) -> Self {
        let mut access = self.clone();
        if let Some(keys) = access.configuration.as_object_mut() {
            keys.shift_remove(key);
        }
        access
    }

    /// With another value for a key of the configuration.
    pub(crate) fn with(&self, key: &str, value: impl Into<Value>) -> Self {
        let mut access = self.clone();
        if let Some(keys) = access.configuration.as_object_mut() {
            keys.insert(key.to_owned(), value.into());
        }
        access
    }

    /// The setup without an observer.
    pub(crate) fn setup(&self) -> Result<Setup> {
        self.watched(Arc::new(Ignore))
    }

    pub(crate) fn watched(&self, observer: Arc<dyn Observer>) -> Result<Setup> {
        let configuration = Configuration::new(self.configuration.clone())?;
        Ok(Setup::new(configuration)
            .with_credential(self.credential.clone())
            .with_observer(observer))
    }

    /// The values that must appear nowhere: the credential, and settings that hold a secret.
    pub(crate) fn secrets(&self, settings: &SettingsSchema) -> Vec<String> {
        let credential = match &self.credential {
            Some(Credential::ApiKey(key)) => Some(key),
            Some(Credential::PrivateKey { pem, .. }) => Some(pem),
            _ => None,
        };
        let credential = credential.map(|secret| secret.expose_secret().to_owned());
        let marked = settings.secret_keys();
        let marked = marked.filter_map(|key| self.configuration[key].as_str().map(str::to_owned));
        credential.into_iter().chain(marked).collect()
    }
}
