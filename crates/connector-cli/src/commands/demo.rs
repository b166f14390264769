//! `--demo`: made-up data instead of the source's.

use clap::{ArgMatches, Command};
use connector_core::{Error, ErrorKind};

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
            command.arg(switch(DEMO, &demo.help()).conflicts_with_all(["from", "config"]))
        }
        None => command,
    }
}

/// Starts the demo if the user asks for it, reports that, and points `source` at it.
pub(super) async fn start(
    context: &Context,
    matches: &ArgMatches,
    source: &mut Side,
) -> Result<Option<RunningDemo>, Failure> {
    let wanted = context
        .profile
        .demo
        .as_ref()
        .filter(|_| is_on(matches, DEMO));
    let Some(demo) = wanted else {
        return Ok(None);
    };
    let running = demo.start().await?;
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
