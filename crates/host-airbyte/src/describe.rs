//! `spec` and `discover`: a connector in Airbyte's terms.

use connector_core::{Capabilities, Catalog, Connector, Result, Stream, SyncMode, WriteMode};
use host_kit::HostSettings;
use serde_json::{Map, Value, json};

use crate::role::Role;

/// The version of the protocol.
const PROTOCOL: &str = "0.2.0";

/// The message of `spec`.
///
/// # Errors
/// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if the connector does not have that
/// role.
pub(crate) fn spec(connector: &dyn Connector, role: Role) -> Result<Value> {
    let mut spec = json!({
        "protocol_version": PROTOCOL,
        "supportsIncremental": true,
    });
    let documentation = connector.identity().documentation_url;
    if !documentation.is_empty() {
        spec["documentationUrl"] = documentation.into();
    }
    let mut schema = match role {
        Role::Source => connector.expect_source()?.settings().json_schema,
        Role::Destination => {
            let destination = connector.expect_destination()?;
            let modes = destination_sync_modes(&destination.capabilities());
            spec["supported_destination_sync_modes"] = json!(modes);
            HostSettings::schema(destination).json_schema
        }
    };
    adapt(&mut schema);
    number(&mut schema);
    spec["connectionSpecification"] = schema;
    Ok(json!({"type": "SPEC", "spec": spec}))
}

fn destination_sync_modes(capabilities: &Capabilities) -> Vec<&'static str> {
    let modes = [
        (WriteMode::Append, "append"),
        (WriteMode::Upsert, "append_dedup"),
        (WriteMode::Overwrite, "overwrite"),
    ];
    let supported = modes
        .into_iter()
        .filter(|(mode, _)| capabilities.write_modes.contains(mode));
    supported.map(|(_, name)| name).collect()
}

/// Translates a schema into Airbyte's dialect: secrets, and choices.
fn adapt(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // A later version may have more keys, and hosts treat `false` as a promise.
            if map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.remove("additionalProperties");
            }
            choices_as_enum(map);
            // Set for every text, because hosts guess from the name if the schema says nothing.
            if map.get("type").is_some_and(|kind| kind == "string") {
                let is_secret = map.get("writeOnly") == Some(&Value::Bool(true));
                map.insert("airbyte_secret".to_owned(), is_secret.into());
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                // The line breaks come from the source code.
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(adapt);
        }
        Value::Array(items) => items.iter_mut().for_each(adapt),
        _ => {}
    }
}

/// In Airbyte, `oneOf` is a choice between objects. A choice between words is an `enum`.
fn choices_as_enum(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else {
        return;
    };
    let Some(words) = choices.iter().map(words).collect::<Option<Vec<_>>>() else {
        return;
    };
    let words: Vec<Value> = words.into_iter().flatten().collect();
    let meanings = choices.iter().filter_map(meaning);
    let own = map.get("description").and_then(Value::as_str);
    let text: Vec<_> = own.map(str::to_owned).into_iter().chain(meanings).collect();
    map.remove("oneOf");
    map.insert("type".to_owned(), "string".into());
    map.insert("enum".to_owned(), words.into());
    map.insert("description".to_owned(), text.join(" ").into());
}

/// The words that a choice allows; `None` if it is not a choice between words.
fn words(choice: &Value) -> Option<Vec<Value>> {
    if let Some(word) = choice.get("const") {
        return Some(vec![word.clone()]);
    }
    choice.get("enum")?.as_array().cloned()
}

/// A single word, and what it means.
fn meaning(choice: &Value) -> Option<String> {
    let word = choice.get("const")?.as_str()?;
    let meaning = choice.get("description")?.as_str()?;
    Some(format!("{word}: {meaning}"))
}

/// Forms show the keys in the order of the schema.
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
        // The connector finds changes itself, whether or not there is a cursor field.
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
