//! Singer's tap and target, as a runner sees them: arguments and messages in, lines out.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

#[path = "../../../host-kit/tests/scripted/mod.rs"]
mod scripted;
mod tap;
mod target;

use std::ffi::OsString;
use std::io::Cursor;

use futures::executor::block_on;
use host_singer::{HostContext, Role};

use scripted::{Ended, Files, Scripted, Shared};

/// Calls the connector with these arguments and this standard input.
fn call(
    scripted: &Scripted,
    role: Role,
    arguments: Vec<OsString>,
    stdin: &[u8],
    stdout: Shared,
) -> Ended {
    let stderr = Shared::default();
    let context = HostContext::default();
    let served = host_singer::run(
        scripted,
        role,
        &context,
        arguments,
        Cursor::new(stdin.to_vec()),
        stdout.clone(),
        stderr.clone(),
    );
    Ended {
        code: format!("{:?}", block_on(served)),
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

fn tap(scripted: &Scripted, files: &Files, words: &[&str]) -> Ended {
    let arguments = files.arguments(words, &["config", "catalog", "state"]);
    call(scripted, Role::Tap, arguments, b"", Shared::default())
}

fn target(scripted: &Scripted, files: &Files, stdin: impl AsRef<[u8]>) -> Ended {
    let arguments = files.arguments(&[], &["config"]);
    let stdout = Shared::default();
    call(scripted, Role::Target, arguments, stdin.as_ref(), stdout)
}
