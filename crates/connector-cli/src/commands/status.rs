//! `status`: what a copy holds, and how fresh it is.

use std::sync::Arc;

use clap::{ArgMatches, Command, value_parser};
use connector_core::{Error, ErrorKind, Replica, Result, Setup};
use sync_runner::Progress;

use crate::arguments::{self, is_on, option, switch, texts, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::report::StatusReport;
use crate::settings::{ConnectorRef, Role, Side};

pub(crate) const NAME: &str = "status";
const FROM: &str = "from";
const JSON: &str = "json";

pub(crate) fn command(profile: &Profile) -> Command {
    let about = "Show what a copy holds and how fresh it is; change nothing";
    let details = "Asks only the copy, so it needs no credential. A stream is as fresh as the last \
                   sync that committed it.";
    let default = texts::default(profile.default_destination().as_ref());
    let from = option(FROM, "NAME:LOCATION", &format!("The copy{default}"))
        .value_parser(value_parser!(ConnectorRef))
        .long_help(format!("The copy: {}{default}", texts::replicas(profile)));
    let json = switch(JSON, "Print JSON");
    arguments::command(NAME, about, details).args([from, json])
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = value(matches, FROM).or_else(|| context.profile.default_destination());
    let given =
        given.ok_or_else(|| Error::new(ErrorKind::Config, "use --from to name the copy"))?;
    let copy = context
        .resolver()
        .other(Role::Destination, &given, "--from")?;
    copy.connector().expect_replica()?;
    let progress = Arc::new(Progress::new());
    let credential = context.credential(&copy)?;
    let (_, setup) = context.setup(&copy, credential, &progress)?;
    let taken = take_stock(copy.clone(), setup);
    let taken = context.watch_question(taken, &progress).await;
    let Some(report) = taken.map_err(|error| context.explain(error, &[&copy]))? else {
        return Ok(Exit::Stopped);
    };
    context.answer(&report, is_on(matches, JSON))?;
    Ok(Exit::Complete)
}

async fn take_stock(copy: Side, setup: Setup) -> Result<StatusReport> {
    let replica = copy.open_replica(setup).await?;
    let inventory = replica.inventory().ok_or_else(|| {
        let message = format!("{} does not say what it holds", copy.described());
        Error::new(ErrorKind::Config, message)
    })?;
    let mut report = StatusReport::new(inventory.streams().await?);
    for sync in inventory.syncs().await? {
        let covered = covered(&*replica, &sync.name).await?;
        report.add(sync, &covered);
    }
    Ok(report)
}

/// The streams that the state of a sync covers.
async fn covered(replica: &dyn Replica, sync: &str) -> Result<Vec<String>> {
    let state = replica.state(sync).await?;
    let streams = state.iter().flat_map(connector_core::State::streams);
    Ok(streams.map(|(stream, _)| stream.to_string()).collect())
}
