//! `plan`: what a sync will cost.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use connector_core::{Error, ErrorKind, ReadRequest, Result, Setup};
use sync_runner::Progress;

use crate::arguments::{self, CopyChoice, add_copy, is_on, switch};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::report::{ForecastReport, Start};
use crate::settings::Side;

pub(crate) const NAME: &str = "plan";
const RESTART: &str = "restart";
const JSON: &str = "json";

pub(crate) fn command(profile: &Profile) -> Command {
    let details = "Prints requests, records and bytes of each stream, and how long the sync takes \
                   under the current rate limits. Asks the source for numbers, not for records.";
    let about = "Estimate what a sync will cost; change nothing";
    let restart = switch(RESTART, "Estimate a sync that reads everything again");
    let json = switch(JSON, "Print JSON");
    let command = arguments::command(NAME, about, details).args([restart, json]);
    add_copy(command, profile)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let sides = context.resolver().both(&given)?;
    let choice = CopyChoice::new(matches, &sides.sync);
    let (source, copy) = (sides.source, sides.destination);
    let progress = Arc::new(Progress::new());
    let restarts = is_on(matches, RESTART);
    let name = choice.name.clone().unwrap_or_else(|| source.name());
    let start = find_start(context, copy, name, restarts, &progress).await?;
    let Some(start) = start else {
        return Ok(Exit::Stopped);
    };
    let credential = context.credential(&source)?;
    let (_, setup) = context.setup(&source, credential, &progress)?;
    let work = forecast(source.clone(), setup, choice, start);
    let done = context.watch_question(work, &progress).await;
    let Some(report) = done.map_err(|error| context.explain(error, &[&source]))? else {
        return Ok(Exit::Stopped);
    };
    context.answer(&report, is_on(matches, JSON))?;
    Ok(Exit::Complete)
}

/// Where the sync would start; `None` if asked to stop. Nothing is written, not even an empty file.
async fn find_start(
    context: &Context,
    copy: Side,
    name: String,
    restarts: bool,
    progress: &Arc<Progress>,
) -> Result<Option<Start>, Failure> {
    // What a sync would refuse is refused here too.
    let credential = context.credential(&copy)?;
    let (_, setup) = context.setup(&copy, credential, progress)?;
    let new = |reason: String| Ok(Some(Start::New { reason }));
    if restarts {
        return new("everything is read again, as asked".to_owned());
    }
    if let Err(error) = copy.connector().expect_replica() {
        return new(error.to_string());
    }
    let found = last_state(copy.clone(), setup, name);
    let found = context.watch_question(found, progress).await;
    found.map_err(|error| context.explain(error, &[&copy]))
}

async fn last_state(copy: Side, setup: Setup, name: String) -> Result<Start> {
    let label = copy.label();
    let replica = match copy.open_replica(setup).await {
        Ok(replica) => replica,
        Err(error) if error.kind() == ErrorKind::Io => {
            let reason = error.to_string();
            return Ok(Start::New { reason });
        }
        Err(error) => return Err(error),
    };
    Ok(match replica.state(&name).await? {
        Some(state) => Start::Resumed {
            state: Box::new(state),
            copy: format!("`{name}` in {label}"),
        },
        None => Start::New {
            reason: format!("{label} has no state named `{name}`"),
        },
    })
}

async fn forecast(
    side: Side,
    setup: Setup,
    choice: CopyChoice,
    start: Start,
) -> Result<ForecastReport> {
    let source = side.open_source(setup).await?;
    let forecasting = source.forecasting().ok_or_else(|| {
        let message = format!("{} cannot estimate what a sync costs", side.described());
        Error::new(ErrorKind::Config, message)
    })?;
    let selections = choice.streams.selections(&source.discover().await?)?;
    let request = ReadRequest::new(selections).with_state(start.state());
    let forecast = forecasting.forecast(request).await?;
    Ok(ForecastReport::new(start, forecast))
}
