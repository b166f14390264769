//! The tables of streams, settings and exit codes.

use connector_buildkite::{Buildkite, destination_streams};
use connector_cli::Exit;
use connector_core::{Configuration, Connector, Registry, SettingsSchema, Setup, Stream, SyncMode};
use connector_jsonl::Jsonl;
use connector_sqlite::Sqlite;
use host_kit::HostSettings;
use mock_buildkite::World;
use serde_json::{Value, json};

use super::generated::{assert_table, table};
use crate::support::Fake;

#[test]
fn the_docs_list_every_stream_as_the_catalog_does() {
    let fake = Fake::start(World::empty());
    let settings = json!({"api_key": fake.token(), "base_url": fake.uri()});
    let setup = Setup::new(Configuration::new(settings).unwrap());
    let catalog = fake.runtime().block_on(async {
        let registry = Registry::new().with(Buildkite);
        let source = registry.open_source("buildkite", setup).await.unwrap();
        source.discover().await.unwrap()
    });
    let header = ["stream", "read", "scopes", "key", "what it holds"];
    let streams = table(&header, catalog.streams.iter().map(stream));
    assert_table("docs/streams.md", "streams", &streams);
}

fn stream(stream: &Stream) -> Vec<String> {
    let mode = match stream.sync_modes.last() {
        Some(SyncMode::Incremental) => "incremental",
        _ => "full",
    };
    let default = if stream.is_default { ", default" } else { "" };
    vec![
        code(&stream.name),
        format!("{mode}{default}"),
        stream.scopes.join(", "),
        stream.primary_key.join(", "),
        stream.description.clone(),
    ]
}

#[test]
fn the_docs_list_every_stream_of_the_destination() {
    let streams = destination_streams().streams;
    let rows = streams.iter().map(|stream| {
        let scopes = stream.scopes.join(", ");
        vec![code(&stream.name), scopes, stream.description.clone()]
    });
    let streams = table(&["stream", "scopes", "what a record does"], rows);
    assert_table("docs/destination.md", "destination streams", &streams);
}

#[test]
fn the_docs_list_every_setting_of_a_source() {
    let connectors: [&dyn Connector; 3] = [&Buildkite, &Sqlite, &Jsonl];
    for connector in connectors {
        let name = connector.identity().name;
        let settings = connector.source().unwrap().settings();
        let title = format!("settings of the source {name}");
        assert_table("docs/settings.md", &title, &settings_table(&settings));
    }
}

#[test]
fn the_docs_list_every_setting_of_a_destination() {
    let connectors: [(&dyn Connector, &str); 3] = [
        (&Buildkite, "docs/destination.md"),
        (&Sqlite, "docs/settings.md"),
        (&Jsonl, "docs/settings.md"),
    ];
    for (connector, page) in connectors {
        let name = connector.identity().name;
        let settings = connector.destination().unwrap().settings();
        let title = format!("settings of the destination {name}");
        assert_table(page, &title, &settings_table(&settings));
    }
}

/// The settings that a host handles itself, with those that only some destinations have.
#[test]
fn the_docs_list_every_setting_of_a_host() {
    let role = Buildkite.destination().unwrap();
    let own = role.settings();
    let mut schema = HostSettings::schema(role);
    let properties = schema.json_schema["properties"].as_object_mut().unwrap();
    properties.retain(|key, _| !own.has(key));
    schema.flags.clear();
    let settings = settings_table(&schema);
    for page in [
        "docs/settings.md",
        "docs/hosts/airbyte.md",
        "docs/hosts/singer.md",
    ] {
        assert_table(page, "settings of every destination", &settings);
    }
}

fn settings_table(schema: &SettingsSchema) -> String {
    let properties = schema.json_schema["properties"].as_object().unwrap();
    let has_flags = !schema.flags.is_empty();
    let rows = properties.iter().map(|(key, property)| {
        let flag = schema.flags.iter().find(|flag| flag.key == *key);
        let flag = flag.map(|flag| code(format!("--{} {}", flag.flag, flag.value_name)));
        let meaning = property["description"].as_str().unwrap();
        let meaning = meaning.replace('\n', " ");
        let (meaning, default) = meaning.split_once(" Default: ").unwrap_or((&meaning, ""));
        let default = match &property["default"] {
            _ if !default.is_empty() => default.trim_end_matches('.').to_owned(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            Value::String(text) => code(text),
            value => code(value),
        };
        let choices = choices(property, &schema.json_schema);
        let mut cells = vec![code(key), meaning.to_owned() + &choices, default];
        if has_flags {
            cells.insert(1, flag.unwrap_or_default());
        }
        cells
    });
    if has_flags {
        table(&["key", "flag", "meaning", "default"], rows)
    } else {
        table(&["key", "meaning", "default"], rows)
    }
}

/// ` Values: `a`, `b`.` for a setting that takes certain words or a list of them.
fn choices(property: &Value, root: &Value) -> String {
    let of_list = Some(&property["items"]).filter(|items| items.is_object());
    let mut schema = of_list.unwrap_or(property);
    while let Some(reference) = reference(schema) {
        schema = root.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let listed = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"].as_array().into_iter().flatten();
    let words = listed.chain(described.flat_map(|one| {
        let several = one["enum"].as_array().into_iter().flatten();
        several.chain(one.get("const"))
    }));
    let words: Vec<_> = words.filter_map(Value::as_str).map(code).collect();
    if words.is_empty() {
        return String::new();
    }
    format!(" Values: {}.", words.join(", "))
}

/// Where the schema of a setting is, if it is elsewhere.
fn reference(schema: &Value) -> Option<&str> {
    let all_of = schema["allOf"].get(0);
    all_of.unwrap_or(schema)["$ref"].as_str()
}

#[test]
fn the_docs_list_every_exit_code() {
    let rows = Exit::ALL.map(|exit| vec![(exit as u8).to_string(), exit.meaning().to_owned()]);
    let codes = table(&["code", "meaning"], rows);
    assert_table("docs/settings.md", "exit codes", &codes);
}

fn code(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}
