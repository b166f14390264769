//! `credential`: API keys under names.

mod add;
mod check;
mod list;
mod remove;
mod secret;

use clap::{Arg, ArgMatches, Command};
use connector_core::{Error, ErrorKind, Result};
use credential_store::Store;

use crate::arguments::{self, option, value};
use crate::context::Context;
use crate::credentials::store_error;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;

pub(crate) const NAME: &str = "credential";
const CREDENTIAL: &str = "name";
const CONNECTOR: &str = "connector";

pub(crate) fn command(profile: &Profile) -> Command {
    let details = format!(
        "The store is in the operating system's folder for user data, or in the folder that the \
         variable {} names. The first `credential add` decides where the key of the store is kept.",
        profile.variable("STORE")
    );
    let about = "Store API keys under names, encrypted on this machine";
    arguments::command(NAME, about, &details)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            add::command(profile),
            list::command(),
            list::show_command(),
            check::command(profile),
            add::describe_command(),
            add::rotate_command(),
            remove::command(profile),
        ])
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some((add::NAME, matches)) => add::run(context, matches),
        Some((add::DESCRIBE, matches)) => add::describe(context, matches),
        Some((add::ROTATE, matches)) => add::rotate(context, matches),
        Some((list::SHOW, matches)) => list::show(context, matches),
        Some((check::NAME, matches)) => check::run(context, matches).await,
        Some((remove::NAME, matches)) => remove::run(context, matches).await,
        Some((_, matches)) => list::run(context, matches),
        None => Ok(Exit::Usage),
    }
}

/// The name of a credential, as an argument.
fn name() -> Arg {
    Arg::new(CREDENTIAL)
        .required(true)
        .value_name("NAME")
        .help("Name of the credential: letters, digits, and `-_.`")
}

fn named(matches: &ArgMatches) -> String {
    value(matches, CREDENTIAL).unwrap_or_default()
}

/// Which connector a credential is for.
fn connector() -> Arg {
    option(
        CONNECTOR,
        "NAME",
        "Connector that the credential is for [default: the only one that takes one]",
    )
}

/// The connector that the flag names, or the only one that takes a credential.
///
/// # Errors
/// [`ErrorKind::Config`] if there are none or several.
fn connector_of(matches: &ArgMatches, profile: &Profile) -> Result<String> {
    if let Some(name) = value::<String>(matches, CONNECTOR) {
        profile.registry.get(&name)?;
        return Ok(name);
    }
    let names = takers(profile);
    match &names[..] {
        [only] => Ok(only.clone()),
        [] => {
            let message = "no connector of this program takes a credential";
            Err(Error::new(ErrorKind::Config, message))
        }
        several => {
            let message = format!(
                "--{CONNECTOR} is missing; connectors: {}",
                several.join(", ")
            );
            Err(Error::new(ErrorKind::Config, message))
        }
    }
}

/// The connectors that take a credential.
fn takers(profile: &Profile) -> Vec<String> {
    let connectors = profile.registry.iter().filter(|connector| {
        let reads = connector.source().map(|role| role.settings());
        let writes = connector.destination().map(|role| role.settings());
        [reads, writes]
            .iter()
            .flatten()
            .any(|schema| schema.takes_credential())
    });
    connectors
        .map(|connector| connector.identity().name)
        .collect()
}

/// The open store.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none, or its key is missing or wrong.
fn open(context: &Context) -> Result<Store> {
    context.credentials().store().open().map_err(store_error)
}
