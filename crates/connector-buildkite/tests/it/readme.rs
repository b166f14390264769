//! The table of streams in the README is what the catalog says.

use std::fs;
use std::path::Path;

use connector_buildkite::destination_streams;
use connector_core::{Stream, SyncMode};
use mock_buildkite::World;

use crate::bench::Bench;

const BEGIN: &str = "tests/it/readme.rs -->\n";
const END: &str = "<!-- end of streams -->";

fn table(streams: &[Stream]) -> String {
    let mut table =
        String::from("\n| stream | read | scopes | key | what it holds |\n|---|---|---|---|---|\n");
    for stream in streams {
        let mode = match stream.sync_modes.last() {
            Some(SyncMode::Incremental) => "incremental",
            _ => "full",
        };
        let default = if stream.is_default { ", default" } else { "" };
        table.push_str(&format!(
            "| `{}` | {mode}{default} | {} | {} | {} |\n",
            stream.name,
            stream.scopes.join(", "),
            stream.primary_key.join(", "),
            stream.description,
        ));
    }
    table.push('\n');
    table
}

#[tokio::test]
async fn the_readme_lists_every_stream_as_the_catalog_does() {
    let bench = Bench::new(World::empty()).await;
    let catalog = bench.source.discover().await.unwrap();
    compare(BEGIN, END, &table(&catalog.streams));
}

#[test]
fn the_readme_lists_every_stream_of_the_destination() {
    let mut table = String::from("\n| stream | scopes | what a record does |\n|---|---|---|\n");
    for stream in destination_streams().streams {
        table.push_str(&format!(
            "| `{}` | {} | {} |\n",
            stream.name,
            stream.scopes.join(", "),
            stream.description
        ));
    }
    table.push('\n');
    let (begin, end) = (
        "tests/it/readme.rs (destination) -->\n",
        "<!-- end of destination",
    );
    compare(begin, end, &table);
}

/// With `UPDATE_README` set, the table is written anew.
fn compare(begin: &str, end: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(&path).expect("the README is there");
    let begin = readme.find(begin).expect("the README has the table") + begin.len();
    let end = readme.find(end).expect("the table has an end");

    if std::env::var_os("UPDATE_README").is_some() {
        let readme = [&readme[..begin], expected, &readme[end..]].concat();
        fs::write(&path, readme).expect("the README can be written");
        return;
    }

    assert_eq!(
        &readme[begin..end],
        expected,
        "run this test again with UPDATE_README=1 to write the table anew"
    );
}
