//! `--demo`: made-up data instead of the source's.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use connector_core::{Error, ErrorKind, Result, Setup, State};
use sync_runner::Progress;

use crate::arguments::{is_on, switch};
use crate::context::Context;
use crate::demo::RunningDemo;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::settings::{Origin, Side};

/// The flag, and the name under which a copy keeps the demo's state.
pub(super) const DEMO: &str = "demo";

/// Adds the flag, if the program has a demo.
pub(super) fn add_flag(command: Command, profile: &Profile) -> Command {
    match &profile.demo {
        Some(demo) => {
            let flag = switch(DEMO, &demo.help());
            command.arg(flag.conflicts_with_all(["from", "config", "name"]))
        }
        None => command,
    }
}

/// Starts the demo if the user asks for it, reports that, and points `source` at it. Refuses a
/// `copy` that would hold both made-up data and other data.
pub(super) async fn start(
    context: &Context,
    matches: &ArgMatches,
    source: &mut Side,
    copy: &Side,
) -> Result<Option<RunningDemo>, Failure> {
    let previous = expect_one_kind(context, copy, is_on(matches, DEMO)).await?;
    let wanted = context
        .profile
        .demo
        .as_ref()
        .filter(|_| is_on(matches, DEMO));
    let Some(demo) = wanted else {
        return Ok(None);
    };
    let running = demo.start(previous.as_ref()).await?;
    for (key, value) in &running.settings {
        if let Some(Origin::Flag(flag)) = source.origin(key) {
            let message = format!("{flag} cannot be used with --{DEMO}");
            return Err(Error::new(ErrorKind::Config, message).into());
        }
        source.set(key, value.clone(), Origin::Program);
    }
    context.terminal.say(&running.notice);
    Ok(Some(running))
}

/// The state of the demo that `copy` holds, if it holds one.
async fn expect_one_kind(
    context: &Context,
    copy: &Side,
    is_demo: bool,
) -> Result<Option<State>, Failure> {
    if context.profile.demo.is_none() || copy.connector().replica().is_none() {
        return Ok(None);
    }
    let credential = context.credential(copy)?;
    let (_, setup) = context.setup(copy, credential, &Arc::new(Progress::new()))?;
    let held = held_by(copy, setup).await;
    let (syncs, state) = held.map_err(|error| context.explain(error, &[copy]))?;
    let other = syncs.into_iter().find(|name| (name == DEMO) != is_demo);
    if other.is_some() {
        let label = copy.label();
        let message = if is_demo {
            format!("{label} holds other data than the demo's; use another file")
        } else {
            format!("{label} holds the demo's made-up data; use another file, or delete it first")
        };
        return Err(Error::new(ErrorKind::Config, message).into());
    }
    Ok(state)
}

/// The names of the syncs into a copy, and the state of the demo. Nothing if there is no copy yet.
async fn held_by(copy: &Side, setup: Setup) -> Result<(Vec<String>, Option<State>)> {
    let replica = match copy.open_replica(setup).await {
        Ok(replica) => replica,
        Err(error) if error.kind() == ErrorKind::Io => return Ok((Vec::new(), None)),
        Err(error) => return Err(error),
    };
    let Some(inventory) = replica.inventory() else {
        return Ok((Vec::new(), None));
    };
    let syncs = inventory.syncs().await?;
    let names = syncs.into_iter().map(|sync| sync.name).collect();
    Ok((names, replica.state(DEMO).await?))
}
