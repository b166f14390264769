//! Every call of a source.

use std::num::NonZeroUsize;
use std::sync::Arc;

use connector_core::{Catalog, Message, ReadRequest, Record, Source};
use futures::StreamExt;

use super::heard::Heard;
use crate::Suite;
use crate::copy::Copy;
use crate::given::{Access, Failure};
use crate::report::Verdict;

/// Calls every method of a source and keeps what it returns.
pub(super) async fn read(
    suite: &Suite<'_>,
    access: &Access,
    failure: Option<&Failure>,
    heard: &mut Heard,
) -> Verdict {
    let (source, watcher) = match suite.watched(access).await {
        Ok(opened) => opened,
        Err(error) => {
            heard.error(&error);
            return Ok(());
        }
    };
    heard.result("a check", source.check().await);
    if let Some(catalog) = heard.result("the catalog", source.discover().await) {
        if let Some(aware) = source.permission_aware() {
            let marked = aware.mark_readable(catalog.clone()).await;
            heard.result("the catalog with permissions", marked);
        }
        for request in suite.reading()?.requests(&catalog)? {
            divide(&*source, &request, heard).await;
            // The world stays broken until all is read.
            let _armed = failure.map(Failure::arm);
            let records = messages(suite, &*source, request.clone(), heard).await;
            verify(&*source, &catalog, request, &records, heard).await;
        }
    }
    heard.values("an event", &watcher.events());
    Ok(())
}

/// Reads that fail half-way.
pub(super) async fn fail(suite: &Suite<'_>, heard: &mut Heard) -> Verdict {
    let Ok(reading) = suite.reading() else {
        return Ok(());
    };
    for failure in &reading.failures {
        read(suite, &(failure.prepare)(), Some(failure), heard).await?;
    }
    Ok(())
}

async fn divide(source: &dyn Source, request: &ReadRequest, heard: &mut Heard) {
    if let Some(forecasting) = source.forecasting() {
        let forecast = forecasting.forecast(request.clone()).await;
        heard.result("a forecast", forecast);
    }
    let count = NonZeroUsize::MIN.saturating_add(3);
    if let Some(partitioned) = source.partitioned() {
        let partitions = partitioned.partitions(request, count, None).await;
        if let Some(partitions) = heard.result("a part", partitions) {
            heard.json("a part", &partitions);
        }
    }
}

/// The records of a read.
async fn messages(
    suite: &Suite<'_>,
    source: &dyn Source,
    request: ReadRequest,
    heard: &mut Heard,
) -> Vec<Record> {
    let mut messages = source.read(request);
    let mut records = Vec::new();
    while let Some(message) = messages.next().await {
        match message {
            Ok(message) => {
                heard.message(&message);
                if let Message::Record(record) = message {
                    link(suite, &record, heard);
                    records.push(record);
                }
            }
            Err(error) => heard.error(&error),
        }
    }
    records
}

fn link(suite: &Suite<'_>, record: &Record, heard: &mut Heard) {
    if let Some(links) = suite.connector.record_links() {
        let link = links.link(&record.stream, &record.data);
        heard.text("a link", link.unwrap_or_default());
    }
}

/// Verifies a copy that lacks the first record.
async fn verify(
    source: &dyn Source,
    catalog: &Catalog,
    request: ReadRequest,
    records: &[Record],
    heard: &mut Heard,
) {
    let Some(verifiable) = source.verifiable() else {
        return;
    };
    let mut copy = Copy::default();
    for record in records.iter().skip(1) {
        if let Ok(stream) = catalog.stream(record.stream.as_str()) {
            copy.table_mut(stream).upsert(record).ok();
        }
    }
    let found = verifiable.verify(request, Arc::new(copy), 10).await;
    heard.result("a finding", found);
}
