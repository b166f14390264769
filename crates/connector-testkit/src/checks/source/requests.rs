//! Requests that a source cannot fulfil.

use connector_core::{ErrorKind, Message, ReadRequest, Selection, Source, SyncMode};
use futures::StreamExt;
use serde_json::json;

use crate::check::Check;
use crate::report::{Verdict, absent, failed};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "unknown_streams_are_not_read",
        claim: "Reading a stream that is not in the catalog is a configuration error, before any record.",
        mutants: &["omits an unknown stream silently"],
        capability: Capability::Source,
        run: |suite| Box::pin(unknown_streams_are_not_read(suite)),
    },
    Check {
        name: "unsupported_sync_modes_are_refused",
        claim: "Reading a stream in a mode that it does not support is a configuration error, before any record.",
        mutants: &["reads a stream in any mode"],
        capability: Capability::Source,
        run: |suite| Box::pin(unsupported_sync_modes_are_refused(suite)),
    },
    Check {
        name: "unknown_parts_are_refused",
        claim: "A request with a part that the source did not make is a configuration error, before any record.",
        mutants: &["ignores a part that it did not make"],
        capability: Capability::Source,
        run: |suite| Box::pin(unknown_parts_are_refused(suite)),
    },
];

async fn unknown_streams_are_not_read(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for mut request in reading.requests(&catalog)? {
        let unknown = Selection::full_refresh("a_stream_of_nobody");
        request.streams.push(unknown);
        expect_config(&*source, request, "a stream that is not in the catalog").await?;
    }
    Ok(())
}

async fn unsupported_sync_modes_are_refused(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let mut tried = 0;
    for stream in reading.streams(&catalog)? {
        for mode in [SyncMode::FullRefresh, SyncMode::Incremental] {
            if stream.sync_modes.contains(&mode) {
                continue;
            }
            tried += 1;
            let request = ReadRequest::new([Selection::new(stream.name.clone(), mode)]);
            let what = format!("`{}` in the mode {mode:?}", stream.name);
            expect_config(&*source, request, &what).await?;
        }
    }
    if tried == 0 {
        return absent();
    }
    Ok(())
}

async fn unknown_parts_are_refused(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let parts = [json!("testkit"), json!({"testkit": [1, 2]}), json!(7)];
    for request in reading.requests(&catalog)? {
        for part in &parts {
            let request = request.clone().with_partition(part.clone());
            expect_config(&*source, request, "a part of another source").await?;
        }
    }
    Ok(())
}

/// Reads what cannot be read.
async fn expect_config(source: &dyn Source, request: ReadRequest, what: &str) -> Verdict {
    let messages: Vec<_> = source.read(request).collect().await;
    for message in messages {
        match message {
            Ok(Message::Record(_)) => return failed(format!("{what} was read")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Config => return Ok(()),
            Err(error) => {
                let kind = error.kind();
                return failed(format!("{what} caused an error of kind {kind:?}: {error}"));
            }
        }
    }
    failed(format!("{what} caused no error"))
}
