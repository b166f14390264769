//! The last record of each target must be the last one applied.
//!
//! A record that the journal finds in the history of its target is not sent. If the input then
//! ends with it, although others were applied after it, it is sent in the end.

use std::sync::Arc;

use connector_core::{Outcome, Result};

use super::batch::Batch;
use super::routing::RoutedRecord;
use super::{BuildkiteDestination, not_started};

impl BuildkiteDestination {
    /// Applies the last record of each target that has another state. `false` if there is none.
    ///
    /// # Errors
    /// Those of a write.
    pub(super) async fn settle(&mut self) -> Result<bool> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        let context = open.context.clone();
        if self.host.is_dry || !context.safeguards.settle {
            return Ok(false);
        }
        let mut records = std::mem::take(&mut open.unsettled.0);
        for (target, pending) in context.journal.pending() {
            if records.contains_key(&target) {
                continue;
            }
            if let Some(record) = RoutedRecord::pending(&pending, &self.config) {
                records.insert(target, Arc::new(record));
            } else {
                context.journal.settled(&target).await?;
            }
        }
        let (targets, records): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        let batch = Batch::new(open, false).forced();
        let outcomes = batch.deliver_all(&records, self.max_concurrency).await?;
        let settled = targets.iter().zip(&records).zip(outcomes);
        let mut is_any_settled = false;
        for ((target, record), outcome) in settled {
            if outcome == Outcome::NotAttempted {
                let unsettled = &mut open.unsettled.0;
                unsettled.insert(target.clone(), Arc::clone(record));
                continue;
            }
            is_any_settled = true;
            if context.journal.is_pending(target, None) {
                context.journal.settled(target).await?;
            }
        }
        Ok(is_any_settled)
    }
}
