//! Every call of a destination.

use std::sync::Arc;

use connector_core::{Destination, Holder, RunRecord};

use super::heard::Heard;
use crate::Suite;
use crate::given::Access;
use crate::report::Verdict;
use crate::suite::{SYNC, state};
use crate::watcher::Watcher;

/// Calls every method of a destination and keeps what it returns.
pub(super) async fn write(suite: &Suite<'_>, access: &Access, heard: &mut Heard) -> Verdict {
    let watcher = Arc::new(Watcher::default());
    let setup = access.watched(watcher.clone())?;
    let mut destination = match suite.connector.expect_destination()?.open(setup).await {
        Ok(destination) => destination,
        Err(error) => {
            heard.error(&error);
            return Ok(());
        }
    };
    let destination = &mut *destination;
    heard.result("a check", destination.check().await);
    let accepted = destination.accepted_streams().await;
    heard.result("the accepted streams", accepted);
    hold(destination, heard).await;
    if let Ok(plan) = suite.plan() {
        heard.result("a state", destination.start(&plan).await);
    }
    let limit = destination.batch_limit().max(1);
    for batch in suite.writing()?.batch().chunks(limit) {
        let outcomes = destination.write(batch.to_vec()).await;
        heard.result("an outcome", outcomes);
    }
    results(destination, heard).await;
    heard.result("a commit", destination.commit(Some(&state(1))).await);
    heard.result("the end", destination.finish().await);
    heard.values("an event", &watcher.events());
    Ok(())
}

/// Writes that fail half-way.
pub(super) async fn fail(suite: &Suite<'_>, heard: &mut Heard) -> Verdict {
    let Ok(writing) = suite.writing() else {
        return Ok(());
    };
    for failure in &writing.acting.failures {
        let access = (failure.prepare)();
        // It stays broken until all is written.
        let _armed = failure.arm();
        write(suite, &access, heard).await?;
    }
    Ok(())
}

/// Claims the sync, and records a run.
async fn hold(destination: &mut dyn Destination, heard: &mut Heard) {
    let holder = Holder::new("testkit", 4711, "a-machine", "2026-01-31T01:02:03Z");
    if let Some(claim) = destination.claim() {
        heard.result("a claim", claim.claim(SYNC, &holder).await);
    }
    if let Some(history) = destination.run_history() {
        let run = RunRecord::new("a", SYNC, "1.2.3", "2026-01-31T01:02:03Z");
        heard.result("the history", history.record(&run).await);
        heard.result("the history", history.runs(10).await);
    }
}

async fn results(destination: &mut dyn Destination, heard: &mut Heard) {
    let Some(acting) = destination.acting() else {
        return;
    };
    heard.values("the stream of results", &acting.result_stream());
    heard.objects("a result", &acting.take_results());
    while let Ok(true) = acting.follow().await {
        heard.objects("a result", &acting.take_results());
    }
    heard.objects("a result", &acting.take_results());
}
