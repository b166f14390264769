//! How another project tests its own code against Buildkite, without Buildkite.
//!
//! In a project of yours this is a `#[tokio::test]`, and `read_builds` is your own client; the
//! fake shares nothing with the one of this workspace. It answers over HTTP, on a free port.
//!
//! `cargo run -p examples --example fake_in_tests`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use connector_buildkite::Buildkite;
use connector_core::{Configuration, Message, ReadRequest, Registry, Result, Selection, Setup};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, Fault, MockBuildkite, World};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    // Arrange: only what the test is about; everything else of a build has a sound value.
    let mut world = World::empty();
    for _ in 0..150 {
        world.create_build(BuildFixture::new("acme", "web").state("failed"));
    }
    let server = MockBuildkite::start(world).await;
    // A gateway fails once; and between two pages somebody pushes, so that a client that counts
    // pages gets the last build of one page again as the first of the next.
    server.fail(Fault::status(502), 1, "/builds");
    server.on_request(|number, world| {
        if number == 4 {
            world.create_build(BuildFixture::new("acme", "web").state("scheduled"));
        }
    });

    // Act.
    let builds = read_builds(&server).await?;

    // Assert: each build once, whatever happened meanwhile.
    let mut unique = builds.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), builds.len(), "a build came twice");
    assert!(unique.len() >= 150, "a build is missing");
    assert_eq!(server.unknown_requests(), [], "Buildkite has no such call");
    let (builds, requests) = (builds.len(), server.requests().len());
    println!("{builds} builds came in {requests} requests, each once, over a failing gateway.");
    Ok(())
}

/// The code under test.
async fn read_builds(server: &MockBuildkite) -> Result<Vec<String>> {
    let configuration = json!({"api_key": server.token(), "base_url": server.uri()});
    let setup = Setup::new(Configuration::new(configuration)?);
    let registry = Registry::new().with(Buildkite);
    let source = registry.open_source("buildkite", setup).await?;
    let messages = source.read(ReadRequest::new([Selection::full_refresh("builds")]));
    let records = messages.try_filter_map(|message| async {
        Ok(match message {
            Message::Record(record) => Some(record.data.as_str().to_owned()),
            _ => None,
        })
    });
    records.try_collect().await
}
