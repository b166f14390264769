//! A read that is killed, after each of its messages in turn.

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
            let before = read_some(&*source, request.clone(), count).await?;
            let found = Rows::of(&catalog, &before)?;
            let state = last_state(&before)?;
            // By another process, which knows nothing but the state.
            let other = suite.source().await?;
            let after = read(&*other, request.clone().with_state(state)).await?;
            let found = found.and(Rows::of(&catalog, &after)?);
            if let Some(row) = whole.missing_in(&found) {
                return failed(format!("killed after {count} messages, it misses {row}"));
            }
        }
    }
    Ok(())
}
