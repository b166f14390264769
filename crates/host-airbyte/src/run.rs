//! From a command line to an exit status.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use connector_core::{Connector, Error, ErrorKind, Setup};
use host_kit::{Events, Halt, input};
use serde_json::json;

use crate::arguments::{Arguments, Config, Verb};
use crate::output::Output;
use crate::{describe, read, write};

/// What an executable is: Airbyte has one for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Source,
    /// Writes.
    Destination,
}

/// The whole of an executable: its arguments, standard input and output, and a runtime.
pub fn main(connector: &dyn Connector, role: Role) -> ExitCode {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("the runtime could not be started: {error}");
            return tell(&Error::new(ErrorKind::Io, message));
        }
    };
    let work = run(connector, role, std::env::args_os(), stdin, stdout);
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    // A name lookup that hangs in the operating system must not keep the program.
    runtime.shutdown_background();
    ended.unwrap_or_else(|_panic| {
        let message = "the program panicked; this is a defect of the connector";
        tell(&Error::new(ErrorKind::Internal, message))
    })
}

/// The last words of a program that has no output any more.
fn tell(error: &Error) -> ExitCode {
    let mut output = Output::new(std::io::stdout());
    let told = output.error(error).and_then(|()| output.flush());
    // If that fails too, the status still tells it.
    drop(told);
    ExitCode::FAILURE
}

/// Serves one call. `arguments` begin with the program's name. Input and output block: not to be
/// awaited where that holds up others.
///
/// The status is 0 only if everything asked for was done.
pub async fn run(
    connector: &dyn Connector,
    role: Role,
    arguments: impl IntoIterator<Item = OsString>,
    stdin: impl Read,
    stdout: impl Write,
) -> ExitCode {
    let identity = connector.identity();
    let command = Arguments::command()
        .name(identity.name)
        .version(identity.version);
    let parsed = command.try_get_matches_from(arguments);
    let arguments = match parsed.and_then(|parsed| Arguments::from_arg_matches(&parsed)) {
        Ok(arguments) => arguments,
        Err(refusal) => return usage(&refusal, stdout),
    };
    let mut output = Output::new(stdout);
    let done = serve(connector, role, arguments.verb, stdin, &mut output).await;
    let done = match done {
        Err(Halt::Failed(error)) => output.error(&error).and(Ok(false)),
        Err(Halt::Output(error)) => Err(error),
        Ok(()) => Ok(true),
    };
    match done.and_then(|is_whole| output.flush().and(Ok(is_whole))) {
        Ok(true) => ExitCode::SUCCESS,
        // Also if nobody reads the output any more: then there is nobody to tell.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Help, the version, or what is wrong with the arguments.
fn usage(refusal: &clap::Error, mut stdout: impl Write) -> ExitCode {
    if refusal.use_stderr() {
        // Not the arguments themselves: a secret may be among them.
        let message = match refusal.kind().as_str() {
            Some(kind) => format!("wrong arguments, see --help: {kind}"),
            None => "a verb is missing, see --help: spec, check, discover, read or write".into(),
        };
        let error = Error::new(ErrorKind::Config, message);
        let mut output = Output::new(stdout);
        // If it cannot be told, the status still tells it.
        drop(output.error(&error).and_then(|()| output.flush()));
        return ExitCode::from(2);
    }
    match write!(stdout, "{refusal}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn serve<W: Write>(
    connector: &dyn Connector,
    role: Role,
    verb: Verb,
    stdin: impl Read,
    output: &mut Output<W>,
) -> Result<(), Halt> {
    match (verb, role) {
        (Verb::Spec, _) => Ok(output.message(&describe::spec(connector, role))?),
        (Verb::Check(config), _) => check(connector, role, &config, output).await,
        (Verb::Discover(config), Role::Source) => discover(connector, &config, output).await,
        (Verb::Read(arguments), Role::Source) => read::read(connector, &arguments, output).await,
        (Verb::Write(arguments), Role::Destination) => {
            write::write(connector, &arguments, stdin, output).await
        }
        (_, Role::Source) => Err(no_verb("a source does not write").into()),
        (_, Role::Destination) => Err(no_verb("a destination does not read").into()),
    }
}

fn no_verb(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Whether it works is the answer, not the success of asking; only a file that cannot be read is
/// a failure.
async fn check<W: Write>(
    connector: &dyn Connector,
    role: Role,
    config: &Config,
    output: &mut Output<W>,
) -> Result<(), Halt> {
    let mut events = Events::new();
    let configuration = match role {
        Role::Source => input::source_settings(&config.config)?,
        Role::Destination => input::destination_settings(&config.config, connector)?.configuration,
    };
    let setup = Setup::new(configuration).with_observer(events.observer());
    let checked = async {
        match role {
            Role::Source => connector.open_source(setup).await?.check().await,
            Role::Destination => connector.open_destination(setup).await?.check().await,
        }
    };
    let checked = events
        .while_waiting(checked, |notice| output.notice(notice))
        .await?;
    let status = match checked {
        Ok(()) => json!({"status": "SUCCEEDED"}),
        Err(error) => json!({"status": "FAILED", "message": error.to_string()}),
    };
    let message = json!({"type": "CONNECTION_STATUS", "connectionStatus": status});
    Ok(output.message(&message)?)
}

async fn discover<W: Write>(
    connector: &dyn Connector,
    config: &Config,
    output: &mut Output<W>,
) -> Result<(), Halt> {
    let mut events = Events::new();
    let source = read::open(connector, config, &events).await?;
    let catalog = events
        .while_waiting(source.discover(), |notice| output.notice(notice))
        .await??;
    Ok(output.message(&describe::catalog(&catalog))?)
}
