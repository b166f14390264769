//! Which streams a sync reads, in which mode, and how they are written. Only this module decides
//! that.

use connector_core::{Capabilities, Catalog, Result, Selection, Stream, StreamName, WritePlan};
use connector_core::{Error, ErrorKind};

/// The streams that a user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamChoice {
    /// The default streams of the source, each in its preferred mode.
    #[default]
    Default,
    /// All streams of the source, each in its preferred mode.
    All,
    /// These, each in its preferred mode.
    Listed(Vec<StreamName>),
    /// Exactly these, in exactly these modes.
    Selections(Vec<Selection>),
}

/// What one sync reads and writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// In the order of the catalog, each stream once.
    pub(crate) read: Vec<Selection>,
    pub(crate) write: WritePlan,
    /// The streams that are read.
    pub(crate) streams: Vec<Stream>,
}

/// Decides what is read and written.
///
/// # Errors
/// Those of [`StreamChoice::selections`]; [`ErrorKind::Config`] for a stream that the destination
/// has no write mode for.
pub(crate) fn plan(
    sync: &str,
    choice: &StreamChoice,
    catalog: Catalog,
    capabilities: &Capabilities,
) -> Result<Plan> {
    let read = choice.selections(&catalog)?;
    let is_read = |stream: &Stream| read.iter().any(|selected| selected.stream == stream.name);
    let streams: Vec<_> = catalog.streams.into_iter().filter(is_read).collect();
    let write = WritePlan::preferred(sync, streams.clone(), capabilities)?;
    Ok(Plan {
        read,
        write,
        streams,
    })
}

impl StreamChoice {
    /// What is read, in the order of the catalog, each stream once.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream or a mode that the source does not have, and if nothing
    /// is left to read.
    pub fn selections(&self, catalog: &Catalog) -> Result<Vec<Selection>> {
        for name in self.names() {
            catalog.stream(name.as_str())?;
        }
        let selections = catalog
            .streams
            .iter()
            .filter_map(|s| self.select(s).transpose());
        let selections: Vec<_> = selections.collect::<Result<_>>()?;
        if selections.is_empty() {
            return Err(Error::new(ErrorKind::Config, "there is no stream to sync"));
        }
        Ok(selections)
    }

    fn names(&self) -> Vec<&StreamName> {
        match self {
            Self::Default | Self::All => Vec::new(),
            Self::Listed(names) => names.iter().collect(),
            Self::Selections(selections) => selections.iter().map(|s| &s.stream).collect(),
        }
    }

    /// How `stream` is read, if it is.
    fn select(&self, stream: &Stream) -> Result<Option<Selection>> {
        let is_wanted = match self {
            Self::Default => stream.is_default,
            Self::All => true,
            Self::Listed(names) => names.contains(&stream.name),
            Self::Selections(selections) => {
                let mut selections = selections.iter();
                let Some(selection) = selections.find(|s| s.stream == stream.name) else {
                    return Ok(None);
                };
                stream.expect_mode(selection.mode)?;
                return Ok(Some(selection.clone()));
            }
        };
        if !is_wanted {
            return Ok(None);
        }
        let mode = stream.preferred_mode()?;
        Ok(Some(Selection::new(stream.name.clone(), mode)))
    }
}

#[cfg(test)]
mod tests {
    use connector_core::SyncMode::{self, FullRefresh, Incremental};

    use super::*;

    fn catalog() -> Catalog {
        let stream = |name| Stream::new(name, "", serde_json::json!({}));
        let logs = stream("logs").with_default(false);
        let builds = stream("builds").with_sync_modes([FullRefresh, Incremental]);
        Catalog::new([stream("agents"), builds, logs])
    }

    fn selected(choice: &StreamChoice) -> Result<Vec<(String, SyncMode)>> {
        let selections = choice.selections(&catalog())?.into_iter();
        Ok(selections.map(|s| (s.stream.into(), s.mode)).collect())
    }

    #[test]
    fn default_streams_come_in_their_preferred_mode_and_all_means_all() {
        let default = selected(&StreamChoice::Default).unwrap();
        let expected = [("agents", FullRefresh), ("builds", Incremental)];
        assert_eq!(
            default,
            expected.map(|(name, mode)| (name.to_owned(), mode))
        );
        assert_eq!(selected(&StreamChoice::All).unwrap().len(), 3);
    }

    #[test]
    fn listed_streams_come_once_each_in_the_order_of_the_catalog() {
        let names = ["builds", "agents", "builds"].map(StreamName::from);
        let selected = selected(&StreamChoice::Listed(names.to_vec())).unwrap();
        assert_eq!(selected.len(), 2);
        assert_eq!(selected[0].0, "agents");
    }

    #[test]
    fn an_unknown_stream_and_an_unsupported_mode_are_refused_by_name() {
        let error = selected(&StreamChoice::Listed(vec!["jobs".into()])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("[stream: jobs]"), "{error}");

        let incremental = vec![Selection::incremental("agents")];
        let error = selected(&StreamChoice::Selections(incremental)).unwrap_err();
        assert!(error.to_string().contains("[stream: agents]"), "{error}");
    }
}
