//! Buildkite as a source of Airbyte's hosts.

use std::process::ExitCode;

use connector_buildkite::Buildkite;
use host_airbyte::Role;

fn main() -> ExitCode {
    host_airbyte::main(&Buildkite, Role::Source)
}
