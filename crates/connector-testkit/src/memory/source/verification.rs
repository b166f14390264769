//! Compares a copy with the remote.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Comparison, Finding, FindingKind, ReadRequest, Record, Replica, Result, Stream,
    VerifiableSource, Verification,
};
use futures::TryStreamExt;
use serde_json::Value;

use super::position::resume;
use super::{MemorySource, catalog, expect_known};
use crate::rows::key_of;

#[async_trait]
impl VerifiableSource for MemorySource {
    async fn verify(
        &self,
        request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        request.expect_whole()?;
        expect_known(&request.streams)?;
        let (_, positions) = resume(request.state.as_ref(), &request.streams)?;
        let mut verification = Verification::default();
        for (selection, position) in request.streams.iter().zip(positions) {
            let stream = catalog().stream(selection.stream.as_str())?;
            let Known { claimed, keys } = self.known(stream, position.changed).await?;
            compare_keys(stream, &claimed, &keys, &*replica, &mut verification).await?;
            let sampled = samples as usize * self.page_size;
            let sample = claimed.into_iter().take(sampled).collect();
            compare_contents(stream, sample, &*replica, &mut verification).await?;
        }
        Ok(verification)
    }
}

/// What the remote has of a stream.
struct Known {
    /// The rows that a copy has if it has seen all changes up to its state. What changed since is
    /// not missed.
    claimed: Vec<Record>,
    /// The keys of all rows.
    keys: BTreeSet<String>,
}

impl MemorySource {
    async fn known(&self, stream: &Stream, changed: u64) -> Result<Known> {
        self.request(Some(&stream.name)).await?;
        let name = stream.name.as_str();
        let rows = self.remote.changes(name, 0, u64::MAX, usize::MAX);
        let (mut claimed, mut keys) = (Vec::new(), BTreeSet::new());
        for row in rows.iter().filter(|row| !row.is_removed) {
            let record = row.record(stream)?;
            keys.insert(key_of(stream, &record)?);
            if row.changed <= changed {
                claimed.push(record);
            }
        }
        Ok(Known { claimed, keys })
    }
}

/// Which rows are on one side alone.
async fn compare_keys(
    stream: &Stream,
    claimed: &[Record],
    keys: &BTreeSet<String>,
    replica: &dyn Replica,
    verification: &mut Verification,
) -> Result<()> {
    let fields: Vec<_> = stream.primary_key.iter().map(String::as_str).collect();
    let rows: Vec<_> = replica.rows(&stream.name, &fields).try_collect().await?;
    let stored = rows.into_iter().map(|row| Value::Array(row).to_string());
    let stored: BTreeSet<_> = stored.collect();
    let claimed = claimed.iter().map(|record| key_of(stream, record));
    let claimed = claimed.collect::<Result<BTreeSet<_>>>()?;
    let name = &stream.name;
    let compared = format!("{} rows of `{name}` by their keys", claimed.len());
    verification.compared.push(compared);
    for key in claimed.difference(&stored) {
        let message = "the copy does not have it";
        let finding = Finding::new(FindingKind::Missing, name.clone(), key, message);
        verification.findings.push(finding);
    }
    for key in stored.difference(keys) {
        let message = "the remote no longer has it";
        let finding = Finding::new(FindingKind::Removed, name.clone(), key, message);
        verification.findings.push(finding);
    }
    Ok(())
}

/// Which rows have other values.
async fn compare_contents(
    stream: &Stream,
    sample: Vec<Record>,
    replica: &dyn Replica,
    verification: &mut Verification,
) -> Result<()> {
    let name = &stream.name;
    let compared = format!("{} rows of `{name}` by their contents", sample.len());
    verification.compared.push(compared);
    let keys = sample.iter().map(|record| key_of(stream, record));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    for (key, found) in keys.iter().zip(replica.compare(sample).await?) {
        if let Comparison::Differs(fields) = found {
            let message = format!("these fields differ: {}", fields.join(", "));
            let finding = Finding::new(FindingKind::Stale, name.clone(), key, message);
            verification.findings.push(finding);
        }
    }
    Ok(())
}
