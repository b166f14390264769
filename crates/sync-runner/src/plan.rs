//! What a sync reads and writes, decided from the catalog, the user's choice and the destination.

use connector_core::{
    Accepts, Catalog, Error, ErrorKind, Result, Selection, Stream, StreamName, SyncMode, WritePlan,
};

/// The streams that the user wants.
#[derive(Debug, Clone, Default)]
pub(crate) enum Choice {
    /// Those that are read unless others are named, each in its preferred mode.
    #[default]
    Default,
    /// All there are, each in its preferred mode.
    All,
    /// These, each in its preferred mode.
    Streams(Vec<StreamName>),
    /// Just so.
    Selections(Vec<Selection>),
}

/// One sync, decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// In the order of the catalog, each stream once.
    pub(crate) read: Vec<Selection>,
    pub(crate) write: WritePlan,
}

/// Decides what is read and written.
///
/// # Errors
/// [`ErrorKind::Config`] for a stream or mode that the source does not have, and for a stream
/// that the destination does not take.
pub(crate) fn plan(
    sync: &str,
    choice: &Choice,
    catalog: Catalog,
    accepts: &Accepts,
) -> Result<Plan> {
    refuse_unknown(choice, &catalog)?;
    let mut read = Vec::new();
    let mut streams = Vec::new();
    for stream in catalog.streams {
        let Some(mode) = choice.mode(&stream)? else {
            continue;
        };
        accepts.expect(&stream.name)?;
        read.push(Selection {
            stream: stream.name.clone(),
            mode,
        });
        streams.push(stream);
    }
    if read.is_empty() {
        return Err(Error::new(ErrorKind::Config, "there is no stream to sync"));
    }
    let sync = sync.to_owned();
    let write = WritePlan { sync, streams };
    Ok(Plan { read, write })
}

impl Choice {
    fn names(&self) -> Vec<&StreamName> {
        match self {
            Self::Default | Self::All => Vec::new(),
            Self::Streams(names) => names.iter().collect(),
            Self::Selections(selections) => selections.iter().map(|s| &s.stream).collect(),
        }
    }

    /// How `stream` is read, if it is.
    fn mode(&self, stream: &Stream) -> Result<Option<SyncMode>> {
        match self {
            Self::Default if !stream.is_default => Ok(None),
            Self::Default | Self::All => preferred(stream).map(Some),
            Self::Streams(names) if names.contains(&stream.name) => preferred(stream).map(Some),
            Self::Streams(_) => Ok(None),
            Self::Selections(selections) => selections
                .iter()
                .find(|selection| selection.stream == stream.name)
                .map(|selection| supported(stream, selection.mode))
                .transpose(),
        }
    }
}

fn refuse_unknown(choice: &Choice, catalog: &Catalog) -> Result<()> {
    for name in choice.names() {
        catalog.stream(name.as_str())?;
    }
    Ok(())
}

fn preferred(stream: &Stream) -> Result<SyncMode> {
    let name = &stream.name;
    stream.sync_modes.last().copied().ok_or_else(|| {
        Error::new(ErrorKind::Internal, "the stream has no sync mode").with_context("stream", name)
    })
}

fn supported(stream: &Stream, mode: SyncMode) -> Result<SyncMode> {
    if stream.sync_modes.contains(&mode) {
        return Ok(mode);
    }
    let message = "the stream cannot be read in this sync mode";
    Err(Error::new(ErrorKind::Config, message).with_context("stream", &stream.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str, sync_modes: &[SyncMode]) -> Stream {
        Stream {
            name: name.into(),
            description: String::new(),
            json_schema: serde_json::json!({}),
            is_default: true,
            scopes: Vec::new(),
            is_readable: None,
            primary_key: Vec::new(),
            cursor: None,
            sync_modes: sync_modes.to_vec(),
        }
    }

    fn catalog() -> Catalog {
        use SyncMode::{FullRefresh, Incremental};
        let both = [FullRefresh, Incremental];
        Catalog {
            streams: vec![stream("agents", &[FullRefresh]), stream("builds", &both)],
        }
    }

    fn planned(choice: &Choice) -> Result<Vec<(String, SyncMode)>> {
        let plan = plan("s", choice, catalog(), &Accepts::Any)?;
        let modes = plan.read.into_iter().map(|s| (s.stream.into(), s.mode));
        Ok(modes.collect())
    }

    #[test]
    fn all_streams_come_in_their_preferred_mode() {
        assert_eq!(
            planned(&Choice::All).unwrap(),
            [
                ("agents".to_owned(), SyncMode::FullRefresh),
                ("builds".to_owned(), SyncMode::Incremental)
            ]
        );
    }

    #[test]
    fn chosen_streams_come_once_each_in_the_order_of_the_catalog() {
        let names = ["builds", "agents", "builds"].map(StreamName::from);
        let planned = planned(&Choice::Streams(names.to_vec())).unwrap();
        assert_eq!(planned.len(), 2);
        assert_eq!(planned[0].0, "agents");
    }

    #[test]
    fn an_unknown_stream_and_an_unsupported_mode_are_refused_by_name() {
        let error = planned(&Choice::Streams(vec!["jobs".into()])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("[stream: jobs]"), "{error}");

        let incremental = Selection {
            stream: "agents".into(),
            mode: SyncMode::Incremental,
        };
        let error = planned(&Choice::Selections(vec![incremental])).unwrap_err();
        assert!(error.to_string().contains("[stream: agents]"), "{error}");
    }

    #[test]
    fn a_stream_that_the_destination_does_not_take_is_refused() {
        let taken = Catalog {
            streams: vec![stream("builds", &[SyncMode::FullRefresh])],
        };
        let accepts = Accepts::Streams(taken);
        let error = plan("s", &Choice::All, catalog(), &accepts).unwrap_err();
        assert!(error.to_string().contains("it takes: builds"), "{error}");

        let builds = Choice::Streams(vec!["builds".into()]);
        assert!(plan("s", &builds, catalog(), &accepts).is_ok());
    }
}
