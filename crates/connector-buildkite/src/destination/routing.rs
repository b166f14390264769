//! Which stream of the destination takes a record, mapped or not.

use std::collections::BTreeMap;

use connector_core::{JsonObject, ObjectWriter, Record, Result, StreamName};

use super::config::DestinationConfig;
use super::delivery::KeyParts;
use super::mapping::CompiledMapping;
use super::streams::ACCEPTED_STREAMS;
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
    /// A field that was left out because a host has added it.
    pub(super) host_field: Option<String>,
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
            Ok(_) => route.parse(&record.data, own, &Defaults(config)),
            Err(reason) => Err(reason.clone()),
        };
        RoutedRecord {
            stream: route.accepted.name,
            // A record whose own key is incomplete is listed under that of all its content.
            key: key.unwrap_or_else(|_| whole_key(&scope, own)),
            request,
            host_field,
        }
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

impl Route {
    /// Records of two streams that are mapped to one are never the same.
    fn scope(&self, stream: &StreamName) -> String {
        let name = self.accepted.name;
        match self.mapping {
            Some(_) => format!("{name} of {stream}"),
            None => name.to_owned(),
        }
    }

    fn parse(
        &self,
        whole: &JsonObject,
        own: &JsonObject,
        defaults: &Defaults<'_>,
    ) -> Result<Request, String> {
        match &self.mapping {
            Some(mapping) => (self.accepted.parse_record)(&mapping.apply(whole)?, defaults),
            None => (self.accepted.parse_record)(own, defaults),
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
