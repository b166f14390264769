//! The source: reads a [`Remote`] in the order of its changes.

mod forecast;
mod partitions;
mod permissions;
mod position;
mod read;
mod verification;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Event, ForecastingSource, Message, Observer, PartitionedSource, PermissionAwareSource,
    ReadRequest, Result, Selection, Source, StreamName, VerifiableSource,
};
use futures::stream::BoxStream;
use secrecy::{ExposeSecret, SecretString};

use super::remote::{Remote, catalog};
use super::settings::ReadSettings;

pub(super) use position::CONNECTOR;

/// Reads people and tasks.
#[derive(Clone)]
pub(super) struct MemorySource {
    remote: Remote,
    token: SecretString,
    page_size: usize,
    observer: Arc<dyn Observer>,
}

impl MemorySource {
    pub(super) fn new(remote: Remote, settings: ReadSettings, observer: Arc<dyn Observer>) -> Self {
        Self {
            remote,
            token: settings.token,
            page_size: settings.page_size,
            observer,
        }
    }

    /// Sends a request, and returns the rights of the token. It takes a turn of the runtime.
    async fn request(&self, stream: Option<&StreamName>) -> Result<Vec<String>> {
        let stream = stream.cloned();
        self.observer.observe(Event::Request { stream });
        tokio::task::yield_now().await;
        self.remote.request(self.token.expose_secret())
    }
}

/// Checks that each stream is there and can be read in its mode.
fn expect_known(selections: &[Selection]) -> Result<()> {
    selections.iter().try_for_each(|selection| {
        let stream = catalog().stream(selection.stream.as_str())?;
        stream.expect_mode(selection.mode)
    })
}

#[async_trait]
impl Source for MemorySource {
    async fn check(&self) -> Result<()> {
        self.request(None).await.map(|_| ())
    }

    async fn discover(&self) -> Result<Catalog> {
        Ok(catalog().clone())
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        read::read(self.clone(), request)
    }

    fn partitioned(&self) -> Option<&dyn PartitionedSource> {
        Some(self)
    }

    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        Some(self)
    }

    fn verifiable(&self) -> Option<&dyn VerifiableSource> {
        Some(self)
    }

    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        Some(self)
    }
}
