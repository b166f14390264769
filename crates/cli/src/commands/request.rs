//! The read that a sync would make.

use connector_core::{
    Error, ErrorKind, ReadRequest, Result, Selection, Source, State, Stream, StreamName,
};

/// These streams, or all if none is named, each in its preferred mode, from `state` on.
///
/// # Errors
/// [`ErrorKind::Config`] for a stream that the source does not have, and those of
/// [`Source::discover`].
pub(super) async fn of(
    source: &dyn Source,
    streams: &[StreamName],
    state: Option<State>,
) -> Result<ReadRequest> {
    let catalog = source.discover().await?;
    for name in streams {
        catalog.stream(name.as_str())?;
    }
    let is_wanted = |stream: &&Stream| streams.is_empty() || streams.contains(&stream.name);
    let wanted = catalog.streams.iter().filter(is_wanted);
    let selections: Result<Vec<_>> = wanted.map(preferred).collect();
    Ok(ReadRequest::new(selections?).with_state(state))
}

fn preferred(stream: &Stream) -> Result<Selection> {
    let mode = stream.sync_modes.last().copied().ok_or_else(|| {
        Error::new(ErrorKind::Internal, "the stream has no sync mode")
            .with_context("stream", &stream.name)
    })?;
    Ok(Selection {
        stream: stream.name.clone(),
        mode,
    })
}
