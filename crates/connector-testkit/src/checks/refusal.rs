//! How `check` refuses what does not work.

use connector_core::{ErrorKind, Result, Retry};

use crate::report::{Verdict, failed};

/// The user is told what to change: it is neither the remote's trouble nor a defect.
pub(super) fn expect_refusal(checked: Result<()>) -> Verdict {
    let Err(error) = checked else {
        return failed("it passes what does not work");
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
        return failed(format!("the error is of the kind {kind:?}: {error}"));
    }
    if error.retry() != Retry::Never {
        return failed(format!("the error asks for another try: {error}"));
    }
    Ok(())
}
