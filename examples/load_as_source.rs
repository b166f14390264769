//! Loads Buildkite as a plugin, reads its builds and counts their states.
//!
//! `cargo run -p examples --example load_as_source`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use connector_buildkite::Buildkite;
use connector_core::{Configuration, Message, ReadRequest, Registry, Result, Selection, Setup};
use futures::StreamExt;
use mock_buildkite::{MockBuildkite, Seed, World};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<()> {
    // A Buildkite of made-up builds, so that this runs without an account.
    let server = MockBuildkite::start(World::seeded(&Seed::default())).await;
    let configuration = Configuration::new(json!({
        "api_key": server.token(),
        // Leave it out, and it is Buildkite itself.
        "base_url": server.uri(),
    }))?;
    let mut states: BTreeMap<String, u32> = BTreeMap::new();

    // The lines that matter: a plugin, opened by its name, and what it reads.
    let registry = Registry::new().with(Buildkite);
    let setup = Setup::new(configuration);
    let source = registry.open_source("buildkite", setup).await?;
    source.check().await?;
    let request = ReadRequest::new([Selection::full_refresh("builds")]);
    let mut messages = source.read(request);
    while let Some(message) = messages.next().await {
        if let Message::Record(record) = message? {
            *states.entry(state_of(record.data.as_str())).or_default() += 1;
        }
    }

    println!("Read {} builds:", states.values().sum::<u32>());
    for (state, builds) in states {
        println!("{builds:>6} {state}");
    }
    Ok(())
}

/// A record is a JSON object, kept as the text that Buildkite sent.
fn state_of(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    record["state"]
        .as_str()
        .unwrap_or("without a state")
        .to_owned()
}
