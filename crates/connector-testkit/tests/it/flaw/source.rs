//! The source and what it can do beside reading.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Forecast, ForecastingSource, JsonObject, Message, PartitionedSource, Partitions,
    PermissionAwareSource, ReadRequest, Record, Replica, Result, Setup, Source, State,
    VerifiableSource, Verification,
};
use futures::stream::{BoxStream, StreamExt};
use serde_json::Value;

use super::Mutant;

/// What a flaw can use: the correct source, and what it was opened with.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) inner: Arc<dyn Source>,
    pub(crate) setup: Setup,
    /// Tells this source from others.
    pub(crate) identity: Arc<()>,
}

/// A source with a flaw.
pub(super) struct WrongSource {
    reader: Reader,
    mutant: Arc<Mutant>,
}

impl Reader {
    /// A number that no other living source has.
    pub(crate) fn number(&self) -> usize {
        Arc::as_ptr(&self.identity).addr()
    }

    /// Whether another read of this source has not begun to yield messages.
    pub(crate) fn is_shared(&self) -> bool {
        // The source has one, and each read that has not begun.
        Arc::strong_count(&self.identity) > 2
    }
}

impl WrongSource {
    pub(super) fn new(inner: Arc<dyn Source>, setup: Setup, mutant: Arc<Mutant>) -> Self {
        let reader = Reader {
            inner,
            setup,
            identity: Arc::new(()),
        };
        Self { reader, mutant }
    }
}

#[async_trait]
impl Source for WrongSource {
    async fn check(&self) -> Result<()> {
        let mut result = self.reader.inner.check().await;
        if let Some(edit) = &self.mutant.check {
            edit(&self.reader.setup, &mut result);
        }
        result
    }

    async fn discover(&self) -> Result<Catalog> {
        let mut catalog = self.reader.inner.discover().await?;
        if let Some(edit) = &self.mutant.catalog {
            edit(&mut catalog);
        }
        Ok(catalog)
    }

    fn read(&self, mut request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let (reader, mutant) = (self.reader.clone(), Arc::clone(&self.mutant));
        if let Some(reads) = &mutant.reads {
            reads(&reader);
        }
        let asked = request.clone();
        if let Some(edit) = &mutant.request {
            edit(&reader, &mut request);
        }
        let messages = reader.inner.read(request);
        if mutant.messages.is_none() && mutant.record.is_none() {
            return messages;
        }
        let edited = async move {
            let mut messages: Vec<_> = messages.collect().await;
            if let Some(edit) = &mutant.record {
                edit_records(&mut messages, |record| edit(&reader, record));
            }
            if let Some(edit) = &mutant.messages {
                edit(&reader, &asked, &mut messages);
            }
            futures::stream::iter(messages)
        };
        futures::stream::once(edited).flatten().boxed()
    }

    fn partitioned(&self) -> Option<&dyn PartitionedSource> {
        (!self.mutant.is_reading_only).then_some(self)
    }

    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        (!self.mutant.is_reading_only).then_some(self)
    }

    fn verifiable(&self) -> Option<&dyn VerifiableSource> {
        (!self.mutant.is_reading_only).then_some(self)
    }

    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        Some(self)
    }
}

fn edit_records(messages: &mut [Result<Message>], edit: impl Fn(&mut Value)) {
    for message in messages {
        if let Ok(Message::Record(record)) = message
            && !record.is_removed()
        {
            let mut value = serde_json::from_str(record.data.as_str()).unwrap();
            edit(&mut value);
            let data = JsonObject::from_serialize(&value).unwrap();
            *record = Record::new(record.stream.clone(), data);
        }
    }
}

#[async_trait]
impl PartitionedSource for WrongSource {
    async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        end: Option<State>,
    ) -> Result<Partitions> {
        match &self.mutant.divide {
            Some(divide) => divide(&self.reader, request.clone(), at_most, end).await,
            None => divide(&self.reader, request, at_most, end).await,
        }
    }
}

/// Divides a read as the correct source does.
pub(crate) async fn divide(
    reader: &Reader,
    request: &ReadRequest,
    at_most: NonZeroUsize,
    end: Option<State>,
) -> Result<Partitions> {
    let partitioned = reader.inner.partitioned().unwrap();
    partitioned.partitions(request, at_most, end).await
}

#[async_trait]
impl ForecastingSource for WrongSource {
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        match &self.mutant.forecast {
            Some(forecast) => forecast(&self.reader, request).await,
            None => {
                self.reader
                    .inner
                    .forecasting()
                    .unwrap()
                    .forecast(request)
                    .await
            }
        }
    }
}

#[async_trait]
impl VerifiableSource for WrongSource {
    async fn verify(
        &self,
        mut request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        if let Some(edit) = &self.mutant.verifies {
            edit(&mut request);
        }
        let inner = self.reader.inner.verifiable().unwrap();
        let mut found = inner.verify(request, replica, samples).await;
        if let Some(edit) = &self.mutant.verified {
            edit(&self.reader.setup, &mut found);
        }
        found
    }
}

#[async_trait]
impl PermissionAwareSource for WrongSource {
    async fn mark_readable(&self, catalog: Catalog) -> Result<Catalog> {
        let inner = self.reader.inner.permission_aware().unwrap();
        let mut marked = inner.mark_readable(catalog).await;
        if let Some(edit) = &self.mutant.permissions {
            edit(&self.reader.setup, &mut marked);
        }
        marked
    }
}
