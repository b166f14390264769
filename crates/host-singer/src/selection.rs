//! The streams and fields that a runner selects.

use std::collections::BTreeMap;

use connector_core::{Catalog, Error, ErrorKind, Result, Selection, Stream, StreamName, SyncMode};
use host_kit::{Level, Notice, selection};
use serde::Deserialize;
use serde_json::Value;

use crate::discovery::{FULL_TABLE, INCREMENTAL, draft_4};
use crate::fields::Fields;

/// A catalog in the form in which runners return it.
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

/// A selected stream, and the fields that are sent.
#[derive(Debug)]
pub(crate) struct SelectedStream {
    pub(crate) read: Selection,
    pub(crate) stream: Stream,
    pub(crate) fields: Fields,
}

/// Without a catalog: the default streams, whole.
///
/// # Errors
/// Those of [`selection`].
pub(crate) fn default_streams(known: Catalog) -> Result<Vec<SelectedStream>> {
    let streams = known.streams.into_iter().filter(|stream| stream.is_default);
    streams
        .map(|stream| SelectedStream::new(stream, None, Fields::all()))
        .collect()
}

impl SelectedStream {
    /// Runners set one method for all streams, so a stream without that method is read in its
    /// preferred mode.
    fn new(mut stream: Stream, asked: Option<SyncMode>, fields: Fields) -> Result<Self> {
        stream.json_schema = fields.schema(draft_4(stream.json_schema));
        Ok(Self {
            read: selection(&stream, asked)?,
            stream,
            fields,
        })
    }

    /// What the user should know about the selection.
    pub(crate) fn notice(&self) -> Option<Notice> {
        let fields: Vec<_> = self.fields.sent_whole().collect();
        if fields.is_empty() {
            return None;
        }
        let text = format!(
            "{}: only whole fields can be left out; these are sent with everything in them: {}",
            self.stream.name,
            fields.join(", ")
        );
        Some(Notice::Log(Level::Warn, text))
    }
}

impl GivenCatalog {
    /// The streams that are selected, in the order of the source's catalog.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a selected stream or a method that the source does not have.
    pub(crate) fn select(self, known: &Catalog) -> Result<Vec<SelectedStream>> {
        let mut selected = BTreeMap::new();
        for given in self.streams.into_iter().filter(GivenStream::is_selected) {
            let name = given.name()?;
            known.stream(name.as_str())?;
            selected.insert(name, given);
        }
        let streams = known.streams.iter();
        streams
            .filter_map(|stream| Some(selected.remove(&stream.name)?.select(stream.clone())))
            .collect()
    }
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

    fn select(self, mut stream: Stream) -> Result<SelectedStream> {
        let asked = self.sync_mode();
        let asked = asked.map_err(|error| error.with_context("stream", &stream.name))?;
        let fields = self.fields(&stream);
        if let Some(schema) = self.schema.filter(Value::is_object) {
            stream.json_schema = schema;
        }
        SelectedStream::new(stream, asked, fields)
    }

    fn sync_mode(&self) -> Result<Option<SyncMode>> {
        let root = self.marks(&[]);
        let chosen = root.replication_method.as_deref();
        match chosen.or(self.replication_method.as_deref()) {
            None => Ok(None),
            Some(FULL_TABLE) => Ok(Some(SyncMode::FullRefresh)),
            Some(INCREMENTAL) => Ok(Some(SyncMode::Incremental)),
            Some(_) => {
                let message = "the replication method must be FULL_TABLE or INCREMENTAL";
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }

    /// What is sent. Keys always are.
    fn fields(&self, stream: &Stream) -> Fields {
        let mut fields = Fields::all();
        let is_key = |field: &String| stream.primary_key.contains(field);
        let entries = self.metadata.iter().flatten();
        for entry in entries.filter(|entry| entry.metadata.is_left_out()) {
            match &entry.breadcrumb[..] {
                [parent, field] if parent == "properties" && !is_key(field) => {
                    fields.leave_out(field);
                }
                [parent, field, _, ..] if parent == "properties" => fields.leave_out_part(field),
                _ => {}
            }
        }
        fields
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
