//! From a command line to an exit status.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use connector_core::{Connector, Result};
use host_kit::{HostContext, HostError, STOPPED, output_failure, program};

use crate::about;
use crate::arguments::{Common, TapArguments, TargetArguments};
use crate::output::Output;
use crate::role::Role;
use crate::tap::tap;
use crate::target::target;

const WRONG_ARGUMENTS: u8 = 2;

enum Arguments {
    Tap(TapArguments),
    Target(TargetArguments),
}

impl Arguments {
    fn parse(
        role: Role,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        match role {
            Role::Tap => TapArguments::try_parse_from(arguments).map(Self::Tap),
            Role::Target => TargetArguments::try_parse_from(arguments).map(Self::Target),
        }
    }

    fn common(&self) -> &Common {
        match self {
            Self::Tap(arguments) => &arguments.common,
            Self::Target(arguments) => &arguments.common,
        }
    }
}

/// The whole executable: arguments, standard input and outputs, runtime and signals.
///
/// A signal ends a tap at once. A target finishes the request under way, stores what it knows and
/// exits with 130.
pub fn main(connector: &dyn Connector, role: Role) -> ExitCode {
    main_with(connector, role, &HostContext::default())
}

/// As [`main`], in this context.
pub fn main_with(connector: &dyn Connector, role: Role, context: &HostContext) -> ExitCode {
    let ended = program::run(async {
        if role == Role::Target {
            program::stop_on_signals(context.stop.clone());
        }
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let arguments = std::env::args_os();
        run(connector, role, context, arguments, stdin, stdout, stderr).await
    });
    ended.unwrap_or_else(|error| {
        Output::new(io::stdout(), io::stderr()).tell("CRITICAL", error);
        ExitCode::FAILURE
    })
}

/// Serves one call. `arguments` begin with the program's name. Outputs block, so this future must
/// not run where it would block others. A request to stop ends it soon, with status 130.
///
/// The status is 0 only if everything asked for was done.
pub async fn run(
    connector: &dyn Connector,
    role: Role,
    context: &HostContext,
    arguments: impl IntoIterator<Item = OsString>,
    stdin: impl Read + Send + 'static,
    stdout: impl Write,
    stderr: impl Write,
) -> ExitCode {
    let arguments = match Arguments::parse(role, arguments) {
        Ok(arguments) => arguments,
        Err(refusal) => return usage(&refusal, stdout, stderr),
    };
    let mut output = Output::new(stdout, stderr);
    let served = serve(connector, role, context, arguments, stdin, &mut output).await;
    let served = served.and_then(|()| Ok(output.flush()?));
    let code = end(served, &mut output);
    // What was read before a failure is passed on too.
    match output.flush() {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn end<W: Write, E: Write>(served: Result<(), HostError>, output: &mut Output<W, E>) -> ExitCode {
    match served {
        Ok(()) => return ExitCode::SUCCESS,
        Err(HostError::Stopped) => {
            output.tell("WARNING", "stopped on request");
            return ExitCode::from(STOPPED);
        }
        Err(HostError::Output(error)) => {
            if let Some(text) = output_failure(&error) {
                output.tell("CRITICAL", text);
            }
        }
        Err(HostError::Failed(error)) => output.tell("CRITICAL", error),
    }
    ExitCode::FAILURE
}

/// Help, or what is wrong with the arguments.
fn usage(refusal: &clap::Error, mut stdout: impl Write, mut stderr: impl Write) -> ExitCode {
    let (written, code) = if refusal.use_stderr() {
        // The arguments themselves are omitted, because one may be a secret.
        let kind = refusal.kind();
        let written = writeln!(stderr, "error: wrong arguments, see --help: {kind}");
        (written, ExitCode::from(WRONG_ARGUMENTS))
    } else {
        (write!(stdout, "{refusal}"), ExitCode::SUCCESS)
    };
    match written {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn serve<W: Write, E: Write>(
    connector: &dyn Connector,
    role: Role,
    context: &HostContext,
    arguments: Arguments,
    stdin: impl Read + Send + 'static,
    output: &mut Output<W, E>,
) -> Result<(), HostError> {
    if let Some(answer) = answer(connector, role, arguments.common())? {
        return Ok(output.line(&answer)?);
    }
    match arguments {
        Arguments::Tap(arguments) => tap(connector, &arguments, context, output).await,
        Arguments::Target(arguments) => target(connector, &arguments, context, stdin, output).await,
    }
}

/// Answers a question about the executable itself.
fn answer(connector: &dyn Connector, role: Role, common: &Common) -> Result<Option<String>> {
    if common.version {
        let version = connector.identity().version;
        return Ok(Some(format!("{} {version}", role.executable(connector))));
    }
    if common.about {
        return about::about(connector, role, common.format).map(Some);
    }
    Ok(None)
}
