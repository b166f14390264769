//! `sample`: a few records of a stream.

use std::sync::Arc;

use clap::{ArgMatches, Command, value_parser};
use connector_core::{Message, ReadRequest, Result, Selection, Setup};
use futures::{StreamExt, TryStreamExt, future};
use sync_runner::Progress;

use crate::arguments::{self, add_source, option, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::settings::Side;

pub(crate) const NAME: &str = "sample";
const STREAM: &str = "stream";
const RECORDS: &str = "records";

pub(crate) fn command(profile: &Profile) -> Command {
    let about = "Show a few records of a stream; save nothing";
    let stream = option(STREAM, "NAME", "The stream").required(true);
    let records = option(RECORDS, "N", "Maximum number of records to show")
        .value_parser(value_parser!(usize))
        .default_value("3");
    let command = arguments::command(NAME, about, "").args([stream, records]);
    add_source(command, profile, false)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let source = context.resolver().source(&given)?;
    let stream = value::<String>(matches, STREAM).unwrap_or_default();
    let most = value(matches, RECORDS).unwrap_or_default();
    let progress = Arc::new(Progress::new());
    let credential = context.credential(&source)?;
    let (_, setup) = context.setup(&source, credential, &progress)?;
    let read = read(source.clone(), setup, stream, most);
    let read = context.watch_question(read, &progress).await;
    let Some(records) = read.map_err(|error| context.explain(error, &[&source]))? else {
        return Ok(Exit::Stopped);
    };
    if records.is_empty() {
        context.terminal.say("The stream has no records.");
        return Ok(Exit::Complete);
    }
    context.terminal.answer(records.join("\n"))?;
    Ok(Exit::Complete)
}

async fn read(side: Side, setup: Setup, stream: String, most: usize) -> Result<Vec<String>> {
    let source = side.open_source(setup).await?;
    let catalog = source.discover().await?;
    let stream = catalog.stream(&stream)?;
    let selection = Selection::new(stream.name.clone(), stream.preferred_mode()?);
    let messages = source.read(ReadRequest::new([selection]));
    let records = messages.try_filter_map(|message| {
        future::ready(Ok(match message {
            Message::Record(record) => Some(record.data.single_line().into_owned()),
            _ => None,
        }))
    });
    records.take(most).try_collect().await
}
