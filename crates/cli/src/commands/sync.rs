//! `sync`: from a source to a destination.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{Destination, Error, ErrorKind, Ignore, Result, Source, Stream, StreamName};
use sync_runner::{CancellationToken, Failure, Progress, Runner};

use crate::args::{SyncArgs, Verbosity};
use crate::dead_letter_file::DeadLetterFile;
use crate::demo::Demo;
use crate::exit::{self, Exit};
use crate::output;
use crate::preview::Preview;
use crate::report::{self, Written};
use crate::settings::{Settings, Side};
use crate::watch::watch;

pub(crate) async fn run(args: SyncArgs, verbosity: Verbosity) -> Result<Exit> {
    let mut settings = Settings::read(&args.copy.source)?;
    let mut source = settings.source(&args.copy.source)?;
    let mut destination =
        settings.destination(args.copy.to.as_ref(), &args.copy.source.settings)?;
    source.pass_on(&mut destination);
    let results = results(&args, &settings, &mut destination).await?;
    let written = Written {
        connector: destination.name(),
        path: destination.path().map(str::to_owned),
        label: destination.label(),
        is_dry: args.dry_run,
    };
    // Kept until the end: dropping it ends the fake.
    let demo = match args.demo {
        true => Some(Demo::start(&mut source).await?),
        false => None,
    };
    let progress = Arc::new(Progress::new());
    let stop = CancellationToken::new();
    let name = name(&args, &settings, &source);
    let wanted = Wanted {
        streams: settings.streams(&args.copy.streams),
        all: args.copy.all_streams,
    };
    let runner = open(
        source,
        (destination, results),
        demo.as_ref(),
        &progress,
        &wanted,
    )
    .await?
    .with_name(name)
    .with_stop(stop.clone())
    .with_progress(Arc::clone(&progress));
    let runner = choose(runner, &args, &settings)?;

    let done = watch(runner.run(), &progress, &stop, verbosity).await?;
    let (report, error) = match done {
        Ok(report) => (report, None),
        Err(Failure { error, report }) => (*report, Some(error)),
    };
    if verbosity != Verbosity::Quiet {
        report::show(&report, &written);
    }
    if demo.is_some() && verbosity != Verbosity::Quiet {
        output::say("This is made-up data: use another file for yours, or delete this one first.");
    }
    report::warn_of_rejected(&report);
    if let Some(error) = &error {
        exit::tell(error);
    }
    Ok(exit::of_sync(&report, error.as_ref()))
}

/// The demo's state must never be taken for that of the user's own organization.
fn name(args: &SyncArgs, settings: &Settings, source: &Side) -> String {
    let demo = args.demo.then(|| "demo".to_owned());
    let given = args.copy.name.as_ref().or(settings.file.name.as_ref());
    settings.name(given.or(demo.as_ref()), source)
}

/// Where the results go. A dry run prints them, unless they go somewhere else.
///
/// # Errors
/// [`ErrorKind::Config`] for a destination that does not act, and those of opening another.
async fn results(
    args: &SyncArgs,
    settings: &Settings,
    destination: &mut Side,
) -> Result<Option<Box<dyn Destination>>> {
    let acts = destination.takes("dry_run");
    for (flag, is_set) in [
        ("--dry-run", args.dry_run),
        ("--results", args.results.is_some()),
    ] {
        if is_set && !acts {
            let message = format!("{flag} is for a destination that acts, such as buildkite");
            return Err(Error::new(ErrorKind::Config, message));
        }
    }
    if args.dry_run {
        destination.set("dry_run", true.into());
    }
    match &args.results {
        Some(to) => {
            let results = settings.results(to)?;
            let observer = Arc::new(Ignore);
            Ok(Some(results.open_destination(None, observer, None).await?))
        }
        None if args.dry_run => Ok(Some(Box::new(Preview))),
        None => Ok(None),
    }
}

async fn open(
    source: Side,
    (destination, results): (Side, Option<Box<dyn Destination>>),
    demo: Option<&Demo>,
    progress: &Arc<Progress>,
    wanted: &Wanted,
) -> Result<Runner> {
    let credential = match demo {
        Some(demo) => Some(demo.credential()),
        None => source.credential()?,
    };
    let destination_credential = destination.credential()?;
    let is_stored = source.has_stored_credential() && demo.is_none();
    let source = source.open_source(credential, progress.clone()).await?;
    // For a token of the environment, which may be anything, it would be a request in vain.
    if is_stored {
        warn_of_closed(&*source, wanted).await;
    }
    let destination = destination
        .open_destination(destination_credential, progress.clone(), results)
        .await?;
    Ok(Runner::new(source, destination))
}

/// So long the answer to what a credential opens may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The streams that the user wants; the default ones if none is named.
struct Wanted {
    streams: Vec<StreamName>,
    all: bool,
}

impl Wanted {
    fn has(&self, stream: &Stream) -> bool {
        let is_named = self.streams.contains(&stream.name);
        self.all || is_named || (self.streams.is_empty() && stream.is_default)
    }
}

/// Says which of the streams the credential does not open, and what it takes: before the sync,
/// which reads the others. Whatever else is wrong, the sync itself tells.
async fn warn_of_closed(source: &dyn Source, wanted: &Wanted) {
    let marked = async { source.mark_readable(source.discover().await?).await };
    let Ok(Ok(catalog)) = tokio::time::timeout(PATIENCE, marked).await else {
        return;
    };
    let closed = catalog.streams.iter();
    for stream in closed.filter(|one| wanted.has(one) && one.is_readable == Some(false)) {
        output::warning(format_args!(
            "{} will not be read: the token lacks one of the scopes {}; tick them on the token's \
             page at Buildkite",
            stream.name,
            stream.scopes.join(", ")
        ));
    }
}

fn choose(mut runner: Runner, args: &SyncArgs, settings: &Settings) -> Result<Runner> {
    let streams = settings.streams(&args.copy.streams);
    if args.copy.all_streams {
        runner = runner.with_all_streams();
    } else if !streams.is_empty() {
        runner = runner.with_streams(streams);
    }
    if args.restart {
        runner = runner.from_the_beginning();
    }
    if let Some(path) = &args.dead_letters {
        runner = runner.with_dead_letters(Box::new(DeadLetterFile::open(path)?));
    }
    Ok(runner)
}
