//! Which streams a credential can read.

use std::sync::Arc;

use connector_core::{Catalog, ErrorKind, ReadRequest, Selection, Source};
use futures::StreamExt;

use crate::check::Check;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "permissions_change_nothing_else",
        claim: "The catalog with permissions is the catalog, but for whether each stream is readable; the streams that are read are not called unreadable.",
        mutants: &[
            "permissions leave a stream out",
            "calls every stream unreadable",
        ],
        capability: Capability::Permissions,
        run: |suite| Box::pin(permissions_change_nothing_else(suite)),
    },
    Check {
        name: "unreadable_streams_are_marked",
        claim: "What a limited credential cannot read is marked, and to read it is an error of permission; the rest is not marked.",
        mutants: &[
            "calls every stream readable",
            "an error of another kind where a right is missing",
        ],
        capability: Capability::Permissions,
        run: |suite| Box::pin(unreadable_streams_are_marked(suite)),
    },
];

/// The catalog, plain and with permissions.
async fn marked(source: &dyn Source) -> Verdict<(Catalog, Catalog)> {
    let catalog = source.discover().await?;
    match source.permission_aware() {
        Some(aware) => Ok((catalog.clone(), aware.mark_readable(catalog).await?)),
        None => Err(Unproven::Absent),
    }
}

async fn permissions_change_nothing_else(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let (plain, marked) = marked(&*suite.source().await?).await?;
    let mut unmarked = marked.clone();
    for (stream, plain) in unmarked.streams.iter_mut().zip(&plain.streams) {
        stream.is_readable = plain.is_readable;
    }
    if unmarked != plain {
        return failed("the catalog with permissions is another");
    }
    let read = reading.streams(&marked)?;
    match read.iter().find(|stream| stream.is_readable == Some(false)) {
        Some(stream) => failed(format!("`{}` is read, and called unreadable", stream.name)),
        None => Ok(()),
    }
}

async fn unreadable_streams_are_marked(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    marked(&*suite.source().await?).await?;
    if reading.limited.is_empty() {
        return skipped("no credential was given that cannot read a stream");
    }
    for limited in &reading.limited {
        let source = suite.source_of(&limited.access).await?;
        let (_, marked) = marked(&*source).await?;
        for stream in &marked.streams {
            let name = &stream.name;
            let is_unreadable = limited.unreadable.contains(name);
            if is_unreadable != (stream.is_readable == Some(false)) {
                return failed(format!("`{name}` is marked {:?}", stream.is_readable));
            }
            if is_unreadable {
                let selection = Selection::new(name.clone(), stream.preferred_mode()?);
                expect_forbidden(&source, ReadRequest::new([selection])).await?;
            }
        }
    }
    Ok(())
}

async fn expect_forbidden(source: &Arc<dyn Source>, request: ReadRequest) -> Verdict {
    let messages: Vec<_> = source.read(request).collect().await;
    let error = messages.into_iter().find_map(Result::err);
    match error {
        None => failed("a stream that is marked as unreadable is read"),
        Some(error) if error.kind() == ErrorKind::Permission => Ok(()),
        Some(error) => {
            let kind = error.kind();
            failed(format!(
                "an unreadable stream is an error of the kind {kind:?}: {error}"
            ))
        }
    }
}
