//! A plugin of one's own, tested by the conformance suite, then moved into JSON lines on stdout:
//! `cargo run -p examples --example write_a_plugin`

use connector_core::{Configuration, Registry, Setup};
use connector_jsonl::Jsonl;
use connector_testkit::{Access, Reading, Suite};
use serde_json::json;
use sync_runner::Runner;

use crate::counter::Counter;

#[path = "plugin/counter.rs"]
mod counter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reading = Reading::new(Access::new(json!({}))).with_counts(&[("numbers", 5)]);
    let tested = Suite::new(&Counter).with_reading(reading).run().await;
    assert!(tested.failed().is_empty(), "{tested}");

    let registry = Registry::new().with(Counter).with(Jsonl);
    let from = Setup::new(Configuration::default());
    let source = registry.open_source("counter", from).await?;
    let to = Setup::new(Configuration::default().with("path", "-"));
    let destination = registry.open_destination("jsonl", to).await?;
    Runner::new(source, destination).run().await?;
    Ok(())
}
