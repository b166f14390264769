//! `credential add`, `describe` and `rotate`.

use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches, Command, ValueEnum, value_parser};
use connector_core::Result;
use credential_store::{KeyChoice, Name, NewCredential, Store};

use super::list::text;
use super::{connector, connector_of, name, named, open, secret};
use crate::arguments::{option, value};
use crate::context::Context;
use crate::credentials::store_error;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;

pub(super) const NAME: &str = "add";
pub(super) const DESCRIBE: &str = "describe";
pub(super) const ROTATE: &str = "rotate";
const DESCRIPTION: &str = "description";
const KEEP_KEY_IN: &str = "keep-key-in";

/// Where the key of a new store is kept.
#[derive(Debug, Clone, Copy)]
struct KeepKeyIn(KeyChoice);

impl ValueEnum for KeepKeyIn {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(KeyChoice::Automatic),
            Self(KeyChoice::Keyring),
            Self(KeyChoice::File),
            Self(KeyChoice::Passphrase),
            Self(KeyChoice::Identity),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self.0 {
            KeyChoice::Automatic => (
                "automatic",
                "In the keyring if there is one, else in a file",
            ),
            KeyChoice::Keyring => ("keyring", "In the operating system's keyring"),
            KeyChoice::File => ("file", "In a file of mode 0600 beside the credentials"),
            KeyChoice::Passphrase => (
                "passphrase",
                "In a file encrypted with a passphrase, which is asked for each time",
            ),
            KeyChoice::Identity => (
                "identity",
                "With you: an age identity, passed in an environment variable",
            ),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

pub(super) fn command(profile: &Profile) -> Command {
    let description = option(DESCRIPTION, "TEXT", "What it is for").default_value("");
    let keep = "Where to keep the key of a new store; an existing store keeps its own";
    let keep = option(KEEP_KEY_IN, "WHERE", keep)
        .value_parser(value_parser!(KeepKeyIn))
        .default_value("automatic")
        .long_help(format!(
            "{keep}. A passphrase is also taken from {}, an identity from {}.",
            profile.variable("PASSPHRASE"),
            profile.variable("IDENTITY")
        ));
    Command::new(NAME)
        .about("Store a new API key, from a hidden prompt or standard input")
        .args([name(), description, connector(), secret::argument(), keep])
}

pub(super) fn describe_command() -> Command {
    let description = Arg::new(DESCRIPTION)
        .required(true)
        .value_name("TEXT")
        .help("What it is for");
    Command::new(DESCRIBE)
        .about("Change the description")
        .args([name(), description])
}

pub(super) fn rotate_command() -> Command {
    Command::new(ROTATE)
        .about("Replace the API key; whatever uses the name of the credential keeps working")
        .args([name(), secret::argument()])
}

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    // The name is checked first, so that nobody pastes a key for nothing.
    let name: Name = named(matches).parse().map_err(store_error)?;
    let connector = connector_of(matches, &context.profile)?;
    let store = open_or_create(context, matches)?;
    let new = NewCredential {
        credential: secret::read(&context.terminal, name.as_str(), matches)?,
        connector: connector.parse().map_err(store_error)?,
        description: value(matches, DESCRIPTION).unwrap_or_default(),
        name,
    };
    let added = store.create(new, context.now).map_err(store_error)?;
    context.terminal.answer(text(&added))?;
    Ok(Exit::Complete)
}

pub(super) fn describe(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let description = value::<String>(matches, DESCRIPTION).unwrap_or_default();
    let described = open(context)?.describe(&named(matches), &description);
    context
        .terminal
        .answer(text(&described.map_err(store_error)?))?;
    Ok(Exit::Complete)
}

pub(super) fn rotate(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let name = named(matches);
    let store = open(context)?;
    store.info(&name).map_err(store_error)?;
    let secret = secret::read(&context.terminal, &name, matches)?;
    let rotated = store
        .rotate(&name, &secret, context.now)
        .map_err(store_error)?;
    let note = "The remote accepts the old key until it is revoked there.";
    context.terminal.say(note);
    context.terminal.answer(text(&rotated))?;
    Ok(Exit::Complete)
}

/// Opens the store, or creates it and reports where its key is kept.
fn open_or_create(context: &Context, matches: &ArgMatches) -> Result<Store> {
    let choice = value::<KeepKeyIn>(matches, KEEP_KEY_IN).map_or_else(KeyChoice::default, |k| k.0);
    let access = context.credentials();
    let Some(store) = access.store().create(choice).map_err(store_error)? else {
        return open(context);
    };
    context.terminal.say(format_args!(
        "Created a credential store in {}; it opens with {}.",
        store.folder().display(),
        store.key_source()
    ));
    Ok(store)
}
