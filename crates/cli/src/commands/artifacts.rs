//! `artifacts`: the content of a build's artifacts, into a folder.

use std::sync::Arc;

use connector_buildkite::{ArtifactFile, ArtifactQuery, Artifacts};
use connector_core::{Error, ErrorKind, Result};
use futures::StreamExt;
use sync_runner::Progress;

use crate::args::{ArtifactsArgs, Verbosity};
use crate::exit::Exit;
use crate::output;
use crate::settings::Settings;
use crate::watch::watch_question;

pub(crate) async fn run(args: ArtifactsArgs, verbosity: Verbosity) -> Result<Exit> {
    let ([organization], [pipeline]) = (&args.source.organizations[..], &args.source.pipelines[..])
    else {
        let message = "name one organization and one pipeline: --organization and --pipeline";
        return Err(Error::new(ErrorKind::Config, message));
    };
    let query = ArtifactQuery {
        organization: organization.clone(),
        pipeline: pipeline.clone(),
        build: args.build,
        path: args.path.clone(),
    };
    let source = Settings::read(&args.source)?.source(&args.source)?;
    let credential = source.credential()?;
    let progress = Arc::new(Progress::new());
    let (_, setup) = source.setup(credential, progress.clone())?;
    let artifacts = Artifacts::open(setup)?;
    let folder = args.into;
    let work = async move {
        let found = artifacts.list(&query).await?;
        let (ready, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_ready);
        for other in &others {
            let state = other.state.as_deref().unwrap_or("unknown");
            output::warning(format_args!(
                "{}: not fetched, its state is {state}",
                other.path.escape_debug()
            ));
        }
        let fetched = artifacts.fetch_all(&query.organization, ready, &folder);
        Ok(fetched.collect::<Vec<_>>().await)
    };
    let Some(fetched) = watch_question(work, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    tell(fetched)
}

fn is_ready(artifact: &ArtifactFile) -> bool {
    artifact
        .state
        .as_deref()
        .is_none_or(|state| state == "finished")
}

/// A line each; the first failure decides the exit code.
fn tell(fetched: Vec<Result<connector_buildkite::Fetched>>) -> Result<Exit> {
    let (mut lines, mut failure) = (Vec::new(), None);
    let (mut files, mut bytes) = (0, 0);
    for one in fetched {
        match one {
            Ok(one) => {
                files += 1;
                bytes += one.bytes;
                let again = match one.tries {
                    0 => ", was there already".to_owned(),
                    1 => String::new(),
                    tries => format!(", asked for {tries} times"),
                };
                lines.push(format!(
                    "{} ({} bytes{again})",
                    // A path is somebody else's text: it must not drive the terminal.
                    one.path.display().to_string().escape_debug(),
                    one.bytes
                ));
            }
            Err(error) => {
                output::error(&error);
                failure = failure.or(Some(Exit::from(error.kind())));
            }
        }
    }
    lines.push(format!("{files} artifacts, {bytes} bytes fetched"));
    let answered = output::answer(lines.join("\n"));
    Ok(failure.unwrap_or(answered))
}
