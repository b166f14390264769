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
        claim: "Marking permissions changes only `is_readable`, and no stream that can be read is marked unreadable.",
        mutants: &[
            "permissions omit a stream",
            "marks every stream as unreadable",
        ],
        capability: Capability::Permissions,
        run: |suite| Box::pin(permissions_change_nothing_else(suite)),
    },
    Check {
        name: "unreadable_streams_are_marked",
        claim: "Exactly the streams that a limited credential cannot read are marked unreadable. Reading one is a permission error.",
        mutants: &[
            "marks every stream as readable",
            "the wrong kind of error for a missing right",
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
        return failed("marking permissions changed the catalog");
    }
    let read = reading.streams(&marked)?;
    match read.iter().find(|stream| stream.is_readable == Some(false)) {
        Some(stream) => failed(format!(
            "`{}` can be read, and is marked unreadable",
            stream.name
        )),
        None => Ok(()),
    }
}

async fn unreadable_streams_are_marked(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    marked(&*suite.source().await?).await?;
    if reading.limited.is_empty() {
        return skipped("no limited credential was given: use `Reading::with_limited`");
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
        None => failed("a stream that is marked unreadable was read"),
        Some(error) if error.kind() == ErrorKind::Permission => Ok(()),
        Some(error) => {
            let kind = error.kind();
            failed(format!(
                "reading an unreadable stream caused an error of kind {kind:?}: {error}"
            ))
        }
    }
}
