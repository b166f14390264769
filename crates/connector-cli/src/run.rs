//! From arguments to an exit code.

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Command};

use crate::arguments::{self, verbosity};
use crate::commands::{
    check, completions, credential, discover, man, plan, sample, status, sync, verify,
};
use crate::context::{Context, Variables};
use crate::exit::Exit;
use crate::extension::CustomCommand;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::program::Program;
use crate::terminal::{StandardStreams, Terminal, Verbosity, start_log};

const SECRET_IN_ARGUMENTS: &str = "an argument holds a secret. Others can see it in the list of \
    processes and in the history of the shell: revoke it, create a new one, and give that in an \
    environment variable or at the prompt";

impl Program {
    /// Runs the command line of this process.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let arguments = std::env::args_os().collect();
        let streams = StandardStreams::of_process();
        let variables: Variables = Arc::new(|name| std::env::var_os(name));
        self.run_with(arguments, streams, variables).into()
    }

    /// Runs a command line; the first argument is the name of the program.
    pub(crate) fn run_with(
        self,
        arguments: Vec<OsString>,
        streams: StandardStreams,
        variables: Variables,
    ) -> Exit {
        let Self { profile, commands } = self;
        let is_secret = |argument: &OsString| profile.holds_secret(&argument.to_string_lossy());
        if arguments.iter().any(is_secret) {
            Terminal::new(streams, Verbosity::Normal).fail(SECRET_IN_ARGUMENTS);
            return Exit::Usage;
        }
        let definition = definition(&profile, &commands);
        let matches = match definition.clone().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(refusal) => return refuse(&refusal, &Terminal::new(streams, Verbosity::Normal)),
        };
        let (verbosity, verbose) = verbosity(&matches);
        start_log(verbose, &profile.log_targets);
        let context = Context::new(profile, Terminal::new(streams, verbosity), variables);
        let done = block_on(dispatch(&context, &commands, &matches, definition));
        done.unwrap_or_else(|failure| failure.print(&context.terminal))
    }
}

/// The whole command line.
fn definition(profile: &Profile, commands: &[CustomCommand]) -> Command {
    arguments::program(profile)
        .subcommands([
            sync::command(profile),
            plan::command(profile),
            verify::command(profile),
            status::command(profile),
            check::command(profile),
            credential::command(profile),
            discover::command(profile),
            sample::command(profile),
        ])
        .subcommands(commands.iter().map(|command| command.command(profile)))
        .subcommands([completions::command(), man::command()])
}

async fn dispatch(
    context: &Context,
    commands: &[CustomCommand],
    matches: &ArgMatches,
    definition: Command,
) -> Result<Exit, Failure> {
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(Exit::Usage);
    };
    match name {
        sync::NAME => sync::run(context, matches).await,
        plan::NAME => plan::run(context, matches).await,
        verify::NAME => verify::run(context, matches).await,
        status::NAME => status::run(context, matches).await,
        check::NAME => check::run(context, matches).await,
        credential::NAME => credential::run(context, matches).await,
        discover::NAME => discover::run(context, matches).await,
        sample::NAME => sample::run(context, matches).await,
        completions::NAME => completions::run(context, matches, definition),
        man::NAME => man::run(context, matches, definition),
        name => match commands.iter().find(|command| command.name() == name) {
            Some(command) => command.run(context, matches).await,
            None => Ok(Exit::Usage),
        },
    }
}

/// Prints clap's message. To clap, help and version are errors too.
fn refuse(refusal: &clap::Error, terminal: &Terminal) -> Exit {
    if refusal.use_stderr() {
        terminal.advise(refusal.render().to_string().trim_end());
        return Exit::Usage;
    }
    let answered = terminal.answer(refusal.render().to_string().trim_end());
    answered.map_or_else(
        |error| Failure::Output(error).print(terminal),
        |()| Exit::Complete,
    )
}

/// Two workers: one reads, one writes. More would only cost memory.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        let message = format!("the runtime could not be started: {error}");
        connector_core::Error::new(connector_core::ErrorKind::Io, message)
    })?;
    let done = runtime.block_on(work);
    // A name lookup that hangs in the operating system must not keep the program alive.
    runtime.shutdown_background();
    done
}
