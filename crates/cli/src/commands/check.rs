//! `check`: proves that everything is right, before anything is read or written.

use std::sync::Arc;

use connector_core::{Credential, Observer, Result};
use sync_runner::Progress;

use crate::args::{CheckArgs, Verbosity};
use crate::exit::Exit;
use crate::output;
use crate::settings::{Settings, Side};
use crate::watch::watch_question;

pub(crate) async fn run(args: CheckArgs, verbosity: Verbosity) -> Result<Exit> {
    let mut settings = Settings::read(&args.source)?;
    let mut source = settings.source(&args.source)?;
    let has_destination = args.to.is_some() || settings.file.destination.is_some();
    let mut destination = has_destination
        .then(|| settings.destination(args.to.as_ref(), &args.source.settings))
        .transpose()?;
    if let Some(destination) = &mut destination {
        source.pass_on(destination);
    }
    let progress = Arc::new(Progress::new());

    let credential = source.credential()?;
    let checked = check_source(source, credential, progress.clone());
    let Some(mut answer) = watch_question(checked, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    if let Some(destination) = destination {
        let credential = destination.credential()?;
        let checked = check_destination(destination, credential, progress.clone());
        match watch_question(checked, &progress, verbosity).await? {
            Some(line) => answer = format!("{answer}\n{line}"),
            None => return Ok(Exit::Stopped),
        }
    }
    Ok(output::answer(answer))
}

async fn check_source(
    source: Side,
    credential: Option<Credential>,
    observer: Arc<dyn Observer>,
) -> Result<String> {
    let label = source.label();
    let source = source.open_source(credential, observer).await?;
    source.check().await?;
    let streams = source.discover().await?.streams.len();
    Ok(format!(
        "Source {label}: can be read, and everything the settings name exists; it has \
         {streams} streams."
    ))
}

async fn check_destination(
    destination: Side,
    credential: Option<Credential>,
    observer: Arc<dyn Observer>,
) -> Result<String> {
    let label = destination.label();
    let mut destination = destination
        .open_destination(credential, observer, None)
        .await?;
    destination.check().await?;
    Ok(format!("Destination {label}: can be written to."))
}
