//! `sync`: from a source to a destination.

use std::sync::Arc;

use connector_core::Result;
use sync_runner::{CancellationToken, Failure, Progress, Runner};

use crate::args::{SyncArgs, Verbosity};
use crate::dead_letter_file::DeadLetterFile;
use crate::demo::Demo;
use crate::exit::{self, Exit};
use crate::output;
use crate::report::{self, Written};
use crate::settings::{Settings, Side};
use crate::watch::watch;

pub(crate) async fn run(args: SyncArgs, verbosity: Verbosity) -> Result<Exit> {
    let mut settings = Settings::read(&args.copy.source)?;
    let mut source = settings.source(&args.copy.source)?;
    let destination = settings.destination(args.copy.to.as_ref(), &args.copy.source.settings)?;
    let written = Written {
        connector: destination.name(),
        path: destination.path().map(str::to_owned),
        label: destination.label(),
    };
    // Kept until the end: dropping it ends the fake.
    let demo = match args.demo {
        true => Some(Demo::start(&mut source).await?),
        false => None,
    };
    let progress = Arc::new(Progress::new());
    let stop = CancellationToken::new();
    let name = name(&args, &settings, &source);
    let runner = open(source, destination, demo.as_ref(), &progress)
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

async fn open(
    source: Side,
    destination: Side,
    demo: Option<&Demo>,
    progress: &Arc<Progress>,
) -> Result<Runner> {
    let credential = match demo {
        Some(demo) => Some(demo.credential()),
        None => source.credential()?,
    };
    let destination_credential = destination.credential()?;
    let source = source.open_source(credential, progress.clone()).await?;
    let destination = destination
        .open_destination(destination_credential, progress.clone())
        .await?;
    Ok(Runner::new(source, destination))
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
