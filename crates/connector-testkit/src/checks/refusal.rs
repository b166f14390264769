//! How `check` refuses what does not work.

use connector_core::{ErrorKind, Result, Retry};

use crate::report::{Verdict, failed};

/// The error must tell the user what to change, and not be retryable.
pub(super) fn expect_refusal(checked: Result<()>) -> Verdict {
    let Err(error) = checked else {
        return failed("`check` passed with an access that does not work");
    };
    let is_for_user = matches!(
        error.kind(),
        ErrorKind::Auth
            | ErrorKind::Permission
            | ErrorKind::Config
            | ErrorKind::NotFound
            | ErrorKind::Io
    );
    if !is_for_user {
        let kind = error.kind();
        return failed(format!("the error has kind {kind:?}: {error}"));
    }
    if error.retry() != Retry::Never {
        return failed(format!("the error is retryable: {error}"));
    }
    Ok(())
}
