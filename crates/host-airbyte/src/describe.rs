//! `spec`, `discover`: what a connector is, in Airbyte's words.

use connector_core::{Catalog, Connector, Stream, SyncMode};
use serde_json::{Map, Value, json};

use crate::run::Role;

/// The version of the protocol that is spoken.
const PROTOCOL: &str = "0.2.0";

/// The message of `spec`.
pub(crate) fn spec(connector: &dyn Connector, role: Role) -> Value {
    let identity = connector.identity();
    let mut schema = match role {
        Role::Destination => host_kit::input::destination_schema(connector),
        _ => connector.configuration_schema(),
    };
    adapt(&mut schema);
    number(&mut schema);
    let mut spec = json!({
        "protocol_version": PROTOCOL,
        "documentationUrl": identity.documentation_url,
        "supportsIncremental": true,
        "connectionSpecification": schema,
    });
    if role == Role::Destination {
        // What is stored is never deleted, so there is no `overwrite`.
        spec["supported_destination_sync_modes"] = json!(["append", "append_dedup"]);
    }
    json!({"type": "SPEC", "spec": spec})
}

/// Says in Airbyte's words what a schema says in those of JSON Schema: secrets, and choices.
fn adapt(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // The form of a later version may have more keys: hosts take `false` for a promise.
            if map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.remove("additionalProperties");
            }
            choices_as_enum(map);
            // Said of every text: of one that says nothing, hosts guess by its name.
            if map.get("type").is_some_and(|kind| kind == "string") {
                let is_secret = map.get("writeOnly") == Some(&Value::Bool(true));
                map.insert("airbyte_secret".to_owned(), is_secret.into());
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                // Lines are broken where the source code's are.
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(adapt);
        }
        Value::Array(items) => items.iter_mut().for_each(adapt),
        _ => {}
    }
}

/// To Airbyte, `oneOf` is a choice between objects; one between words is an `enum`.
fn choices_as_enum(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else {
        return;
    };
    let mut words = Vec::new();
    let mut meanings = Vec::new();
    for choice in choices {
        match (choice.get("const"), choice.get("enum")) {
            (Some(word), _) => {
                if let (Some(word), Some(meaning)) = (word.as_str(), choice["description"].as_str())
                {
                    meanings.push(format!("{word}: {meaning}"));
                }
                words.push(word.clone());
            }
            (None, Some(Value::Array(several))) => words.extend(several.iter().cloned()),
            _ => return,
        }
    }
    map.remove("oneOf");
    let own = map.get("description").and_then(Value::as_str);
    let text: Vec<_> = own.map(str::to_owned).into_iter().chain(meanings).collect();
    map.insert("type".to_owned(), "string".into());
    map.insert("enum".to_owned(), words.into());
    map.insert("description".to_owned(), text.join(" ").into());
}

/// A form shows the keys in the order of the schema.
fn number(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (order, property) in properties
        .into_iter()
        .flat_map(|p| p.values_mut())
        .enumerate()
    {
        if let Value::Object(property) = property {
            property.insert("order".to_owned(), order.into());
        }
    }
}

/// The message of `discover`.
pub(crate) fn catalog(catalog: &Catalog) -> Value {
    let streams: Vec<_> = catalog.streams.iter().map(stream).collect();
    json!({"type": "CATALOG", "catalog": {"streams": streams}})
}

fn stream(stream: &Stream) -> Value {
    let is_incremental = stream.sync_modes.contains(&SyncMode::Incremental);
    let mut described = json!({
        "name": stream.name,
        "json_schema": stream.json_schema,
        "supported_sync_modes": stream.sync_modes,
        "is_resumable": is_incremental,
    });
    if is_incremental {
        // The connector finds what has changed by itself, with or without such a field.
        described["source_defined_cursor"] = true.into();
    }
    if !stream.primary_key.is_empty() {
        let key: Vec<_> = stream.primary_key.iter().map(|name| [name]).collect();
        described["source_defined_primary_key"] = json!(key);
    }
    if let Some(cursor) = &stream.cursor {
        described["default_cursor_field"] = json!([cursor]);
    }
    described
}
