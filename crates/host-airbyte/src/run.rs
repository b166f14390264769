//! From a command line to an exit status.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use connector_core::{Connector, Error, ErrorKind, Result, Setup, Source};
use host_kit::{
    DestinationSettings, Events, HostContext, HostError, Level, Notice, Report, STOPPED, input,
    output_failure, program, unless_stopped,
};
use serde_json::json;

use crate::arguments::{Arguments, Config, Verb};
use crate::output::Output;
use crate::role::Role;
use crate::{describe, read, write};

/// The whole executable: arguments, standard input and output, runtime and signals.
///
/// A signal ends a source at once, as hosts expect. A destination finishes the request under way,
/// stores what it knows and exits with 130.
pub fn main(connector: &dyn Connector, role: Role) -> ExitCode {
    main_with(connector, role, &HostContext::default())
}

/// As [`main`], in this context.
pub fn main_with(connector: &dyn Connector, role: Role, context: &HostContext) -> ExitCode {
    let ended = program::run(async {
        if role == Role::Destination {
            program::stop_on_signals(context.stop.clone());
        }
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let arguments = std::env::args_os();
        run(connector, role, context, arguments, stdin, stdout, stderr).await
    });
    ended.unwrap_or_else(|error| {
        // If this fails too, the exit status still reports it.
        report_error(io::stdout(), &error).ok();
        ExitCode::FAILURE
    })
}

/// Serves one call. `arguments` begin with the program's name. Output blocks, so this future must
/// not run where it would block others. A request to stop ends it soon, with status 130.
///
/// The status is 0 only if everything asked for was done. Standard error is used only to report
/// that standard output failed.
pub async fn run(
    connector: &dyn Connector,
    role: Role,
    context: &HostContext,
    arguments: impl IntoIterator<Item = OsString>,
    stdin: impl Read + Send + 'static,
    stdout: impl Write,
    mut stderr: impl Write,
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
    let served = serve(connector, role, context, arguments.verb, stdin, &mut output).await;
    end(served, &mut output).unwrap_or_else(|error| {
        if let Some(text) = output_failure(&error) {
            // If this fails too, the exit status still reports it.
            writeln!(stderr, "{text}").ok();
        }
        ExitCode::FAILURE
    })
}

fn end<W: Write>(served: Result<(), HostError>, output: &mut Output<W>) -> io::Result<ExitCode> {
    let code = match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(HostError::Output(error)) => return Err(error),
        Err(HostError::Failed(error)) => {
            output.error(&error)?;
            ExitCode::FAILURE
        }
        Err(HostError::Stopped) => {
            let message = "stopped on request; the next sync resumes from the last state";
            output.report(Notice::Log(Level::Warn, message.to_owned()))?;
            ExitCode::from(STOPPED)
        }
    };
    output.flush()?;
    Ok(code)
}

/// Help, the version, or what is wrong with the arguments.
fn usage(refusal: &clap::Error, mut stdout: impl Write) -> ExitCode {
    if !refusal.use_stderr() {
        return match write!(stdout, "{refusal}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    // The arguments themselves are omitted, because one may be a secret.
    let message = match refusal.kind().as_str() {
        Some(kind) => format!("wrong arguments, see --help: {kind}"),
        None => "a verb is missing, see --help: spec, check, discover, read or write".into(),
    };
    // If this fails, the exit status still reports it.
    report_error(stdout, &Error::new(ErrorKind::Config, message)).ok();
    ExitCode::from(2)
}

fn report_error(stdout: impl Write, error: &Error) -> io::Result<()> {
    let mut output = Output::new(stdout);
    output.error(error)?;
    output.flush()
}

async fn serve<W: Write>(
    connector: &dyn Connector,
    role: Role,
    context: &HostContext,
    verb: Verb,
    stdin: impl Read + Send + 'static,
    output: &mut Output<W>,
) -> Result<(), HostError> {
    let stop = &context.stop;
    match (verb, role) {
        (Verb::Spec, _) => Ok(output.message(&describe::spec(connector, role)?)?),
        (Verb::Check(config), _) => {
            unless_stopped(stop, check(connector, role, &config, context, output)).await
        }
        (Verb::Discover(config), Role::Source) => {
            unless_stopped(stop, discover(connector, &config, context, output)).await
        }
        (Verb::Read(arguments), Role::Source) => {
            read::read(connector, &arguments, context, output).await
        }
        (Verb::Write(arguments), Role::Destination) => {
            write::write(connector, &arguments, context, stdin, output).await
        }
        (_, Role::Source) => Err(no_verb("a source does not write").into()),
        (_, Role::Destination) => Err(no_verb("a destination does not read").into()),
    }
}

fn no_verb(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// A configuration that does not work is an answer, not a failure. Only a file that cannot be
/// read is a failure.
async fn check<W: Write>(
    connector: &dyn Connector,
    role: Role,
    config: &Config,
    context: &HostContext,
    output: &mut Output<W>,
) -> Result<(), HostError> {
    let mut events = Events::new();
    let setup = context.apply(setup(connector, role, config)?);
    let setup = setup.with_observer(events.observer());
    let checked = check_role(connector, role, setup);
    let status = match events.while_waiting(checked, output).await? {
        Ok(()) => json!({"status": "SUCCEEDED"}),
        Err(error) => json!({"status": "FAILED", "message": error.to_string()}),
    };
    let message = json!({"type": "CONNECTION_STATUS", "connectionStatus": status});
    Ok(output.message(&message)?)
}

fn setup(connector: &dyn Connector, role: Role, config: &Config) -> Result<Setup> {
    match role {
        Role::Source => {
            let settings = connector.expect_source()?.settings();
            input::configuration(&config.config, &settings).map(Setup::new)
        }
        Role::Destination => {
            let destination = connector.expect_destination()?;
            let settings = DestinationSettings::read(Some(&config.config), destination)?;
            Ok(settings.setup())
        }
    }
}

async fn check_role(connector: &dyn Connector, role: Role, setup: Setup) -> Result<()> {
    match role {
        Role::Source => connector.expect_source()?.open(setup).await?.check().await,
        Role::Destination => {
            let destination = connector.expect_destination()?;
            destination.open(setup).await?.check().await
        }
    }
}

async fn discover<W: Write>(
    connector: &dyn Connector,
    config: &Config,
    context: &HostContext,
    output: &mut Output<W>,
) -> Result<(), HostError> {
    let mut events = Events::new();
    let source = read::open(connector, config, context, &events).await?;
    let catalog = events.while_waiting(source.discover(), output).await??;
    Ok(output.message(&describe::catalog(&catalog))?)
}
