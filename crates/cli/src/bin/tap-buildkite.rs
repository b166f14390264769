//! Buildkite as a Singer tap.

use std::process::ExitCode;

use connector_buildkite::Buildkite;
use host_singer::Role;

fn main() -> ExitCode {
    host_singer::main(&Buildkite, Role::Tap)
}
