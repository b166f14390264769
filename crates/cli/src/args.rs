//! What can be typed.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Parser, Subcommand};
use connector_core::StreamName;
use serde_json::Value;

const EXIT_CODES: &str = "\
Exit codes:
    0  complete
    1  failed for another reason than those below
    2  a flag, the configuration file or a name in them is wrong
    3  the token is missing, rejected, or lacks a scope
    4  the remote cannot be reached, is overloaded or asks to wait: try again later
    5  this machine refused: disk full, file not writable, pipe closed, state damaged
    6  finished, but a stream is incomplete, or refused records were not kept
    7  verify: records are missing in the copy
    8  verify: records in the copy are stale
    9  verify: both
  130  stopped by Ctrl-C or SIGTERM; what was read is kept";

const EXAMPLES: &str = "\
Examples:
  Try it without an account; everything happens on this machine:
    buildkite-connector sync --demo

  Copy an organization into a database. Interrupted, the same line goes on; complete, it reads
  only what is new or changed:
    export BUILDKITE_API_TOKEN=...
    buildkite-connector sync --organization acme --to sqlite:buildkite.db

  See beforehand what that costs, and afterwards whether the copy is whole and up to date:
    buildkite-connector plan --organization acme --to sqlite:buildkite.db
    buildkite-connector verify --organization acme --to sqlite:buildkite.db

  Pipe the builds of this year into another program:
    buildkite-connector sync --stream builds --since 2026-01-01 --to jsonl:- |
      jq -r '.record | select(.state == \"failed\") | .web_url'

The token:
  BUILDKITE_API_TOKEN, or a hidden prompt on a terminal; never an argument. Make one in Buildkite
  under Personal Settings > API Access Tokens, with the scopes read_organizations, read_pipelines
  and read_builds.";

const CONFIG: &str = "\
Settings in TOML, for example:
  [source]
  connector = \"buildkite\"
  organizations = [\"acme\"]
  [destination]
  connector = \"sqlite\"
  path = \"buildkite.db\"
  [sync]
  streams = [\"builds\", \"jobs\"]";

/// Copies Buildkite's organizations, pipelines, builds and jobs to where you can query them.
///
/// The first sync reads everything that was asked for, each further one what is new or changed
/// since. One that was cut off, even by `kill -9`, goes on where it was; the copy has no gaps.
#[derive(Debug, Parser)]
#[command(name = "buildkite-connector", version)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Says nothing but warnings and errors
    #[arg(
        short,
        long,
        global = true,
        display_order = 100,
        conflicts_with = "verbose"
    )]
    pub(crate) quiet: bool,

    /// Logs to stderr: -v what happens, -vv each request, -vvv more
    #[arg(short, long, global = true, display_order = 100, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copies records to a destination
    #[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
    Sync(SyncArgs),
    /// Tells what a sync will cost, and changes nothing
    ///
    /// Prints requests, records and bytes of each stream, and how long that takes under the rate
    /// limits as they are now. Asks for little: numbers of builds, and one page of the newest.
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Compares a copy with Buildkite, and changes nothing
    ///
    /// Compares the numbers of builds in windows of time, the numbers of each pipeline, builds
    /// that are not finished, the attempts of jobs, and samples of whole records. What is new or
    /// changed since the last sync is told and is no error; nor is what Buildkite has forgotten.
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// Proves that token, settings and destination work, and changes nothing
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Keeps API keys under names, encrypted on this machine
    ///
    /// The folder is that of the operating system for a user's data, or the variable
    /// BUILDKITE_CONNECTOR_STORE. What opens it is chosen with the first credential.
    #[command(subcommand, after_help = EXIT_CODES)]
    Credential(CredentialCommand),
    /// Lists the streams that can be synced
    #[command(after_help = EXIT_CODES)]
    Discover(DiscoverArgs),
    /// Fetches the artifacts of a build into a folder
    ///
    /// Each to FOLDER/JOB_ID/PATH, checked by size and SHA-1. What is there already is not fetched
    /// again, what was cut short goes on where it stopped.
    #[command(after_help = EXIT_CODES)]
    Artifacts(ArtifactsArgs),
    /// Shows a few records of a stream, and saves nothing
    ///
    /// Useful for a stream that the configuration declares: `custom_streams` in its file.
    #[command(after_help = EXIT_CODES)]
    Sample(SampleArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Keeps a new API key, asked for at a prompt or read from standard input
    Add {
        /// Its name: letters, digits, and `-_.`
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// UUID of the access token that a public key is registered for: what is asked for is then
        /// the private key, in PEM
        #[arg(long, value_name = "UUID")]
        private_key_of: Option<uuid::Uuid>,
        /// Where the key of a new store is kept; a store that is there keeps its own
        #[arg(long, value_name = "WHERE", value_enum, default_value_t)]
        keep_key_in: KeepKeyIn,
    },
    /// Lists all credentials, without their keys
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows one credential, without its key
    Show {
        /// Its name
        name: String,
    },
    /// Asks Buildkite what the API key is, what it opens, and what is too much
    Check {
        /// Its name
        name: String,
        /// Address of the API, for a proxy or a test server
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
    /// Changes the description
    Describe {
        /// Its name
        name: String,
        /// What it is for
        description: String,
    },
    /// Replaces the API key; whatever names the credential goes on working
    Rotate {
        /// Its name
        name: String,
        /// As with `add`
        #[arg(long, value_name = "UUID")]
        private_key_of: Option<uuid::Uuid>,
    },
    /// Forgets a credential
    Remove {
        /// Its name
        name: String,
        /// Revokes the token at Buildkite too, for good
        #[arg(long)]
        revoke: bool,
        /// Address of the API, for a proxy or a test server
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
}

/// Where the key of a new store is kept.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum KeepKeyIn {
    /// In the keyring if there is one, else in a file
    #[default]
    Automatic,
    /// In the operating system's keyring
    Keyring,
    /// In a file of mode 0600 beside the credentials
    File,
    /// Nowhere in clear: a passphrase is asked for each time, or BUILDKITE_CONNECTOR_PASSPHRASE
    Passphrase,
    /// With you: an age identity in BUILDKITE_CONNECTOR_IDENTITY
    Identity,
}

/// Which copy of what.
#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// The copy: sqlite:FILE, jsonl:PATH, or jsonl:- for stdout [default: sqlite:buildkite.db]
    #[arg(long, value_name = "NAME:PATH")]
    pub(crate) to: Option<PluginRef>,

    /// Only this stream; can be repeated [default: those that `discover` marks]
    #[arg(long = "stream", value_name = "NAME")]
    pub(crate) streams: Vec<StreamName>,

    /// Every stream there is
    #[arg(long, conflicts_with = "streams")]
    pub(crate) all_streams: bool,

    /// Name under which the destination keeps the state [default: the name of the source]
    ///
    /// Give each source that writes to one destination its own name.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,

    /// Syncs made-up data from a fake of Buildkite inside this program
    ///
    /// Needs no account and no token, and nothing leaves this machine. Use another destination
    /// for real data.
    #[arg(long, conflicts_with_all = ["from", "config", "base_url"])]
    pub(crate) demo: bool,

    /// Reads everything again instead of going on from the last sync
    #[arg(long)]
    pub(crate) restart: bool,

    /// Sends nothing that changes anything, and prints what would be sent
    ///
    /// For a destination that acts, such as buildkite.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Where to write what became of each record: sqlite:FILE, jsonl:PATH, or jsonl:- for stdout
    ///
    /// For a destination that acts, such as buildkite.
    #[arg(long, value_name = "NAME:PATH")]
    pub(crate) results: Option<PluginRef>,

    /// Appends refused records to this file, with the reason, as JSON lines; they are no failure
    /// then
    ///
    /// They can be sent again from there, once they are mended: --from jsonl:FILE.
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letters: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,

    /// Reckons with a sync that reads everything again
    #[arg(long)]
    pub(crate) restart: bool,

    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,

    /// Pages of 100 builds to compare by content: the newest, and others at random
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) samples: u32,

    /// Compares every page by content, which costs as much as reading everything
    #[arg(long, conflicts_with = "samples")]
    pub(crate) all: bool,

    /// Prints JSON, with all findings
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Checks this destination too
    #[arg(long, value_name = "NAME:PATH")]
    pub(crate) to: Option<PluginRef>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ArtifactsArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Number of the build, in the one organization and pipeline that are named
    #[arg(long, value_name = "NUMBER")]
    pub(crate) build: u64,

    /// Folder to put them in
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: PathBuf,

    /// Only this path; `*` stands for anything
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// The stream
    #[arg(long, value_name = "NAME")]
    pub(crate) stream: StreamName,

    /// Records to show at most
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) records: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DiscoverArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Prints the whole catalog, schemas included, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where from. Each flag goes before the same key of the configuration file.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SourceArgs {
    /// Where from [default: buildkite]
    #[arg(long, value_name = "NAME[:PATH]")]
    pub(crate) from: Option<PluginRef>,

    /// Credential of the store, by its name; see `credential`
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Option<String>,

    /// Only this organization, by its slug; can be repeated [default: all the token may see]
    #[arg(long = "organization", value_name = "SLUG")]
    pub(crate) organizations: Vec<String>,

    /// Only this pipeline, by its slug; can be repeated [default: all]
    #[arg(long = "pipeline", value_name = "SLUG")]
    pub(crate) pipelines: Vec<String>,

    /// Only builds created since, as 2026-01-31 or 2026-01-31T12:00:00Z [default: all]
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// For a source that is a database: the SELECT whose rows are read
    #[arg(long, value_name = "SELECT")]
    pub(crate) query: Option<String>,

    /// Address of the API, for a proxy or a test server
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Any other setting of the source, or of the destination as destination.KEY=VALUE
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,

    /// Settings in TOML, in tables for source, destination and sync
    #[arg(long, value_name = "FILE.toml", long_help = CONFIG)]
    pub(crate) config: Option<PathBuf>,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// Progress and a report.
    Normal,
    /// That, and a log: no bars, which would be torn apart by its lines.
    Log,
}

impl Args {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Log,
        }
    }
}

/// `NAME` or `NAME:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginRef {
    pub(crate) name: String,
    pub(crate) path: Option<String>,
}

impl FromStr for PluginRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once(':') {
            Some((name, path)) => (name, Some(path)),
            None => (text, None),
        };
        if name.is_empty() || path == Some("") {
            return Err("must be NAME or NAME:PATH, such as sqlite:buildkite.db");
        }
        Ok(Self {
            name: name.to_owned(),
            path: path.map(str::to_owned),
        })
    }
}

/// `KEY=VALUE` of a source, or `destination.KEY=VALUE`. A value that is JSON is taken as that,
/// any other as text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    pub(crate) is_of_destination: bool,
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
        let destination = key.strip_prefix("destination.");
        let key = destination.or(key.strip_prefix("source.")).unwrap_or(key);
        if key.is_empty() {
            return Err("must be KEY=VALUE");
        }
        Ok(Self {
            is_of_destination: destination.is_some(),
            key: key.to_owned(),
            value: serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use serde_json::json;

    use super::*;

    #[test]
    fn no_flag_contradicts_another_definition() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_path_may_hold_colons() {
        let plugin: PluginRef = r"sqlite:C:\builds.db".parse().unwrap();
        assert_eq!(plugin.name, "sqlite");
        assert_eq!(plugin.path.as_deref(), Some(r"C:\builds.db"));
        for text in ["", ":x", "sqlite:"] {
            assert!(text.parse::<PluginRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_setting_is_json_or_else_text() {
        for (text, is_of_destination, key, value) in [
            ("page_size=50", false, "page_size", json!(50)),
            ("source.slugs=[\"a\"]", false, "slugs", json!(["a"])),
            ("destination.path=a=b", true, "path", json!("a=b")),
        ] {
            let setting: Setting = text.parse().unwrap();
            assert_eq!(setting.key, key);
            assert_eq!(setting.value, value);
            assert_eq!(setting.is_of_destination, is_of_destination);
        }
        assert!("page_size".parse::<Setting>().is_err());
    }
}
