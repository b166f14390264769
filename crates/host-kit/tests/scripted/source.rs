use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, Message, ReadRequest, Result, SettingsSchema, Setup, Source,
    SourceRole,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ending, Scripted};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(rename = "start_date")]
    _start_date: Option<String>,
    #[serde(rename = "limit")]
    _limit: Option<u8>,
    #[serde(rename = "organizations")]
    _organizations: Option<Vec<String>>,
    #[serde(rename = "masked")]
    _masked: Option<bool>,
}

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "start_date": {"type": "string"},
            "limit": {"type": "integer"},
            "organizations": {"type": "array", "items": {"type": "string"}},
            "masked": {"type": "boolean"},
        },
    })
}

impl Scripted {
    /// Checks the settings, and writes down what of them is set.
    pub(super) fn accept(&self, setup: &Setup) -> Result<()> {
        let keys = ["start_date", "limit", "organizations", "masked"];
        let set = keys.iter().filter_map(|key| {
            let value = setup
                .configuration
                .get(key)
                .filter(|value| !value.is_null())?;
            Some((*key, value))
        });
        let set: serde_json::Map<_, _> = set
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        let text = Value::Object(set).to_string();
        self.memory.lock().unwrap().settings.push(text);
        setup.configuration.clone().parse::<Settings>().map(|_| ())
    }
}

#[async_trait]
impl SourceRole for Scripted {
    fn settings(&self) -> SettingsSchema {
        SettingsSchema::new(schema())
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        self.accept(setup)
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        SourceRole::validate(self, &setup)?;
        for event in &self.events {
            setup.observer.observe(event.clone());
        }
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Source for Scripted {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog> {
        Ok(Catalog::new(self.catalog.clone()))
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        self.memory.lock().unwrap().requests.push(request);
        let messages = stream::iter(self.messages.clone().into_iter().map(Ok));
        match self.ending {
            Ending::Complete => messages.boxed(),
            Ending::Waits => messages.chain(stream::pending()).boxed(),
            Ending::Fails => {
                let error = Error::new(ErrorKind::Unavailable, "the remote is down");
                messages.chain(stream::iter([Err(error)])).boxed()
            }
        }
    }
}
