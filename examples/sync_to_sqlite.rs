//! Moves everything that Buildkite has into an SQLite database, and asks it a question.
//!
//! `cargo run -p examples --example sync_to_sqlite`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;

use connector_buildkite::Buildkite;
use connector_core::{Configuration, Registry, Setup};
use connector_sqlite::Sqlite;
use mock_buildkite::{MockBuildkite, Seed, World};
use serde_json::json;
use sync_runner::{Progress, Runner};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A Buildkite of made-up builds, and a folder that is removed at the end.
    let server = MockBuildkite::start(World::seeded(&Seed::default())).await;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("builds.db");
    let from = json!({"api_key": server.token(), "base_url": server.uri()});
    let to = json!({"path": path});

    // Both ends are plugins. The progress hears what they do, and counts it for the report.
    let registry = Registry::new().with(Buildkite).with(Sqlite);
    let progress = Arc::new(Progress::new());
    let from = Setup::new(Configuration::new(from)?).with_observer(progress.clone());
    let source = registry.open_source("buildkite", from).await?;
    let to = Setup::new(Configuration::new(to)?);
    let destination = registry.open_destination("sqlite", to).await?;

    // The default streams, from where the last sync into this database ended; this is the first.
    let runner = Runner::new(source, destination).with_progress(progress);
    let report = runner.run().await?;

    println!("{:?} after {:.1?}:", report.ending, report.elapsed);
    for stream in &report.progress.streams {
        let (name, records) = (&stream.stream, stream.records);
        println!("{records:>6} {name}, {} requests", stream.traffic.requests);
    }
    let database = rusqlite::Connection::open(path)?;
    let query = "select pipeline_slug, count(*) from builds where state = 'failed'
                 group by 1 order by 2 desc limit 1";
    let (pipeline, failed): (String, u32) =
        database.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    println!("Most builds failed in {pipeline}: {failed}.");
    Ok(())
}
