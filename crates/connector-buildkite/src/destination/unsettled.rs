//! Records that the journal has found before others of their target: what a run may have to send in
//! the end.

use std::collections::HashMap;
use std::sync::Arc;

use connector_core::Result;

use super::delivery::{DeliveryContext, PendingRecord};
use super::routing::RoutedRecord;

/// By target: the last record of this run, as long as the target has another state.
#[derive(Default)]
pub(super) struct Unsettled(pub(super) HashMap<String, Arc<RoutedRecord>>);

impl Unsettled {
    /// A record has its outcome.
    ///
    /// # Errors
    /// Those of the journal.
    pub(super) async fn note(
        &mut self,
        context: &DeliveryContext,
        record: &Arc<RoutedRecord>,
    ) -> Result<()> {
        let request = record.request.as_ref().ok();
        let Some(target) = request.and_then(|request| request.target()) else {
            return Ok(());
        };
        let target = context.target(&target);
        if context.journal.current(&target).as_deref() != Some(&record.key) {
            self.0.insert(target, Arc::clone(record));
            return Ok(());
        }
        self.0.remove(&target);
        if context.journal.is_pending(&target, None) {
            context.journal.settled(&target).await?;
        }
        Ok(())
    }

    /// The records that a commit has to remember.
    pub(super) fn pending(&self, context: &DeliveryContext) -> Vec<(String, PendingRecord)> {
        let is_new = |target: &str, record: &RoutedRecord| {
            context.safeguards.pending && !context.journal.is_pending(target, Some(&record.key))
        };
        let records = self
            .0
            .iter()
            .filter(|(target, record)| is_new(target, record));
        records
            .filter_map(|(target, record)| Some((target.clone(), record.to_pending()?)))
            .collect()
    }
}
