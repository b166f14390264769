//! `artifacts`: the content of a build's artifacts, into a folder.

use std::path::PathBuf;

use connector_buildkite::{ArtifactFile, ArtifactQuery, Artifacts, Fetched};
use connector_cli::clap::{Arg, ArgMatches, Command, value_parser};
use connector_cli::settings::Side;
use connector_cli::{CustomCommand, Exit, Failure, Invocation};
use connector_core::{Error, ErrorKind, Result};
use futures::StreamExt;
use serde_json::Value;

const BUILD: &str = "build";
const INTO: &str = "into";
const PATH: &str = "path";

/// The command.
pub(crate) fn command() -> CustomCommand {
    let details = "Each file is stored as FOLDER/JOB_ID/PATH and checked by size and SHA-1. Files \
                   that are already there are not fetched again. Partial files are resumed.";
    let about = "Fetch the artifacts of a build into a folder";
    let build = Arg::new(BUILD)
        .long(BUILD)
        .value_name("NUMBER")
        .required(true)
        .value_parser(value_parser!(u64))
        .help("Number of the build, in the given organization and pipeline");
    let into = Arg::new(INTO)
        .long(INTO)
        .value_name("FOLDER")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("Folder for the files");
    let path = Arg::new(PATH)
        .long(PATH)
        .value_name("GLOB")
        .help("Only paths that match this pattern; `*` matches anything");
    let definition = Command::new("artifacts")
        .about(about)
        .long_about(format!("{about}\n\n{details}"))
        .args([build, into, path]);
    CustomCommand::new(definition, |call| Box::pin(run(call)))
}

async fn run(call: Invocation<'_>) -> Result<Exit, Failure> {
    let source = call.source()?;
    let query = query(call.matches(), &source)?;
    let artifacts = Artifacts::open(call.setup(&source)?)?;
    let folder = call.path(INTO).unwrap_or_default();
    let work = async move {
        let found = artifacts.list(&query).await?;
        if let Some(path) = query.path.as_ref().filter(|_| found.is_empty()) {
            return Err(nothing_matches(path, &query));
        }
        let (ready, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_ready);
        let fetched = artifacts.fetch_all(&query.organization, ready, &folder);
        Ok((others, fetched.collect::<Vec<_>>().await))
    };
    let Some((others, fetched)) = call.watch(work).await? else {
        return Ok(Exit::Stopped);
    };
    for ArtifactFile { path, state, .. } in others {
        let state = state.as_deref().unwrap_or("unknown");
        call.warn(format_args!("{path}: not fetched, its state is {state}"));
    }
    report(&call, fetched)
}

fn query(matches: &ArgMatches, source: &Side) -> Result<ArtifactQuery> {
    let only = |key| match source.get(key) {
        Some(Value::Array(slugs)) => match &slugs[..] {
            [Value::String(slug)] => Some(slug.clone()),
            _ => None,
        },
        _ => None,
    };
    let (Some(organization), Some(pipeline)) = (only("organizations"), only("pipelines")) else {
        let message = "give one organization and one pipeline: --organization and --pipeline";
        return Err(Error::new(ErrorKind::Config, message));
    };
    Ok(ArtifactQuery {
        organization,
        pipeline,
        build: matches.get_one(BUILD).copied().unwrap_or_default(),
        path: matches.get_one(PATH).cloned(),
    })
}

/// Nothing was done, although something was asked for by its path.
fn nothing_matches(path: &str, query: &ArtifactQuery) -> Error {
    let ArtifactQuery {
        organization,
        pipeline,
        build,
        ..
    } = query;
    let message = format!(
        "no artifact of {organization}/{pipeline} #{build} matches the path `{}`; without --path \
         all are fetched",
        path.escape_debug()
    );
    Error::new(ErrorKind::NotFound, message)
}

fn is_ready(artifact: &ArtifactFile) -> bool {
    let state = artifact.state.as_deref();
    state.is_none_or(|state| state == "finished")
}

/// A line each; the first failure decides the exit code.
fn report(call: &Invocation<'_>, fetched: Vec<Result<Fetched>>) -> Result<Exit, Failure> {
    let (mut exit, mut files, mut bytes) = (Exit::Complete, 0, 0);
    for one in fetched {
        match one {
            Ok(one) => {
                files += 1;
                bytes += one.bytes;
                call.answer_line(line(&one))?;
            }
            Err(error) => {
                call.fail(&error);
                if exit == Exit::Complete {
                    exit = error.kind().into();
                }
            }
        }
    }
    call.answer(format_args!("{files} artifacts, {bytes} bytes fetched"))?;
    Ok(exit)
}

fn line(fetched: &Fetched) -> String {
    let again = match fetched.tries {
        0 => ", was already there".to_owned(),
        1 => String::new(),
        tries => format!(", after {tries} requests"),
    };
    format!(
        "{} ({} bytes{again})",
        fetched.path.display(),
        fetched.bytes
    )
}
