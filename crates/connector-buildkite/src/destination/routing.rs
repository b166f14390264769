//! Which stream of the destination takes a record, mapped or not.

use std::collections::BTreeMap;

use connector_core::{JsonObject, ObjectWriter, Record, Result, StreamName};

use super::config::DestinationConfig;
use super::delivery::{KeyParts, PendingRecord};
use super::mapping::CompiledMapping;
use super::streams::ACCEPTED_STREAMS;
use super::streams::field_types::FieldTypes;
use super::streams::record::{AcceptedStream, Defaults, Request};
use crate::error::invalid_setting;

/// How the fields begin that hosts add to records.
const FIELDS_OF_HOSTS: [&str; 4] = ["_sdc_", "_airbyte_", "_ab_", "_dlt_"];

/// Brackets within each other, at most: no reader here takes more.
const MAX_DEPTH: usize = 100;

/// Where the records of each stream of the source go.
pub(super) struct Routes {
    by_stream: BTreeMap<StreamName, Route>,
    /// Where the records of all other streams go.
    otherwise: Route,
    key_parts: KeyParts,
    /// By accepted stream.
    field_types: BTreeMap<&'static str, FieldTypes>,
}

/// Where the records of one stream of the source go.
pub(super) struct Route {
    pub(super) accepted: &'static AcceptedStream,
    mapping: Option<CompiledMapping>,
}

/// A record, and what it asks for; or a sentence why it asks for nothing.
pub(super) struct RoutedRecord {
    pub(super) stream: &'static str,
    pub(super) key: String,
    pub(super) request: Result<Request, String>,
    /// The record as the stream reads it, if it asks for something.
    pub(super) record: Option<JsonObject>,
    /// What the user must know of how it was read.
    pub(super) notices: Vec<String>,
}

/// A record of an accepted stream.
struct ParsedRecord {
    request: Result<Request, String>,
    record: JsonObject,
    /// Fields whose values were read as another type.
    read: Vec<String>,
}

impl Routes {
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key and what is
    /// allowed.
    pub(super) fn new(config: &DestinationConfig) -> Result<Self> {
        let plain = |accepted| Route {
            accepted,
            mapping: None,
        };
        let mut by_stream = BTreeMap::new();
        for accepted in &ACCEPTED_STREAMS {
            by_stream.insert(accepted.name.into(), plain(accepted));
        }
        for (name, mapping) in &config.mapping {
            let accepted = accepted(&format!("mapping.{name}.to"), &mapping.to)?;
            let mapping = Some(CompiledMapping::new(name, mapping)?);
            by_stream.insert(name.as_str().into(), Route { accepted, mapping });
        }
        Ok(Self {
            by_stream,
            otherwise: plain(accepted("stream", &config.stream)?),
            key_parts: config.key_parts()?,
            field_types: ACCEPTED_STREAMS
                .iter()
                .map(|accepted| (accepted.name, FieldTypes::of(&(accepted.schema)())))
                .collect(),
        })
    }

    pub(super) fn of(&self, stream: &StreamName) -> &Route {
        self.by_stream.get(stream).unwrap_or(&self.otherwise)
    }

    /// Reads a record.
    pub(super) fn read(&self, record: &Record, config: &DestinationConfig) -> RoutedRecord {
        let route = self.of(&record.stream);
        let (own, host_field) = own_fields(&record.data).unzip();
        let own = own.as_ref().unwrap_or(&record.data);
        let scope = route.scope(&record.stream);
        let key = self.key(&scope, record, own);
        let request = match &key {
            _ if record.is_removed() => Err("its source no longer has it".to_owned()),
            Ok(_) => self.parse(route, &record.data, own, &Defaults(config)),
            Err(reason) => Err(reason.clone()),
        };
        let added = |field| format!("fields that hosts add, such as `{field}`, are left out");
        let mut notices: Vec<_> = host_field.map(added).into_iter().collect();
        let (request, record) = match request {
            Ok(parsed) => {
                notices.extend(parsed.read.iter().map(|field| {
                    format!("values of `{field}` are read as the type that the stream has for it")
                }));
                (parsed.request, Some(parsed.record))
            }
            Err(reason) => (Err(reason), None),
        };
        RoutedRecord {
            stream: route.accepted.name,
            // A record whose own key is incomplete is listed under that of all its content.
            key: key.unwrap_or_else(|_| whole_key(&scope, own)),
            request,
            record,
            notices,
        }
    }

    fn parse(
        &self,
        route: &Route,
        whole: &JsonObject,
        own: &JsonObject,
        defaults: &Defaults<'_>,
    ) -> Result<ParsedRecord, String> {
        let mapped = match &route.mapping {
            Some(mapping) => mapping.apply(whole)?,
            None => own.clone(),
        };
        let types = self.field_types.get(route.accepted.name);
        let (record, read) = types
            .and_then(|types| types.read(&mapped))
            .unwrap_or((mapped, Vec::new()));
        Ok(ParsedRecord {
            request: (route.accepted.parse_record)(&record, defaults),
            record,
            read,
        })
    }

    fn key(&self, scope: &str, record: &Record, own: &JsonObject) -> Result<String, String> {
        if is_too_deep(&record.data) {
            return Err("it is nested too deeply".to_owned());
        }
        if self.key_parts.is_whole() {
            return self.key_parts.of(scope, own);
        }
        self.key_parts.of(scope, &record.data)
    }
}

impl RoutedRecord {
    /// A record that an earlier run has left to be applied. `None` if no stream has its name.
    pub(super) fn pending(pending: &PendingRecord, config: &DestinationConfig) -> Option<Self> {
        let mut streams = ACCEPTED_STREAMS.iter();
        let accepted = streams.find(|one| one.name == pending.stream)?;
        let record = JsonObject::parse(&pending.record).ok()?;
        Some(Self {
            stream: accepted.name,
            key: pending.key.clone(),
            request: (accepted.parse_record)(&record, &Defaults(config)),
            record: Some(record),
            notices: Vec::new(),
        })
    }

    /// The record for the journal, if it is to be applied in the end.
    pub(super) fn to_pending(&self) -> Option<PendingRecord> {
        let record = self.record.as_ref()?;
        Some(PendingRecord {
            stream: self.stream.to_owned(),
            key: self.key.clone(),
            record: record.as_str().to_owned(),
        })
    }
}

impl Route {
    /// Records of two streams that are mapped to one are never the same.
    fn scope(&self, stream: &StreamName) -> String {
        let name = self.accepted.name;
        match self.mapping {
            Some(_) => format!("{name} of {stream}"),
            None => name.to_owned(),
        }
    }
}

/// The accepted stream of that name.
///
/// # Errors
/// [`ErrorKind::Config`](connector_core::ErrorKind::Config), listing the names there are.
fn accepted(key: &str, name: &str) -> Result<&'static AcceptedStream> {
    let found = ACCEPTED_STREAMS.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = ACCEPTED_STREAMS.iter().map(|one| one.name).collect();
        invalid_setting(key, &format!("expected one of {}", names.join(", ")))
    })
}

fn whole_key(scope: &str, record: &JsonObject) -> String {
    if is_too_deep(record) {
        return String::new();
    }
    let key = KeyParts::default().of(scope, record);
    key.unwrap_or_default()
}

/// A record without the fields that hosts add for their own use, such as `_sdc_batched_at`, and
/// one of those fields. They are no part of what the record says. `None` if it has none.
fn own_fields(record: &JsonObject) -> Option<(JsonObject, String)> {
    let fields = record.fields().ok()?;
    let is_added = |name: &str| FIELDS_OF_HOSTS.iter().any(|start| name.starts_with(start));
    let (added, _) = fields.iter().find(|(name, _)| is_added(name))?;
    let mut own = ObjectWriter::with_capacity(record.as_str().len());
    for (name, value) in fields.iter().filter(|(name, _)| !is_added(name)) {
        own.raw(name, value);
    }
    Some((own.finish(), added.clone().into_owned()))
}

fn is_too_deep(record: &JsonObject) -> bool {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in record.as_str().bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}
