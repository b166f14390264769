//! Made-up data, so that a program can be tried without an account.

use std::any::Any;

use async_trait::async_trait;
use connector_core::{Credential, Result, State};
use serde_json::Value;

/// A fake remote inside the program: `--demo` reads from it with the default source.
#[async_trait]
pub trait Demo: Send + Sync {
    /// One line for the help of `--demo`.
    fn help(&self) -> String;

    /// Starts the fake. `previous` is the state of the demo that the copy holds already: the fake
    /// continues from it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](connector_core::ErrorKind::Io) if it cannot be started.
    async fn start(&self, previous: Option<&State>) -> Result<RunningDemo>;
}

/// A running fake. Dropping this ends it.
#[non_exhaustive]
pub struct RunningDemo {
    /// The settings that point the source at the fake.
    pub settings: Vec<(String, Value)>,
    /// The credential that the fake accepts.
    pub credential: Option<Credential>,
    /// A sentence for the user.
    pub notice: String,
    _fake: Box<dyn Any + Send + Sync>,
}

impl RunningDemo {
    /// `fake` answers until it is dropped.
    pub fn new(notice: impl Into<String>, fake: impl Any + Send + Sync) -> Self {
        Self {
            settings: Vec::new(),
            credential: None,
            notice: notice.into(),
            _fake: Box::new(fake),
        }
    }

    /// Sets a setting of the source.
    #[must_use]
    pub fn with_setting(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.push((key.to_owned(), value.into()));
        self
    }

    /// Sets the credential that the fake accepts.
    #[must_use]
    pub fn with_credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }
}
