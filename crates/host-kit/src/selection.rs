//! In which mode a stream is read.

use connector_core::{Result, Selection, Stream, SyncMode};

/// Reads `stream` in the requested mode if it has that, else in its preferred mode. Hosts request
/// one mode for all streams, even for those that do not have it.
///
/// # Errors
/// Those of [`Stream::preferred_mode`].
pub fn selection(stream: &Stream, asked: Option<SyncMode>) -> Result<Selection> {
    let asked = asked.filter(|mode| stream.sync_modes.contains(mode));
    let mode = asked.map_or_else(|| stream.preferred_mode(), Ok)?;
    Ok(Selection::new(stream.name.clone(), mode))
}

#[cfg(test)]
mod tests {
    use SyncMode::{FullRefresh, Incremental};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mode_that_a_stream_does_not_have_gives_way_to_its_preferred_one() {
        let stream = Stream::new("builds", "", json!({}));
        let both = stream.clone().with_sync_modes([FullRefresh, Incremental]);
        for (stream, asked, expected) in [
            (&both, Some(FullRefresh), FullRefresh),
            (&both, None, Incremental),
            (&stream, Some(Incremental), FullRefresh),
        ] {
            assert_eq!(selection(stream, asked).unwrap().mode, expected);
        }
    }
}
