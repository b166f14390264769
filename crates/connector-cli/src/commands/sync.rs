//! `sync`: from a source to a destination.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{ArgMatches, Command, value_parser};
use connector_core::{
    Destination, Error, ErrorKind, JsonObject, LocationKind, Result, Setup, Source, Stop,
};
use host_kit::{DeadLetters, HostSettings, ResultSink, this_process};
use sync_runner::{Ending, Failure as SyncFailure, Progress, Report, Runner};

use super::demo::{self, DEMO};
use super::readable::warn_of_unreadable;
use super::rejections;
use crate::arguments::{self, CopyChoice, add_copy, is_on, option, switch, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, is_closed_pipe};
use crate::profile::Profile;
use crate::report::{SyncReport, preview};
use crate::settings::{ConnectorRef, Role, Side, expand_path};
use crate::terminal::watch;

pub(crate) const NAME: &str = "sync";
const RESTART: &str = "restart";
const DRY_RUN: &str = "dry-run";
const RESULTS: &str = "results";
const DEAD_LETTERS: &str = "dead-letters";

pub(crate) fn command(profile: &Profile) -> Command {
    let details = "The first sync reads everything that was asked for. Later ones read only what \
                   is new or changed. After an interruption, even by `kill -9`, the next one \
                   resumes where it stopped.";
    let restart = switch(
        RESTART,
        "Read everything again instead of resuming the last sync",
    );
    let dry_run = "Change nothing and print what would be sent";
    let dry_run = switch(DRY_RUN, dry_run).long_help(format!(
        "{dry_run}\n\nFor a destination that acts on its records."
    ));
    let results = "Where to write the result of each record";
    let results = option(RESULTS, "NAME:LOCATION", results)
        .value_parser(value_parser!(ConnectorRef))
        .long_help(format!(
            "{results}\n\nFor a destination that acts on its records."
        ));
    let letters = "Append rejected records to this file, each with the reason";
    let letters = option(DEAD_LETTERS, "FILE", letters)
        .value_parser(value_parser!(PathBuf))
        .long_help(format!(
            "{letters}\n\nWith this flag they do not make the sync fail. Correct them there \
             and send the file again with `--from`."
        ));
    let command = arguments::command(NAME, "Copy records to a destination", details)
        .args([restart, dry_run, results, letters]);
    let command = demo::add_flag(command, profile);
    let examples = arguments::joined(&profile.examples, &crate::exit::help());
    add_copy(command, profile).after_long_help(examples)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let mut sides = context.resolver().both(&given)?;
    let choice = CopyChoice::new(matches, &sides.sync);
    // Kept until the end, because dropping it ends the fake.
    let demo = demo::start(context, matches, &mut sides.source, &sides.destination).await?;
    let (source, destination) = (sides.source, sides.destination);
    let default_name = || match demo {
        // Its state must never be mistaken for that of the user's own data.
        Some(_) => DEMO.to_owned(),
        None => source.name(),
    };
    let name = choice.name.clone().unwrap_or_else(default_name);
    let folder = context.profile.data_folder();
    let rejections = rejections::file(&destination, &name, &default_name(), folder.as_deref());
    let work = Work {
        context,
        matches,
        name,
        rejections: rejections.filter(|_| !matches.contains_id(DEAD_LETTERS)),
        progress: Arc::new(Progress::new()),
        stop: Stop::new(),
        output_failure: Arc::default(),
    };
    let opened = work
        .open(&source, &destination, demo.as_ref(), &choice)
        .await;
    let (runner, is_dry) = opened?;
    let runner = runner.with_choice(choice.streams);
    let done = watch(runner.run(), &work.progress, &work.stop, &context.terminal).await?;
    if let Some(failure) = work.take_output_failure() {
        return Err(Failure::Output(failure));
    }
    let (report, error) = match done {
        Ok(report) => (report, None),
        Err(SyncFailure { error, report }) => (*report, Some(error)),
    };
    if error.as_ref().is_some_and(is_closed_pipe_of(&destination)) {
        return Ok(Exit::Complete);
    }
    let mut exit = Exit::of_sync(&report, error.as_ref());
    show(context, &report, &destination, is_dry);
    if demo.is_some() {
        let note = "This is made-up data: use another file for yours, or delete this one first.";
        context.terminal.say(note);
    }
    for rejection in SyncReport(&report).rejections() {
        context.terminal.warn(rejection);
    }
    if let Some(error) = error {
        context
            .explain(error, &[&source, &destination])
            .print(&context.terminal);
    }
    if let Some(path) = &work.rejections {
        exit = rejections::report(path, exit, &context.terminal);
    }
    Ok(exit)
}

/// Whether the destination writes to standard output and its reader is gone.
fn is_closed_pipe_of(destination: &Side) -> impl Fn(&Error) -> bool {
    let location = destination.schema().location.as_ref();
    let may_be_pipe = location.is_some_and(|l| l.kind == LocationKind::FileOrPipe);
    let is_output = may_be_pipe && destination.location() == Some("-");
    move |error| is_output && is_closed_pipe(error)
}

/// Reports what was done, and how to look at it.
fn show(context: &Context, report: &Report, destination: &Side, is_dry: bool) {
    if report.tries == 0 && report.ending == Ending::Failed {
        // It never began, so the error says everything.
        return;
    }
    context.terminal.say(SyncReport(report));
    if let Some(hint) = hint(context, report, destination, is_dry) {
        context.terminal.say(hint);
    }
}

fn hint(context: &Context, report: &Report, destination: &Side, is_dry: bool) -> Option<String> {
    let streams = report.progress.streams.iter();
    let largest = streams.max_by_key(|stream| stream.records)?;
    if largest.records == 0 {
        return None;
    }
    if is_dry {
        return Some("A dry run: nothing was sent.".to_owned());
    }
    let location = destination.location().unwrap_or_default();
    if location == "-" {
        return None;
    }
    let look = context
        .profile
        .first_look(&destination.name(), location, &largest.stream);
    Some(match look {
        Some(look) => format!("Written to {location}. Look into it:\n    {look}"),
        None => format!("Written to {}.", destination.label()),
    })
}

/// A sync that is being set up.
struct Work<'a> {
    context: &'a Context,
    matches: &'a ArgMatches,
    /// The name under which the state is kept.
    name: String,
    progress: Arc<Progress>,
    stop: Stop,
    /// The file for records that the copy rejects.
    rejections: Option<PathBuf>,
    /// Why results could not be printed.
    output_failure: Arc<Mutex<Option<io::Error>>>,
}

impl Work<'_> {
    /// Opens both sides. Also returns whether this is a dry run.
    async fn open(
        &self,
        source: &Side,
        destination: &Side,
        demo: Option<&crate::demo::RunningDemo>,
        choice: &CopyChoice,
    ) -> Result<(Runner, bool), Failure> {
        let context = self.context;
        self.expect_flags_of_use(destination)?;
        let credential = match demo {
            Some(demo) => demo.credential.clone(),
            None => context.credential(source)?,
        };
        let (_, source_setup) = context.setup(source, credential, &self.progress)?;
        let credential = context.credential(destination)?;
        let (mut host, setup) = context.setup(destination, credential, &self.progress)?;
        self.apply_flags(&mut host);
        let opened = self
            .open_source(source, source_setup, demo.is_some(), choice)
            .await;
        let opened_source = opened.map_err(|error| context.explain(error, &[source]))?;
        let setup = setup
            .with_stop(self.stop.clone())
            .with_dry_run(host.dry_run);
        let opened = destination.open_destination(setup).await;
        let opened = opened.map_err(|error| context.explain(error, &[destination]))?;
        let runner = self.runner(opened_source, opened, &host).await?;
        Ok((runner, host.dry_run))
    }

    async fn open_source(
        &self,
        side: &Side,
        setup: Setup,
        is_demo: bool,
        choice: &CopyChoice,
    ) -> Result<Arc<dyn Source>> {
        let source = side.open_source(setup).await?;
        // A token from the environment may be anything, so asking about it may be a wasted request.
        if side.stored_credential().is_some() && !is_demo {
            warn_of_unreadable(&*source, &choice.streams, &self.context.terminal).await;
        }
        Ok(source)
    }

    async fn runner(
        &self,
        source: Arc<dyn Source>,
        destination: Box<dyn Destination>,
        host: &HostSettings,
    ) -> Result<Runner> {
        let mut runner = Runner::new(source, destination)
            .with_name(self.name.clone())
            .with_stop(self.stop.clone())
            .with_progress(Arc::clone(&self.progress))
            .with_max_rejected(host.max_rejected)
            .with_holder(this_process(&self.context.profile.name));
        if let Some(letters) = self.dead_letters(host)? {
            runner = runner.with_dead_letters(letters);
        }
        if is_on(self.matches, RESTART) {
            runner = runner.from_the_beginning();
        }
        Ok(match self.results(host).await? {
            Some(results) => runner.with_results(results),
            None if host.dry_run => runner.with_result_listener(self.printer()),
            None => runner,
        })
    }

    /// Where rejected records are saved, if anywhere.
    fn dead_letters(&self, host: &HostSettings) -> Result<Option<DeadLetters>> {
        match &host.dead_letter {
            Some(path) => DeadLetters::open(&expand_path(path)).map(Some),
            None => Ok(self.rejections.clone().map(DeadLetters::retried)),
        }
    }

    /// Refuses flags that only destinations that act understand, if this one does not.
    fn expect_flags_of_use(&self, destination: &Side) -> Result<()> {
        let capabilities = destination.capabilities();
        let can_rehearse = capabilities.as_ref().is_some_and(|c| c.dry_run);
        let acts = capabilities.as_ref().is_some_and(|c| c.acts);
        let dry_run = is_on(self.matches, DRY_RUN) && !can_rehearse;
        let results = self.matches.contains_id(RESULTS) && !acts;
        for (flag, is_useless) in [(DRY_RUN, dry_run), (RESULTS, results)] {
            if is_useless {
                let message = format!(
                    "--{flag} is for a destination that acts on its records; `{}` stores them",
                    destination.name()
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        Ok(())
    }

    fn apply_flags(&self, host: &mut HostSettings) {
        host.dry_run |= is_on(self.matches, DRY_RUN);
        if let Some(path) = value::<PathBuf>(self.matches, DEAD_LETTERS) {
            host.dead_letter = Some(path);
        }
    }

    /// Where results are stored, if the user wants them.
    async fn results(&self, host: &HostSettings) -> Result<Option<ResultSink>> {
        let Some(to) = value::<ConnectorRef>(self.matches, RESULTS) else {
            let path = host.results.as_deref().map(expand_path);
            return path.as_deref().map(ResultSink::file).transpose();
        };
        let side = self
            .context
            .resolver()
            .other(Role::Destination, &to, "--results")?;
        let (_, setup) = side.setup(None)?;
        let destination = side.open_destination(setup).await?;
        Ok(Some(ResultSink::destination(destination)))
    }

    /// Prints each result of a dry run.
    fn printer(&self) -> impl FnMut(&JsonObject) + Send + 'static {
        let terminal = Arc::clone(&self.context.terminal);
        let subject = self.context.profile.result_subject.clone();
        let failure = Arc::clone(&self.output_failure);
        let stop = self.stop.clone();
        move |result| {
            let text = preview(result, subject.as_deref());
            let text = text.unwrap_or_else(|_| result.as_str().to_owned());
            if let Err(error) = terminal.answer(text) {
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
                stop.request();
            }
        }
    }

    fn take_output_failure(&self) -> Option<io::Error> {
        let failure = self.output_failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).take()
    }
}
