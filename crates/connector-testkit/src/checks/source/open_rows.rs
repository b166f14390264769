//! Rows of the copy that can still change.

use std::collections::BTreeMap;

use connector_core::{
    Catalog, Message, OpenRows, ReadRequest, Record, Selection, Stream, StreamName,
};
use serde_json::Value;

use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Verdict, absent, failed, skipped};
use crate::rows::{key_of, records};
use crate::suite::{last_state, read};
use crate::variation::key_alone;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "existing_open_rows_stay",
        claim: "An open row that the remote still has is not reported as removed.",
        mutants: &["reports every open row as removed"],
        capability: Capability::Source,
        run: |suite| Box::pin(existing_open_rows_stay(suite)),
    },
    Check {
        name: "removed_open_rows_are_reported",
        claim: "An open row that the remote no longer has is reported by a tombstone that holds only its key.",
        mutants: &[
            "ignores the open rows of the copy",
            "a tombstone that holds more than the key",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(removed_open_rows_are_reported(suite)),
    },
];

/// The streams that are read and say which of their rows are open, with all their records, and the
/// read that follows.
struct Open {
    catalog: Catalog,
    streams: Vec<(Stream, OpenRows)>,
    messages: Vec<Message>,
    next: ReadRequest,
}

async fn open(suite: &Suite<'_>) -> Verdict<Open> {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let streams = reading.streams(&catalog)?.into_iter();
    let streams = streams.filter_map(|stream| {
        let open = stream.open_rows.clone()?;
        Some((stream, open))
    });
    let streams: Vec<_> = streams.collect();
    let mut selections = Vec::new();
    for (stream, _) in &streams {
        let mode = stream.preferred_mode()?;
        selections.push(Selection::new(stream.name.clone(), mode));
    }
    if selections.is_empty() {
        return absent();
    }
    let request = ReadRequest::new(selections);
    let messages = read(&*source, request.clone()).await?;
    let next = request.with_state(last_state(&messages)?);
    Ok(Open {
        catalog,
        streams,
        messages,
        next,
    })
}

async fn existing_open_rows_stay(suite: &Suite<'_>) -> Verdict {
    let Open {
        streams,
        messages,
        next,
        ..
    } = open(suite).await?;
    let mut rows: BTreeMap<StreamName, Vec<Vec<Value>>> = BTreeMap::new();
    for (stream, open) in &streams {
        for record in records(&messages).filter(|record| record.stream == stream.name) {
            let value = value_of(&record.data)?;
            let wanted = open.wanted.iter().map(|field| value[field].clone());
            let rows = rows.entry(stream.name.clone()).or_default();
            rows.push(wanted.collect());
        }
    }
    let source = suite.source().await?;
    let after = read(&*source, next.with_open_rows(rows)).await?;
    match records(&after).find(|record| record.is_removed()) {
        Some(record) => {
            let name = &record.stream;
            failed(format!(
                "an existing record of `{name}` is reported as removed"
            ))
        }
        None => Ok(()),
    }
}

async fn removed_open_rows_are_reported(suite: &Suite<'_>) -> Verdict {
    let Open { catalog, next, .. } = open(suite).await?;
    let removed = &suite.reading()?.removed_open_rows;
    if removed.is_empty() {
        return skipped("no removed open row was given: use `Reading::with_removed_open_row`");
    }
    let source = suite.source().await?;
    for (name, wanted) in removed {
        let stream = catalog.stream(name.as_str())?;
        let rows = BTreeMap::from([(name.clone(), vec![wanted.clone()])]);
        let after = read(&*source, next.clone().with_open_rows(rows)).await?;
        let is_news = |record: &&Record| record.is_removed() && record.stream == *name;
        let Some(news) = records(&after).find(is_news) else {
            return failed(format!("a removed row of `{name}` is not reported"));
        };
        let key = key_alone(stream, news)?;
        let alone = Record::new(name.clone(), key.clone());
        let fields = news.data.fields()?.len();
        if fields != stream.primary_key.len() || key_of(stream, news)? != key_of(stream, &alone)? {
            return failed(format!("a tombstone of `{name}` holds more than its key"));
        }
    }
    Ok(())
}
