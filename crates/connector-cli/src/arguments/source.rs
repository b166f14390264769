//! The flags that choose a source and its settings.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{TO, option, texts, value, values};
use crate::profile::Profile;
use crate::settings::{
    Assignment, ConnectorRef, DeclaredFlag, Given, GivenFlag, declared, expand_path,
};

const FROM: &str = "from";
const CREDENTIAL: &str = "credential";
const SET: &str = "set";
const CONFIG: &str = "config";
/// Flags that every command has, so no connector can declare them.
const TAKEN: [&str; 4] = ["quiet", "verbose", "help", "version"];

/// Adds the flags that choose a source and its settings.
pub(crate) fn add_source(command: Command, profile: &Profile, has_destination: bool) -> Command {
    let default = texts::default(profile.default_source().as_ref());
    let from = option(FROM, "NAME[:LOCATION]", &format!("Source{default}"))
        .value_parser(value_parser!(ConnectorRef))
        .long_help(format!("Source: {}{default}", texts::sources(profile)));
    let credential = option(CREDENTIAL, "NAME", "Name of a stored credential");
    let set = "Any other setting of the source; destination.KEY=VALUE for the destination";
    let set = if has_destination {
        set
    } else {
        "Any other setting of the source"
    };
    let set = option(SET, "KEY=VALUE", set)
        .action(ArgAction::Append)
        .value_parser(value_parser!(Assignment));
    let config = option(CONFIG, "FILE.toml", "Settings in a file")
        .value_parser(value_parser!(PathBuf))
        .long_help(texts::configuration(profile, has_destination));
    let command = command.args([from, credential]);
    let command = add_declared(command, &declared(&profile.registry, has_destination));
    command.args([set, config])
}

/// Adds the flags that connectors declare, except those that the command has for itself.
pub(crate) fn add_declared(mut command: Command, flags: &[DeclaredFlag]) -> Command {
    for flag in flags {
        if has_flag(&command, &flag.flag) {
            continue;
        }
        let (help, long_help) = texts::uses(&flag.uses, flag.is_list);
        let arg = Arg::new(id(&flag.flag))
            .long(flag.flag.clone())
            .value_name(flag.value_name.clone())
            .action(ArgAction::Append)
            .help(help)
            .long_help(long_help);
        command = command.arg(arg);
    }
    command
}

fn has_flag(command: &Command, name: &str) -> bool {
    let mut known = command.get_arguments().filter_map(Arg::get_long);
    TAKEN.contains(&name) || known.any(|known| known == name)
}

/// Another command may have a flag of its own with the name of a declared flag.
fn id(flag: &str) -> String {
    format!("declared-{flag}")
}

/// What the user gave.
pub(crate) fn given(matches: &ArgMatches, profile: &Profile) -> Given {
    let flags = declared(&profile.registry, true).into_iter();
    let flags = flags.filter_map(|declared| {
        let values = values(matches, &id(&declared.flag));
        let flag = declared.flag;
        (!values.is_empty()).then_some(GivenFlag { flag, values })
    });
    Given {
        from: value(matches, FROM),
        to: value(matches, TO),
        credential: value(matches, CREDENTIAL),
        flags: flags.collect(),
        assignments: values(matches, SET),
        config: value::<PathBuf>(matches, CONFIG).map(|path| expand_path(&path)),
    }
}
