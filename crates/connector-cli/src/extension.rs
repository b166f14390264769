//! Commands that a program adds.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use connector_core::{Result, Setup};
use sync_runner::Progress;

use crate::arguments::{self, add_source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::settings::{Side, expand_path};
use crate::terminal::one_line;

type Running<'a> = Pin<Box<dyn Future<Output = Result<Exit, Failure>> + Send + 'a>>;
type Run = dyn for<'a> Fn(Invocation<'a>) -> Running<'a> + Send + Sync;

/// A command that a program adds. It reads from a source, as `discover` does, and has the flags
/// of a source.
pub struct CustomCommand {
    definition: Command,
    run: Box<Run>,
}

/// One call of a [`CustomCommand`].
pub struct Invocation<'a> {
    context: &'a Context,
    matches: &'a ArgMatches,
    progress: Arc<Progress>,
}

impl CustomCommand {
    /// `definition` has the command's name, help and flags. The flags of a source are added. `run`
    /// does the work.
    pub fn new(
        definition: Command,
        run: impl for<'a> Fn(Invocation<'a>) -> Running<'a> + Send + Sync + 'static,
    ) -> Self {
        Self {
            definition,
            run: Box::new(run),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.definition.get_name()
    }

    pub(crate) fn command(&self, profile: &Profile) -> Command {
        let command = self.definition.clone().after_help(crate::exit::help());
        add_source(command, profile, false)
    }

    pub(crate) async fn run(
        &self,
        context: &Context,
        matches: &ArgMatches,
    ) -> Result<Exit, Failure> {
        let invocation = Invocation {
            context,
            matches,
            progress: Arc::new(Progress::new()),
        };
        (self.run)(invocation).await
    }
}

impl Invocation<'_> {
    /// The values of the command's own flags.
    #[must_use]
    pub fn matches(&self) -> &ArgMatches {
        self.matches
    }

    /// The path given for one of the command's own flags, with `~` expanded.
    #[must_use]
    pub fn path(&self, flag: &str) -> Option<PathBuf> {
        arguments::value::<PathBuf>(self.matches, flag).map(|path| expand_path(&path))
    }

    /// The source, as flags, environment and file describe it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if they contradict each other.
    pub fn source(&self) -> Result<Side> {
        let given = arguments::given(self.matches, &self.context.profile);
        self.context.resolver().source(&given)
    }

    /// The setup for the source, including its credential.
    ///
    /// # Errors
    /// Those of the settings and of finding a credential.
    pub fn setup(&self, source: &Side) -> Result<Setup, Failure> {
        let credential = self.context.credential(source)?;
        let (_, setup) = self.context.setup(source, credential, &self.progress)?;
        Ok(setup)
    }

    /// Runs work that can be dropped at any time, and shows its progress; `None` if the user stops
    /// it.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn watch<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<Option<T>> {
        self.context.watch_question(work, &self.progress).await
    }

    /// Prints the answer to the command on standard output.
    ///
    /// # Errors
    /// If standard output cannot be written to.
    pub fn answer(&self, text: impl std::fmt::Display) -> Result<(), Failure> {
        self.context.terminal.answer(text).map_err(Failure::from)
    }

    /// Prints one line of the answer. Line breaks in `text` are escaped.
    ///
    /// # Errors
    /// If standard output cannot be written to.
    pub fn answer_line(&self, text: impl std::fmt::Display) -> Result<(), Failure> {
        let text = text.to_string();
        self.answer(one_line(&text))
    }

    /// Prints a warning. The command continues.
    pub fn warn(&self, message: impl std::fmt::Display) {
        self.context.terminal.warn(message);
    }

    /// Prints an error. The command continues.
    pub fn fail(&self, message: impl std::fmt::Display) {
        self.context.terminal.fail(message);
    }
}
