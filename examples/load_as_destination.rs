//! Loads Buildkite as a destination plugin: each record triggers a build, once.
//!
//! `cargo run -p examples --example load_as_destination`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use connector_buildkite::{Buildkite, destination_streams};
use connector_core::{
    Configuration, JsonObject, Outcome, Record, Registry, Result, Setup, WritePlan,
};
use mock_buildkite::{MockBuildkite, World};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    // A Buildkite with one pipeline, so that this runs without an account.
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    let server = MockBuildkite::start(world).await;
    let configuration = Configuration::new(json!({
        "api_key": server.token(),
        // Leave it out, and it is Buildkite itself.
        "base_url": server.uri(),
        "organization": "acme",
        "pipeline": "web",
        // Leave these out: a file then remembers what was sent, and Buildkite may lag.
        "journal": "",
        "settle_seconds": 0,
    }))?;
    let record = JsonObject::parse(r#"{"commit": "HEAD", "branch": "main"}"#)?;

    // The lines that matter: a plugin, opened by its name, and what became of each record.
    let registry = Registry::new().with(Buildkite);
    let setup = Setup::new(configuration);
    let mut destination = registry.open_destination("buildkite", setup).await?;
    let builds = destination_streams().stream("builds")?.clone();
    let plan = WritePlan::preferred("deploys", [builds], &destination.capabilities())?;
    destination.start(&plan).await?;
    // The same record twice is one build.
    let records = vec![
        Record::new("builds".into(), record.clone()),
        Record::new("builds".into(), record),
    ];
    for outcome in destination.write(records).await? {
        if outcome != Outcome::Accepted {
            println!("{outcome:?}");
        }
    }
    let results = destination.acting().map(|acting| acting.take_results());
    for result in results.into_iter().flatten() {
        println!("{}", summary(&result)?);
    }
    destination.commit(None).await?;
    destination.finish().await
}

/// `created: build 1`.
fn summary(row: &JsonObject) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Row {
        outcome: String,
        number: u64,
    }
    let Row { outcome, number } = row.read()?;
    Ok(format!("{outcome}: build {number}"))
}
