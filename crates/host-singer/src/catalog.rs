//! The catalog: the streams there are, and those that a runner selects.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::{
    Catalog, Error, ErrorKind, Result, Selection as Read, Stream, StreamName, SyncMode,
};
use host_kit::{Level, Notice, selection};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::selection::Fields;

const FULL_TABLE: &str = "FULL_TABLE";
const INCREMENTAL: &str = "INCREMENTAL";

/// The document of `--discover`.
pub(crate) fn discovered(catalog: &Catalog) -> Value {
    let streams: Vec<_> = catalog.streams.iter().map(entry).collect();
    json!({"streams": streams})
}

fn entry(stream: &Stream) -> Value {
    let method = match stream.preferred_mode() {
        Ok(SyncMode::Incremental) => INCREMENTAL,
        _ => FULL_TABLE,
    };
    let mut root = json!({
        "inclusion": "available",
        "selected-by-default": stream.is_default,
        "table-key-properties": stream.primary_key,
    });
    if stream.sync_modes.len() == 1 {
        root["forced-replication-method"] = method.into();
    }
    if let Some(cursor) = &stream.cursor {
        root["valid-replication-keys"] = json!([cursor]);
    }
    let mut metadata = vec![json!({"breadcrumb": [], "metadata": root})];
    for field in properties(&stream.json_schema).into_iter().flatten() {
        let is_needed =
            stream.primary_key.contains(field.0) || stream.cursor.as_ref() == Some(field.0);
        let inclusion = if is_needed { "automatic" } else { "available" };
        metadata.push(json!({
            "breadcrumb": ["properties", field.0],
            "metadata": {"inclusion": inclusion},
        }));
    }
    let mut entry = json!({
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "key_properties": stream.primary_key,
        "replication_method": method,
        "schema": draft_4(stream.json_schema.clone()),
        "metadata": metadata,
    });
    if let Some(cursor) = &stream.cursor {
        entry["replication_key"] = cursor.as_str().into();
    }
    entry
}

/// Targets check records with validators of draft 4, where a schema is always an object: the one
/// that allows anything is `{}`, not `true`.
fn draft_4(mut schema: Value) -> Value {
    let object = |value: &mut Value| match value.take() {
        Value::Bool(true) => json!({}),
        schema => draft_4(schema),
    };
    if let Some(items) = schema.get_mut("items") {
        *items = object(items);
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut() {
            *property = object(property);
        }
    }
    schema
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

/// A catalog as runners give it back.
#[derive(Debug, Deserialize)]
pub(crate) struct GivenCatalog {
    streams: Vec<GivenStream>,
}

#[derive(Debug, Deserialize)]
struct GivenStream {
    tap_stream_id: Option<String>,
    stream: Option<String>,
    schema: Option<Value>,
    replication_method: Option<String>,
    selected: Option<bool>,
    metadata: Option<Vec<Metadata>>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    breadcrumb: Vec<String>,
    metadata: Marks,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Marks {
    selected: Option<bool>,
    inclusion: Option<String>,
    #[serde(rename = "selected-by-default")]
    selected_by_default: Option<bool>,
    #[serde(rename = "replication-method")]
    replication_method: Option<String>,
}

/// A selected stream, and what of it is sent.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) read: Read,
    pub(crate) stream: Stream,
    pub(crate) fields: Fields,
    /// Fields that are sent whole although a part of them is not selected.
    sent_whole: BTreeSet<String>,
}

impl Wanted {
    /// What the user should know of the selection.
    pub(crate) fn notice(&self) -> Option<Notice> {
        if self.sent_whole.is_empty() {
            return None;
        }
        let fields: Vec<_> = self.sent_whole.iter().map(String::as_str).collect();
        let text = format!(
            "{}: only whole fields can be left out; these are sent with everything in them: {}",
            self.stream.name,
            fields.join(", ")
        );
        Some(Notice::Log(Level::Warn, text))
    }
}

/// Without a catalog: the default streams, whole.
pub(crate) fn wanted_by_default(known: Catalog) -> Result<Vec<Wanted>> {
    let streams = known.streams.into_iter().filter(|stream| stream.is_default);
    streams
        .map(|mut stream| {
            stream.json_schema = draft_4(stream.json_schema);
            wanted(stream, None, Fields::all(), BTreeSet::new())
        })
        .collect()
}

impl GivenCatalog {
    /// The streams that are selected, in the order of the source's catalog.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a selected stream or a method that the source does not have.
    pub(crate) fn wanted(self, known: &Catalog) -> Result<Vec<Wanted>> {
        let mut selected = BTreeMap::new();
        for given in self.streams {
            let name = given.name()?;
            if given.is_selected() {
                let position = known.stream(name.as_str())?;
                let at = known.streams.iter().position(|s| s.name == position.name);
                selected.insert(at, given);
            }
        }
        let streams = selected.into_iter();
        streams
            .filter_map(|(at, given)| Some((known.streams.get(at?)?.clone(), given)))
            .map(|(mut stream, given)| {
                let fields = given.fields(&stream);
                let sent_whole = given.sent_whole(&fields);
                let method = given.method().map(str::to_owned);
                if let Some(schema) = given.schema.filter(|schema| schema.is_object()) {
                    stream.json_schema = schema;
                }
                stream.json_schema = fields.schema(draft_4(stream.json_schema));
                wanted(stream, method.as_deref(), fields, sent_whole)
            })
            .collect()
    }
}

/// Runners set one method for all streams, so each stream is read as it can be.
fn wanted(
    stream: Stream,
    method: Option<&str>,
    fields: Fields,
    sent_whole: BTreeSet<String>,
) -> Result<Wanted> {
    let asked = match method {
        None => None,
        Some(FULL_TABLE) => Some(SyncMode::FullRefresh),
        Some(INCREMENTAL) => Some(SyncMode::Incremental),
        Some(_) => {
            let message = "the replication method must be FULL_TABLE or INCREMENTAL";
            return Err(Error::new(ErrorKind::Config, message).with_context("stream", &stream.name));
        }
    };
    Ok(Wanted {
        read: selection(&stream, asked)?,
        stream,
        fields,
        sent_whole,
    })
}

impl GivenStream {
    fn name(&self) -> Result<StreamName> {
        let name = self.tap_stream_id.as_deref().or(self.stream.as_deref());
        name.map(StreamName::from).ok_or_else(|| {
            let message = "a stream of the catalog has no `tap_stream_id`";
            Error::new(ErrorKind::Config, message)
        })
    }

    fn marks(&self, breadcrumb: &[&str]) -> Marks {
        let all = self.metadata.iter().flatten();
        let mut at = all.filter(|entry| entry.breadcrumb == breadcrumb);
        at.next().map(|m| m.metadata.clone()).unwrap_or_default()
    }

    fn is_selected(&self) -> bool {
        let marks = self.marks(&[]);
        let chosen = marks.selected.or(self.selected);
        chosen.or(marks.selected_by_default).unwrap_or(false)
    }

    fn method(&self) -> Option<&str> {
        let mut all = self.metadata.iter().flatten();
        let root = all.find(|entry| entry.breadcrumb.is_empty());
        let chosen = root.and_then(|root| root.metadata.replication_method.as_deref());
        chosen.or(self.replication_method.as_deref())
    }

    /// Top-level fields that are left out. Keys never are.
    fn fields(&self, stream: &Stream) -> Fields {
        let entries = self.metadata.iter().flatten();
        let left_out = entries.filter_map(|entry| match &entry.breadcrumb[..] {
            [properties, field] if properties == "properties" => {
                let is_key = stream.primary_key.contains(field);
                (!is_key && entry.metadata.is_left_out()).then(|| field.clone())
            }
            _ => None,
        });
        Fields::without(left_out)
    }
}

impl GivenStream {
    /// Fields of which only a part is left out, which cannot be done.
    fn sent_whole(&self, fields: &Fields) -> BTreeSet<String> {
        let entries = self.metadata.iter().flatten();
        let fields = entries.filter_map(|entry| match &entry.breadcrumb[..] {
            [properties, field, _, ..] if properties == "properties" => {
                let is_partial = entry.metadata.is_left_out() && fields.has(field);
                is_partial.then(|| field.clone())
            }
            _ => None,
        });
        fields.collect()
    }
}

impl Marks {
    fn is_left_out(&self) -> bool {
        match self.inclusion.as_deref() {
            Some("automatic") => false,
            Some("unsupported") => true,
            _ => !self.selected.or(self.selected_by_default).unwrap_or(true),
        }
    }
}
