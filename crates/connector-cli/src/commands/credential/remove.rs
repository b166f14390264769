//! `credential remove`.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use sync_runner::Progress;

use super::check::{inspected, inspector};
use super::list::users;
use super::{name, named, open};
use crate::arguments::{add_declared, is_on, switch};
use crate::context::Context;
use crate::credentials::store_error;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::settings::of_remotes;

pub(super) const NAME: &str = "remove";
const REVOKE: &str = "revoke";

pub(super) fn command(profile: &Profile) -> Command {
    let revoke = switch(
        REVOKE,
        "Also revoke the key at the remote, which cannot be undone",
    );
    let command = Command::new(NAME)
        .about("Remove a credential from the store")
        .args([name(), revoke]);
    add_declared(command, &of_remotes(&profile.registry))
}

pub(super) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let name = named(matches);
    let store = open(context)?;
    let credential = store.info(&name).map_err(store_error)?;
    for file in users(&credential) {
        let message = format_args!("{file} names `{name}` and fails from now on");
        context.terminal.warn(message);
    }
    let revoke = is_on(matches, REVOKE);
    if revoke {
        let progress = Arc::new(Progress::new());
        let (connector, setup) = inspected(context, &name, matches, &progress)?;
        let work = async move { inspector(&*connector)?.revoke(setup).await };
        if context.watch_question(work, &progress).await?.is_none() {
            return Ok(Exit::Stopped);
        }
    }
    store.remove(&name).map_err(store_error)?;
    let rest = if revoke {
        "its key is revoked"
    } else {
        "the remote accepts its key until it is revoked there"
    };
    context.terminal.answer(format_args!(
        "Removed `{name}`; {rest}. Configurations and commands that name it fail from now on."
    ))?;
    Ok(Exit::Complete)
}
