//! `check`: tests credential, settings and destination before anything is read or written.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use connector_core::{Result, Setup};
use sync_runner::Progress;

use crate::arguments::{self, add_destination, add_source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::settings::Side;

pub(crate) const NAME: &str = "check";

pub(crate) fn command(profile: &Profile) -> Command {
    let about = "Check that credential, settings and destination work; change nothing";
    let command = arguments::command(NAME, about, "");
    let command = add_destination(command, profile, "Also check this destination", false);
    add_source(command, profile, true)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let (source, destination) = context.resolver().named(&given)?;
    for side in std::iter::once(source).chain(destination) {
        let Some(answer) = check(context, &side).await? else {
            return Ok(Exit::Stopped);
        };
        context.terminal.answer(answer)?;
    }
    Ok(Exit::Complete)
}

/// The answer for one side; `None` if asked to stop first.
async fn check(context: &Context, side: &Side) -> Result<Option<String>, Failure> {
    let progress = Arc::new(Progress::new());
    let credential = context.credential(side)?;
    let (_, setup) = context.setup(side, credential, &progress)?;
    let checked = prove(side.clone(), setup);
    let checked = context.watch_question(checked, &progress).await;
    checked.map_err(|error| context.explain(error, &[side]))
}

async fn prove(side: Side, setup: Setup) -> Result<String> {
    let label = side.label();
    if side.capabilities().is_some() {
        side.open_destination(setup).await?.check().await?;
        return Ok(format!("Destination {label}: can be written to."));
    }
    let source = side.open_source(setup).await?;
    source.check().await?;
    let streams = source.discover().await?.streams.len();
    Ok(format!(
        "Source {label}: can be read, and everything that the settings name exists; it has \
         {streams} streams."
    ))
}
