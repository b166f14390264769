//! The read that a sync would make.

use connector_core::{
    Error, ErrorKind, ReadRequest, Result, Selection, Source, State, Stream, StreamName,
};

/// These streams, or the default ones if none is named, or all, each in its preferred mode, from
/// `state` on.
///
/// # Errors
/// [`ErrorKind::Config`] for a stream that the source does not have, and those of
/// [`Source::discover`].
pub(super) async fn of(
    source: &dyn Source,
    streams: &[StreamName],
    all: bool,
    state: Option<State>,
) -> Result<ReadRequest> {
    let catalog = source.discover().await?;
    for name in streams {
        catalog.stream(name.as_str())?;
    }
    let is_wanted = |stream: &&Stream| match streams.is_empty() {
        true => all || stream.is_default,
        false => all || streams.contains(&stream.name),
    };
    let wanted = catalog.streams.iter().filter(is_wanted);
    let selections: Result<Vec<_>> = wanted.map(preferred).collect();
    Ok(ReadRequest::new(selections?).with_state(state))
}

pub(super) fn preferred(stream: &Stream) -> Result<Selection> {
    let mode = stream.sync_modes.last().copied().ok_or_else(|| {
        Error::new(ErrorKind::Internal, "the stream has no sync mode")
            .with_context("stream", &stream.name)
    })?;
    Ok(Selection {
        stream: stream.name.clone(),
        mode,
    })
}
