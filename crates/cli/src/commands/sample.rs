//! `sample`: a few records of a stream.

use std::sync::Arc;

use connector_core::{Message, ReadRequest, Result};
use futures::{StreamExt, TryStreamExt, future};
use sync_runner::Progress;

use super::request::preferred;
use crate::args::{SampleArgs, Verbosity};
use crate::exit::Exit;
use crate::output;
use crate::settings::Settings;
use crate::watch::watch_question;

pub(crate) async fn run(args: SampleArgs, verbosity: Verbosity) -> Result<Exit> {
    let source = Settings::read(&args.source)?.source(&args.source)?;
    let credential = source.credential()?;
    let progress = Arc::new(Progress::new());
    let observer = Arc::clone(&progress);
    let read = async move {
        let source = source.open_source(credential, observer).await?;
        let catalog = source.discover().await?;
        let selection = preferred(catalog.stream(args.stream.as_str())?)?;
        let records = source
            .read(ReadRequest::new([selection]))
            .try_filter_map(|message| {
                future::ready(Ok(match message {
                    Message::Record(record) => Some(record.data.single_line().into_owned()),
                    _ => None,
                }))
            })
            .take(args.records);
        records.try_collect::<Vec<String>>().await
    };
    let Some(records) = watch_question(read, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    if records.is_empty() {
        output::error("the stream has no records");
        return Ok(Exit::Complete);
    }
    Ok(output::answer(records.join("\n")))
}
