//! `discover`: what can be synced.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use sync_runner::Progress;

use crate::arguments::{self, add_source, is_on, switch};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::report::CatalogReport;

pub(crate) const NAME: &str = "discover";
const JSON: &str = "json";

pub(crate) fn command(profile: &Profile) -> Command {
    let command = arguments::command(NAME, "List the streams that can be synced", "");
    let json = switch(JSON, "Print the whole catalog, schemas included, as JSON");
    add_source(command.arg(json), profile, false)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let source = context.resolver().source(&given)?;
    let progress = Arc::new(Progress::new());
    let credential = context.credential(&source)?;
    let (_, setup) = context.setup(&source, credential, &progress)?;
    let opened = source.clone();
    let discovered = async move {
        let source = opened.open_source(setup).await?;
        let catalog = source.discover().await?;
        match source.permission_aware() {
            Some(aware) => aware.mark_readable(catalog).await,
            None => Ok(catalog),
        }
    };
    let discovered = context.watch_question(discovered, &progress).await;
    let Some(catalog) = discovered.map_err(|e| context.explain(e, &[&source]))? else {
        return Ok(Exit::Stopped);
    };
    let report = CatalogReport::new(&catalog, context.terminal.width());
    context.answer(&report, is_on(matches, JSON))?;
    Ok(Exit::Complete)
}
