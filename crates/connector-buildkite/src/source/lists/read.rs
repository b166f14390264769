//! Reads one declared list of one parent.

use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::{JsonObject, ObjectWriter};
use futures::stream::{BoxStream, StreamExt};
use serde_json::value::RawValue;

use super::keys::Keys;
use crate::streams::{ListStream, Shape};

impl ListStream {
    /// The records of one parent in the server's order: each as it came, and with the keys of its
    /// parents. `max_bytes` limits an answer that is one object: of a longer one, a log, only the
    /// end comes, as `content`.
    ///
    /// # Errors
    /// Those of the client; [`ClientError::Protocol`] for an item that is not an object.
    pub(crate) fn read(
        self: Arc<Self>,
        client: &Client,
        keys: &Keys,
        max_bytes: usize,
    ) -> BoxStream<'static, Result<(Box<RawValue>, JsonObject), ClientError>> {
        let client = match self.version {
            Some(version) => client.with_version(version),
            None => client.clone(),
        };
        let (list, keys) = (self, keys.clone());
        let records = try_stream! {
            let segments = keys.fill(&list.path).map_err(|key| no_key(&list.path, &key))?;
            let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
            if list.shape == Shape::Object {
                let raw = match client.object_within(&segments, &list.query, max_bytes).await? {
                    Some(raw) => raw,
                    None => too_long(client.end_of_text(&segments, max_bytes).await?),
                };
                let record = keys.extend(&raw).ok_or_else(|| no_object(&list.path))?;
                yield (raw, record);
                return;
            }
            let paging = match list.shape {
                Shape::Cursor => Paging::Cursor,
                _ => Paging::Number,
            };
            let mut items = client
                .list_at(&segments, &list.query, paging, list.records.as_deref())
                .boxed();
            while let Some(raw) = items.next().await {
                let raw = raw?;
                let record = keys.extend(&raw).ok_or_else(|| no_object(&list.path))?;
                yield (raw, record);
            }
        };
        records.boxed()
    }
}

/// Replaces a log that is too long: only its end.
fn too_long(end: Option<(String, u64)>) -> Box<RawValue> {
    let (content, size) = end.unwrap_or_default();
    let mut object = ObjectWriter::with_capacity(content.len() + 64);
    object.string("content", &content);
    object.number("size", size);
    let yes: &RawValue = serde_json::from_str("true").expect("it is valid JSON");
    object.raw("content_truncated", yes);
    let text = object.finish().as_str().to_owned();
    RawValue::from_string(text).expect("an object is valid JSON")
}

fn no_key(path: &str, key: &str) -> ClientError {
    ClientError::Protocol {
        path: format!("/{path}"),
        what: format!("its parent has no `{key}`"),
    }
}

fn no_object(path: &str) -> ClientError {
    ClientError::Protocol {
        path: format!("/{path}"),
        what: "an item that is not an object".to_owned(),
    }
}
