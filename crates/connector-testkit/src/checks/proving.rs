//! `check`, of a source and of a destination.

use std::sync::Arc;

use connector_core::{ErrorKind, Ignore, Result, Retry};

use crate::Suite;
use crate::report::{Verdict, failed, skipped};

pub(crate) async fn check_passes(suite: &Suite<'_>) -> Verdict {
    Ok(suite.source().await?.check().await?)
}

pub(crate) async fn check_fails(suite: &Suite<'_>) -> Verdict {
    let wrong = &suite.reading()?.wrong;
    if wrong.is_empty() {
        return skipped("nothing wrong was given to read with");
    }
    for access in wrong {
        let source = suite.source_of(access, Arc::new(Ignore)).await?;
        refused(source.check().await)?;
    }
    Ok(())
}

pub(crate) async fn destination_check_passes(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    destination.check().await?;
    destination.check().await?;
    match destination.start(&suite.plan()?).await? {
        None => Ok(()),
        Some(_) => failed("a state is there, where nothing but `check` was called"),
    }
}

pub(crate) async fn destination_check_fails(suite: &Suite<'_>) -> Verdict {
    let wrong = &suite.writing()?.wrong;
    if wrong.is_empty() {
        return skipped("nothing wrong was given to write with");
    }
    for access in wrong {
        let mut destination = suite.destination_of(access).await?;
        refused(destination.check().await)?;
    }
    Ok(())
}

/// The user is told what to change: it is neither the remote's trouble nor a defect.
fn refused(checked: Result<()>) -> Verdict {
    let Err(error) = checked else {
        return failed("it passes what does not work");
    };
    let is_users = matches!(
        error.kind(),
        ErrorKind::Auth
            | ErrorKind::Permission
            | ErrorKind::Config
            | ErrorKind::NotFound
            | ErrorKind::Io
    );
    if !is_users {
        let kind = error.kind();
        return failed(format!("the error is of the kind {kind:?}: {error}"));
    }
    if error.retry() != Retry::Never {
        return failed(format!("the error asks to be tried again: {error}"));
    }
    Ok(())
}
