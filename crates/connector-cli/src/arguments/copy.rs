//! The flags that choose streams, a copy and the name of a sync.

use clap::{ArgAction, ArgMatches, Command, value_parser};
use connector_core::StreamName;
use sync_runner::StreamChoice;

use super::{TO, add_source, is_on, option, switch, texts, value, values};
use crate::profile::Profile;
use crate::settings::{ConnectorRef, SyncTable};

const STREAM: &str = "stream";
const ALL_STREAMS: &str = "all-streams";
const NAME: &str = "name";

/// Adds the flags that choose source, streams, copy and the name of a sync.
pub(crate) fn add_copy(command: Command, profile: &Profile) -> Command {
    let command = add_destination(command, profile, "Destination", true);
    let stream = "Only this stream; can be repeated [default: those that `discover` marks]";
    let stream = option(STREAM, "NAME", stream).action(ArgAction::Append);
    let all = switch(ALL_STREAMS, "All streams of the source").conflicts_with(STREAM);
    let name = "Name under which the destination keeps the state [default: that of the source]";
    let details = "Give each source that is copied to one destination a name of its own.";
    let name = option(NAME, "NAME", name).long_help(format!("{name}\n\n{details}"));
    let command = command.args([stream, all, name]);
    add_source(command, profile, true)
}

/// As [`add_copy`], for a copy that is read back.
pub(crate) fn add_replica(command: Command, profile: &Profile) -> Command {
    let help = "Copy to compare";
    let default = texts::default(profile.default_destination().as_ref());
    let all = texts::replicas(profile);
    add_copy(command, profile).mut_arg(TO, |to| {
        to.help(format!("{help}{default}"))
            .long_help(format!("{help}: {all}{default}"))
    })
}

/// Adds `--to`.
pub(crate) fn add_destination(
    command: Command,
    profile: &Profile,
    help: &str,
    has_default: bool,
) -> Command {
    let default = profile.default_destination().filter(|_| has_default);
    let default = texts::default(default.as_ref());
    let all = texts::destinations(profile);
    let to = option(TO, "NAME:LOCATION", &format!("{help}{default}"))
        .value_parser(value_parser!(ConnectorRef))
        .long_help(format!("{help}: {all}{default}"));
    command.arg(to)
}

/// The streams and the name of a sync: those of the flags, otherwise those of the file.
#[derive(Debug, Clone)]
pub(crate) struct CopyChoice {
    pub(crate) streams: StreamChoice,
    /// The name under which the destination keeps the state, if one was given.
    pub(crate) name: Option<String>,
}

impl CopyChoice {
    pub(crate) fn new(matches: &ArgMatches, file: &SyncTable) -> Self {
        let listed = values::<String>(matches, STREAM);
        let listed: Vec<StreamName> = listed.into_iter().map(Into::into).collect();
        let written = &file.streams;
        let streams = if is_on(matches, ALL_STREAMS) {
            StreamChoice::All
        } else if !listed.is_empty() {
            StreamChoice::Listed(listed)
        } else if !written.is_empty() {
            StreamChoice::Listed(written.clone())
        } else {
            StreamChoice::Default
        };
        let name = value(matches, NAME).or_else(|| file.name.clone());
        Self { streams, name }
    }
}
