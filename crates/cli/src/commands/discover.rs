//! `discover`: what can be synced.

use std::sync::Arc;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use connector_core::{Catalog, Error, ErrorKind, Result, Stream, SyncMode};
use serde_json::Value;
use sync_runner::Progress;
use terminal_size::Width;

use crate::args::{DiscoverArgs, Verbosity};
use crate::exit::Exit;
use crate::output;
use crate::settings::Settings;
use crate::watch::watch_question;

pub(crate) async fn run(args: DiscoverArgs, verbosity: Verbosity) -> Result<Exit> {
    let source = Settings::read(&args.source)?.source(&args.source)?;
    let credential = source.credential()?;
    let progress = Arc::new(Progress::new());
    let observer = Arc::clone(&progress);
    let discovered = async move {
        let source = source.open_source(credential, observer).await?;
        let catalog = source.discover().await?;
        source.mark_readable(catalog).await
    };
    let Some(catalog) = watch_question(discovered, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    if args.json {
        let json = serde_json::to_string_pretty(&catalog).map_err(|error| {
            Error::new(ErrorKind::Internal, "the catalog has no JSON form").with_source(error)
        })?;
        return Ok(output::answer(json));
    }
    Ok(output::answer(table(&catalog).trim_fmt()))
}

fn table(catalog: &Catalog) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some((Width(width), _)) = terminal_size::terminal_size_of(std::io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table.set_header(HEADER);
    for stream in &catalog.streams {
        table.add_row(row(stream));
    }
    if let Some(columns) = table.column_mut(4) {
        columns.set_cell_alignment(CellAlignment::Right);
    }
    table
}

const HEADER: [&str; 7] = [
    "stream",
    "default",
    "readable",
    "sync",
    "columns",
    "key",
    "description",
];

fn row(stream: &Stream) -> [String; 7] {
    let properties = stream.json_schema.get("properties");
    let columns = properties.and_then(Value::as_object).map_or(0, |p| p.len());
    [
        stream.name.to_string(),
        if stream.is_default { "yes" } else { "" }.to_owned(),
        readable(stream),
        preferred(stream).to_owned(),
        columns.to_string(),
        stream.primary_key.join(", "),
        stream.description.clone(),
    ]
}

/// Whether the token may read it, or what it lacks.
fn readable(stream: &Stream) -> String {
    match stream.is_readable {
        Some(true) => "yes".to_owned(),
        Some(false) => format!("needs {}", stream.scopes.join(", ")),
        None => "unknown".to_owned(),
    }
}

/// How a sync reads it, in a word.
fn preferred(stream: &Stream) -> &'static str {
    match stream.sync_modes.last() {
        Some(SyncMode::Incremental) => "incremental",
        _ => "full",
    }
}
