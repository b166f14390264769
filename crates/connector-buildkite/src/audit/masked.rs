//! A copy whose rows are masked, compared with records as a read yields them.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Comparison, Record, Replica, Result, State, StreamName};
use futures::stream::BoxStream;
use serde_json::Value;

use crate::mask::Mask;

/// Masks records before they are compared.
pub(super) struct MaskedReplica {
    pub(super) replica: Arc<dyn Replica>,
    pub(super) mask: Mask,
}

#[async_trait]
impl Replica for MaskedReplica {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        self.replica.state(sync).await
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        self.replica.rows(stream, fields)
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let records = records.into_iter().map(|record| self.mask.apply(record));
        self.replica.compare(records.collect::<Result<_>>()?).await
    }
}
