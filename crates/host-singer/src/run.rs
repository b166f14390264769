//! From a command line to an exit status.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::ExitCode;

use clap::Parser;
use connector_core::Connector;
use host_kit::Halt;

use crate::about;
use crate::arguments::{Common, TapArguments, TargetArguments};
use crate::output::Output;
use crate::tap::tap;
use crate::target::target;

/// What an executable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Tap,
    /// Writes.
    Target,
}

enum Arguments {
    Tap(TapArguments),
    Target(TargetArguments),
}

/// The whole of an executable: its arguments, standard input and outputs, and a runtime.
pub fn main(connector: &dyn Connector, role: Role) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let mut output = Output::new(stdout, std::io::stderr());
            output.tell(
                "CRITICAL",
                format_args!("the runtime could not be started: {error}"),
            );
            return ExitCode::FAILURE;
        }
    };
    let arguments = std::env::args_os();
    let exit = runtime.block_on(run(
        connector,
        role,
        arguments,
        stdin,
        stdout,
        std::io::stderr(),
    ));
    // A name lookup that hangs in the operating system must not keep the program.
    runtime.shutdown_background();
    exit
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
    mut stdout: impl Write,
    mut stderr: impl Write,
) -> ExitCode {
    let arguments = match parse(role, arguments) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            let (told, exit) = match refusal.use_stderr() {
                // Not the arguments themselves: a secret may be among them.
                true => (
                    writeln!(
                        stderr,
                        "error: wrong arguments, see --help: {}",
                        refusal.kind()
                    ),
                    ExitCode::from(2),
                ),
                false => (write!(stdout, "{refusal}"), ExitCode::SUCCESS),
            };
            return if told.is_ok() {
                exit
            } else {
                ExitCode::FAILURE
            };
        }
    };
    let mut output = Output::new(stdout, stderr);
    let done = serve(connector, role, arguments, stdin, &mut output).await;
    let is_whole = match done {
        Ok(()) => true,
        Err(Halt::Failed(error)) => {
            output.tell("CRITICAL", error);
            false
        }
        // The target has ended first, and has told why.
        Err(Halt::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => false,
        Err(Halt::Output(error)) => {
            output.tell(
                "CRITICAL",
                format_args!("standard output cannot be written to: {error}"),
            );
            false
        }
    };
    match (output.flush(), is_whole) {
        (Ok(()), true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn parse(
    role: Role,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Arguments, clap::Error> {
    match role {
        Role::Tap => TapArguments::try_parse_from(arguments).map(Arguments::Tap),
        Role::Target => TargetArguments::try_parse_from(arguments).map(Arguments::Target),
    }
}

async fn serve<W: Write, E: Write>(
    connector: &dyn Connector,
    role: Role,
    arguments: Arguments,
    stdin: impl Read,
    output: &mut Output<W, E>,
) -> Result<(), Halt> {
    let (Arguments::Tap(TapArguments { common, .. })
    | Arguments::Target(TargetArguments { common })) = &arguments;
    if let Some(answer) = answer(connector, role, common) {
        return Ok(output.line(&answer)?);
    }
    match arguments {
        Arguments::Tap(arguments) => tap(connector, &arguments, output).await,
        Arguments::Target(arguments) => target(connector, &arguments, stdin, output).await,
    }
}

/// What is asked of the executable itself.
fn answer(connector: &dyn Connector, role: Role, common: &Common) -> Option<String> {
    if common.version {
        let version = connector.identity().version;
        return Some(format!("{} {version}", about::name(connector, role)));
    }
    (common.about).then(|| about::about(connector, role, common.format))
}
