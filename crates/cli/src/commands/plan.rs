//! `plan`: what a sync will cost.

use std::sync::Arc;

use comfy_table::{CellAlignment, Table, presets};
use connector_core::{Forecast, Observer, Result, State};
use indicatif::{HumanBytes, HumanCount};
use serde_json::{Value, json};
use sync_runner::Progress;

use crate::args::{PlanArgs, Verbosity};
use crate::commands::request;
use crate::exit::Exit;
use crate::settings::{Settings, Side};
use crate::watch::watch_question;
use crate::{output, text};

pub(crate) async fn run(args: PlanArgs, verbosity: Verbosity) -> Result<Exit> {
    let mut settings = Settings::read(&args.copy.source)?;
    let source = settings.source(&args.copy.source)?;
    let destination = settings.destination(args.copy.to.as_ref(), &args.copy.source.settings)?;
    let name = settings.name(args.copy.name.as_ref(), &source);
    let streams = settings.streams(&args.copy.streams);
    let credential = source.credential()?;
    let progress = Arc::new(Progress::new());
    let observer = Arc::clone(&progress);
    let restart = args.restart;
    let work = async move {
        let start = match restart {
            true => Start::Anew("everything is read again, as asked".to_owned()),
            false => Start::find(destination, &name, observer.clone()).await?,
        };
        let source = source.open_source(credential, observer).await?;
        let request = request::of(&*source, &streams, args.copy.all_streams, start.state()).await?;
        Ok((start, source.forecast(request).await?))
    };
    let Some((start, forecast)) = watch_question(work, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    Ok(match args.json {
        true => output::answer(format_args!("{:#}", json(&start, &forecast))),
        false => output::answer(answer(&start, &forecast)),
    })
}

/// Where the sync would start.
enum Start {
    /// From the last sync, which left this state under this name.
    From(Box<State>, String),
    /// From nothing, for this reason.
    Anew(String),
}

impl Start {
    /// Looks what the destination has. Nothing is written, not even an empty file.
    async fn find(destination: Side, name: &str, observer: Arc<dyn Observer>) -> Result<Self> {
        let label = destination.label();
        let credential = destination.credential()?;
        // What a sync could not write to is refused here, too.
        let to_write = destination.clone();
        drop(
            to_write
                .open_destination(credential.clone(), Arc::clone(&observer), None)
                .await?,
        );
        let replica = match destination.open_replica(credential, observer).await {
            Ok(replica) => replica,
            Err(error) => return Ok(Self::Anew(error.to_string())),
        };
        Ok(match replica.state(name).await? {
            Some(state) => Self::From(Box::new(state), format!("`{name}` in {label}")),
            None => Self::Anew(format!("{label} has no state of the name `{name}`")),
        })
    }

    fn state(&self) -> Option<State> {
        match self {
            Self::From(state, _) => Some(State::clone(state)),
            Self::Anew(_) => None,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::From(_, label) => format!("Goes on from the last sync of {label}."),
            Self::Anew(why) => format!("Reckons with a first sync: {why}."),
        }
    }
}

fn answer(start: &Start, forecast: &Forecast) -> String {
    let notes = forecast.streams.iter().filter_map(|stream| {
        let note = stream.note.as_ref()?;
        Some(format!("{}: {note}", stream.stream))
    });
    let lines = [
        start.sentence(),
        String::new(),
        table(forecast).trim_fmt(),
        String::new(),
        format!(
            "About {} under the limits as they are now.",
            text::duration(forecast.duration)
        ),
    ];
    let limits = forecast.limits.iter().map(|limit| format!("  {limit}"));
    let lines: Vec<_> = lines.into_iter().chain(limits).chain(notes).collect();
    lines.join("\n")
}

fn table(forecast: &Forecast) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["stream", "requests", "records", "size"]);
    let row = |name: &str, requests, records, bytes| {
        [
            name.to_owned(),
            HumanCount(requests).to_string(),
            HumanCount(records).to_string(),
            HumanBytes(bytes).to_string(),
        ]
    };
    let (mut requests, mut records, mut bytes) = (0, 0, 0);
    for stream in &forecast.streams {
        requests += stream.requests;
        records += stream.records;
        bytes += stream.bytes;
        let name = stream.stream.as_str();
        table.add_row(row(name, stream.requests, stream.records, stream.bytes));
    }
    table.add_row(row("total", requests, records, bytes));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn json(start: &Start, forecast: &Forecast) -> Value {
    let stream = |stream: &connector_core::StreamForecast| {
        json!({
            "stream": stream.stream,
            "requests": stream.requests,
            "records": stream.records,
            "bytes": stream.bytes,
            "note": stream.note,
        })
    };
    let streams = forecast.streams.iter();
    json!({
        "goes_on": matches!(start, Start::From(..)),
        "requests": streams.clone().map(|stream| stream.requests).sum::<u64>(),
        "seconds": forecast.duration.as_secs_f64().ceil() as u64,
        "limits": forecast.limits,
        "streams": streams.map(stream).collect::<Vec<_>>(),
    })
}
