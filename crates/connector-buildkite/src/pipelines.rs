//! The pipelines of an organization, in full.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::{Error, ErrorKind, JsonObject, ObjectWriter, Record, Result};
use futures::stream::{BoxStream, StreamExt};

use crate::error::in_stream;
use crate::scope::{Identified, Scope};
use crate::streams::{PIPELINES, pipeline_record};

/// The API has the pipeline no more: it was deleted, or is hidden from the token. It gives the
/// same answer to both (API facts 2.4).
const DELETED_OR_HIDDEN: &str = "deleted_or_hidden";

/// Each pipeline of an organization once: pages shift while pipelines come and go. Behind them, the
/// news of those that the copy knows and the API has no more.
pub(crate) fn pipelines_of(
    client: &Client,
    scope: &Arc<Scope>,
    organization: String,
) -> BoxStream<'static, Result<Record>> {
    let path = ["v2", "organizations", &organization, "pipelines"];
    let mut list = client.list(&path, &[], Paging::Number).boxed();
    let (client, scope) = (client.clone(), Arc::clone(scope));
    let records = try_stream! {
        let mut read = BTreeMap::new();
        while let Some(raw) = list.next().await {
            let raw = match raw {
                Ok(raw) => raw,
                Err(ClientError::NotFound { .. }) => {
                    let error = scope.unknown(&client, &organization).await;
                    Err(error.with_context("stream", PIPELINES))?
                }
                Err(error) => Err(in_stream(&PIPELINES.into())(error))?,
            };
            let Identified { id, slug } = Identified::of(&raw).ok_or_else(lacks_id)?;
            if read.insert(id, slug).is_none() {
                yield pipeline_record(&raw, &organization)?;
            }
        }
        let vanished = scope.vanished(&client, &organization, &read).await?;
        for id in vanished {
            yield Record::removed(PIPELINES.into(), key(&id), DELETED_OR_HIDDEN);
        }
        scope.note_pipelines(&organization, read);
    };
    records.boxed()
}

/// The error of a pipeline that cannot be told from others.
pub(crate) fn lacks_id() -> Error {
    let message = "a pipeline without a usable `id` or `slug`";
    Error::new(ErrorKind::Protocol, message).with_context("stream", PIPELINES)
}

/// The primary key of a record that is gone.
pub(crate) fn key(id: &str) -> JsonObject {
    let mut key = ObjectWriter::with_capacity(id.len() + 16);
    key.string("id", id);
    key.finish()
}
