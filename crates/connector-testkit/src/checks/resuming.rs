//! A read that is killed, after each of its messages in turn.

use connector_core::{Catalog, ReadRequest};

use crate::Suite;
use crate::opening::{last_state, read, read_some};
use crate::report::{Verdict, failed, skipped};
use crate::rows::Rows;

pub(crate) async fn resuming_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        if last_state(&messages)?.is_none() {
            return skipped("no checkpoint came: each read begins anew");
        }
        let whole = Rows::of(&catalog, &messages)?;
        if whole.is_empty() {
            return failed("no record came: there is nothing to miss");
        }
        for count in 0..=messages.len() {
            let found = killed_after(suite, count, &catalog, &request).await?;
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!("killed after {count} messages, it misses {row}"));
            }
        }
    }
    Ok(())
}

/// What a read that dies and one that goes on, by another process, yield together.
async fn killed_after(
    suite: &Suite<'_>,
    count: usize,
    catalog: &Catalog,
    request: &ReadRequest,
) -> Verdict<Rows> {
    let before = read_some(&*suite.source().await?, request.clone(), count).await?;
    let resumed = request.clone().with_state(last_state(&before)?);
    let after = read(&*suite.source().await?, resumed).await?;
    Ok(Rows::of(catalog, &before)?.and(Rows::of(catalog, &after)?))
}
