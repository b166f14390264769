//! A copy, compared with the remote.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Comparison, Error, ErrorKind, FindingKind, ReadRequest, Record, Replica, Result,
    Source, State, Stream, StreamName, Verification,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use crate::check::Check;
use crate::copy::Copy;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::rows::{key_of, records};
use crate::suite::{SYNC, last_state, read};
use crate::variation::altered;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "sound_copies_pass",
        claim: "Verification finds nothing missing or stale in a fresh copy, and says what it compared.",
        mutants: &[
            "reports every row as missing",
            "does not say what it compared",
        ],
        capability: Capability::Verification,
        run: |suite| Box::pin(sound_copies_pass(suite)),
    },
    Check {
        name: "missing_rows_are_found",
        claim: "A row that the copy lacks is reported as missing, in its stream.",
        mutants: &["finds nothing", "reports a missing row in another stream"],
        capability: Capability::Verification,
        run: |suite| Box::pin(missing_rows_are_found(suite)),
    },
    Check {
        name: "stale_rows_are_found",
        claim: "A row with an outdated value is reported as stale, in its stream.",
        mutants: &["compares only keys"],
        capability: Capability::Verification,
        run: |suite| Box::pin(stale_rows_are_found(suite)),
    },
    Check {
        name: "removed_rows_are_no_error",
        claim: "A row that the remote no longer has is neither missing nor stale.",
        mutants: &["reports a removed row as stale"],
        capability: Capability::Verification,
        run: |suite| Box::pin(removed_rows_are_no_error(suite)),
    },
    Check {
        name: "later_changes_are_not_missed",
        claim: "What was added or changed after the copy's state is neither missing nor stale.",
        mutants: &["reports later changes as missing"],
        capability: Capability::Verification,
        run: |suite| Box::pin(later_changes_are_not_missed(suite)),
    },
    Check {
        name: "unreadable_copies_are_errors",
        claim: "A copy that cannot be read is an error, not a sound copy.",
        mutants: &["reports an unreadable copy as sound"],
        capability: Capability::Verification,
        run: |suite| Box::pin(unreadable_copies_are_errors(suite)),
    },
];

/// How many requests may be spent on samples: enough for all of a small world.
const SAMPLES: u32 = 1000;

/// What was read, as a copy of it is verified.
struct Copied {
    source: Arc<dyn Source>,
    request: ReadRequest,
    streams: Vec<Stream>,
    records: Vec<Record>,
    state: Option<State>,
}

/// Everything read, each stream in its preferred mode.
async fn copied(suite: &Suite<'_>) -> Verdict<Copied> {
    let reading = suite.reading()?;
    copied_with(suite, suite.source_of(&reading.access).await?).await
}

async fn copied_with(suite: &Suite<'_>, source: Arc<dyn Source>) -> Verdict<Copied> {
    if source.verifiable().is_none() {
        return Err(Unproven::Absent);
    }
    let reading = suite.reading()?;
    let catalog: Catalog = source.discover().await?;
    let Some(request) = reading.requests(&catalog)?.pop() else {
        return failed("there is nothing to read");
    };
    let messages = read(&*source, request.clone()).await?;
    let state = last_state(&messages)?;
    Ok(Copied {
        source,
        request: request.with_state(state.clone()),
        streams: reading.streams(&catalog)?,
        records: records(&messages).cloned().collect(),
        state,
    })
}

impl Copied {
    fn stream(&self, name: &StreamName) -> Verdict<&Stream> {
        let stream = self.streams.iter().find(|stream| stream.name == *name);
        stream.ok_or_else(|| Unproven::Failed(format!("`{name}` was not requested")))
    }

    /// A copy of these records.
    fn copy(&self, records: &[Record]) -> Verdict<Copy> {
        let mut copy = Copy::default();
        for record in records {
            copy.table_mut(self.stream(&record.stream)?)
                .upsert(record)?;
        }
        if let Some(state) = &self.state {
            copy.states.insert(SYNC.to_owned(), state.clone());
        }
        Ok(copy)
    }

    async fn verify(&self, replica: impl Replica + 'static) -> Verdict<Result<Verification>> {
        let Some(verifiable) = self.source.verifiable() else {
            return Err(Unproven::Absent);
        };
        let request = self.request.clone();
        Ok(verifiable.verify(request, Arc::new(replica), SAMPLES).await)
    }

    async fn found(&self, records: &[Record]) -> Verdict<Verification> {
        Ok(self.verify(self.copy(records)?).await??)
    }

    /// The first and the last record of each stream that is looked at record by record.
    fn examples(&self, suite: &Suite<'_>) -> Verdict<Vec<usize>> {
        let mut examples = Vec::new();
        for stream in &self.streams {
            if !suite.reading()?.is_verified(&stream.name) || stream.primary_key.is_empty() {
                continue;
            }
            let is_of_stream = |record: &Record| record.stream == stream.name;
            examples.extend(self.records.iter().position(is_of_stream));
            examples.extend(self.records.iter().rposition(is_of_stream));
        }
        examples.dedup();
        if examples.is_empty() {
            return skipped("no stream is compared record by record");
        }
        Ok(examples)
    }

    /// The stream and key of a record.
    fn describe(&self, at: usize) -> Verdict<String> {
        let record = &self.records[at];
        let stream = self.stream(&record.stream)?;
        Ok(format!("{} {}", record.stream, key_of(stream, record)?))
    }
}

fn has_in(found: &Verification, kind: FindingKind, stream: &StreamName) -> bool {
    let mut findings = found.findings.iter();
    findings.any(|finding| finding.kind == kind && finding.stream == *stream)
}

/// Checks that nothing is missing or stale.
fn expect_sound(found: &Verification, of: &str) -> Verdict {
    let is_error = |kind: FindingKind| matches!(kind, FindingKind::Missing | FindingKind::Stale);
    match found.findings.iter().find(|finding| is_error(finding.kind)) {
        Some(finding) => {
            let (kind, at, stream) = (finding.kind, &finding.at, &finding.stream);
            failed(format!("{of}, `{stream}` {at} is reported as {kind:?}"))
        }
        None => Ok(()),
    }
}

async fn sound_copies_pass(suite: &Suite<'_>) -> Verdict {
    let copied = copied(suite).await?;
    let found = copied.found(&copied.records).await?;
    if found.compared.is_empty() {
        return failed("it does not say what was compared");
    }
    expect_sound(&found, "in a sound copy")
}

async fn missing_rows_are_found(suite: &Suite<'_>) -> Verdict {
    let copied = copied(suite).await?;
    for at in copied.examples(suite)? {
        let mut records = copied.records.clone();
        let lost = records.remove(at);
        let found = copied.found(&records).await?;
        if !has_in(&found, FindingKind::Missing, &lost.stream) {
            return failed(format!(
                "{} is missing and was not reported",
                copied.describe(at)?
            ));
        }
    }
    Ok(())
}

async fn stale_rows_are_found(suite: &Suite<'_>) -> Verdict {
    let copied = copied(suite).await?;
    let mut tried = 0;
    for at in copied.examples(suite)? {
        let mut records = copied.records.clone();
        let Some(stale) = altered(copied.stream(&records[at].stream)?, &records[at])? else {
            continue;
        };
        tried += 1;
        records[at] = stale;
        let found = copied.found(&records).await?;
        if !has_in(&found, FindingKind::Stale, &records[at].stream) {
            return failed(format!(
                "{} is stale and was not reported",
                copied.describe(at)?
            ));
        }
    }
    if tried == 0 {
        return skipped("no record has a simple field outside its key");
    }
    Ok(())
}

async fn removed_rows_are_no_error(suite: &Suite<'_>) -> Verdict {
    let copied = copied(suite).await?;
    let removed = &suite.reading()?.removed;
    if removed.is_empty() {
        return skipped("no removed record was given: use `Reading::with_removed`");
    }
    let records = [&copied.records[..], removed].concat();
    let found = copied.found(&records).await?;
    expect_sound(&found, "with a row that the remote does not have")
}

async fn later_changes_are_not_missed(suite: &Suite<'_>) -> Verdict {
    // Absent if the source cannot verify.
    copied(suite).await?;
    let Some(change) = &suite.reading()?.change else {
        return skipped("no changing world was given: use `Reading::with_change`");
    };
    let world = change.prepare();
    let copied = copied_with(suite, suite.source_of(&world.access).await?).await?;
    world.change();
    let found = copied.found(&copied.records).await?;
    expect_sound(&found, "after a change")
}

async fn unreadable_copies_are_errors(suite: &Suite<'_>) -> Verdict {
    let copied = copied(suite).await?;
    match copied.verify(Unreadable).await? {
        Ok(_) => failed("an unreadable copy passed verification"),
        Err(_) => Ok(()),
    }
}

/// A copy that cannot be read.
struct Unreadable;

fn unreadable() -> Error {
    Error::new(ErrorKind::Io, "the copy cannot be read")
}

#[async_trait]
impl Replica for Unreadable {
    async fn state(&self, _sync: &str) -> Result<Option<State>> {
        Err(unreadable())
    }

    fn rows(
        &self,
        _stream: &StreamName,
        _fields: &[&str],
    ) -> BoxStream<'static, Result<Vec<Value>>> {
        stream::iter([Err(unreadable())]).boxed()
    }

    async fn compare(&self, _records: Vec<Record>) -> Result<Vec<Comparison>> {
        Err(unreadable())
    }
}
