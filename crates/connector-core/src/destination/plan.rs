//! What a sync is going to write, and what a destination can do with it.

use serde::{Deserialize, Serialize};

use crate::{Catalog, Error, ErrorKind, Result, Stream, StreamName};

/// What happens to rows that already exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WriteMode {
    /// They stay; each record adds a row.
    Append,
    /// A record replaces the row with its primary key.
    Upsert,
    /// The records of this sync replace all rows, in one step, at its end.
    Overwrite,
}

/// What a destination can do, whatever its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// The write modes it supports; the preferred one comes first.
    pub write_modes: Vec<WriteMode>,
    /// Whether it keeps states: a sync resumes without the host's help.
    pub keeps_state: bool,
    /// Whether records make it act, so that it reports results.
    pub acts: bool,
    /// Whether it supports dry runs: it reports what it would do, and does nothing.
    pub dry_run: bool,
    /// Whether it declares a table for each stream, so that streams derived for queries are useful
    /// here.
    pub declares_tables: bool,
}

impl Capabilities {
    /// Supports these write modes, the preferred one first, and nothing else.
    pub fn new(write_modes: impl IntoIterator<Item = WriteMode>) -> Self {
        Self {
            write_modes: write_modes.into_iter().collect(),
            keeps_state: false,
            acts: false,
            dry_run: false,
            declares_tables: false,
        }
    }

    /// Keeps states.
    #[must_use]
    pub fn with_state(mut self) -> Self {
        self.keeps_state = true;
        self
    }

    /// Acts on records and reports results.
    #[must_use]
    pub fn with_results(mut self) -> Self {
        self.acts = true;
        self
    }

    /// Supports dry runs.
    #[must_use]
    pub fn with_dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Declares a table for each stream.
    #[must_use]
    pub fn with_tables(mut self) -> Self {
        self.declares_tables = true;
        self
    }

    /// The mode in which `stream` is written unless another is asked for: the first that is
    /// supported and possible. Without a primary key nothing can be upserted.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if no mode is possible.
    pub fn preferred_mode(&self, stream: &Stream) -> Result<WriteMode> {
        let is_possible =
            |mode: &&WriteMode| **mode != WriteMode::Upsert || !stream.primary_key.is_empty();
        self.write_modes
            .iter()
            .find(is_possible)
            .copied()
            .ok_or_else(|| {
                let message = "the destination needs a primary key, and this stream has none";
                Error::new(ErrorKind::Config, message).with_context("stream", &stream.name)
            })
    }

    /// Checks that every stream of the plan is in a mode that is supported and possible.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the stream and the modes there are.
    pub fn expect(&self, stream: &StreamPlan) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::new(ErrorKind::Config, message).with_context("stream", &stream.stream.name))
        };
        if !self.write_modes.contains(&stream.mode) {
            let names: Vec<_> = self.write_modes.iter().map(|mode| mode.as_str()).collect();
            return refuse(format!(
                "the destination does not support the write mode `{}`; it supports: {}",
                stream.mode.as_str(),
                names.join(", ")
            ));
        }
        if stream.mode == WriteMode::Upsert && stream.stream.primary_key.is_empty() {
            return refuse("a stream without a primary key cannot be upserted".to_owned());
        }
        Ok(())
    }
}

impl WriteMode {
    /// Its name: `append`, `upsert`, `overwrite`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Overwrite => "overwrite",
        }
    }
}

/// What a sync is going to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WritePlan {
    /// The name under which state is kept: one for each source that writes here.
    pub sync: String,
    /// The streams that will be written.
    pub streams: Vec<StreamPlan>,
}

/// One stream, and how it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamPlan {
    /// The stream.
    pub stream: Stream,
    /// What happens to rows that already exist.
    pub mode: WriteMode,
}

impl StreamPlan {
    /// `stream` is written in `mode`.
    pub fn new(stream: Stream, mode: WriteMode) -> Self {
        Self { stream, mode }
    }
}

impl WritePlan {
    /// The sync of this name writes these streams.
    pub fn new(sync: impl Into<String>, streams: impl IntoIterator<Item = StreamPlan>) -> Self {
        Self {
            sync: sync.into(),
            streams: streams.into_iter().collect(),
        }
    }

    /// The plan that writes each stream in its preferred mode.
    ///
    /// # Errors
    /// Those of [`Capabilities::preferred_mode`].
    pub fn preferred(
        sync: impl Into<String>,
        streams: impl IntoIterator<Item = Stream>,
        capabilities: &Capabilities,
    ) -> Result<Self> {
        let plan = |stream: Stream| {
            let mode = capabilities.preferred_mode(&stream)?;
            Ok(StreamPlan::new(stream, mode))
        };
        let streams: Result<Vec<_>> = streams.into_iter().map(plan).collect();
        Ok(Self::new(sync, streams?))
    }
}

/// The streams that a destination accepts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AcceptedStreams {
    /// Any stream, with the schema that the plan gives.
    Any,
    /// Only these, with the schema that a record must have.
    Only(Catalog),
}

impl AcceptedStreams {
    /// Checks that a stream is accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], listing the streams that are, if it is not.
    pub fn expect(&self, stream: &StreamName) -> Result<()> {
        let Self::Only(accepted) = self else {
            return Ok(());
        };
        if accepted.streams.iter().any(|known| known.name == *stream) {
            return Ok(());
        }
        let names: Vec<_> = accepted.streams.iter().map(|s| s.name.as_str()).collect();
        let message = format!(
            "the destination does not accept this stream; it accepts: {}",
            names.join(", ")
        );
        Err(Error::new(ErrorKind::Config, message).with_context("stream", stream))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn capabilities() -> Capabilities {
        Capabilities::new([WriteMode::Upsert, WriteMode::Append])
    }

    #[test]
    fn a_stream_without_a_key_is_appended_and_others_are_upserted() {
        let bare = Stream::new("logs", "", json!({}));
        let keyed = Stream::new("builds", "", json!({})).with_primary_key(["id"]);
        let plan = WritePlan::preferred("s", [bare, keyed], &capabilities()).unwrap();
        let modes: Vec<_> = plan.streams.iter().map(|stream| stream.mode).collect();
        assert_eq!(modes, [WriteMode::Append, WriteMode::Upsert]);
    }

    #[test]
    fn a_mode_that_is_not_supported_or_not_possible_is_refused_by_name() {
        let stream = Stream::new("logs", "", json!({}));
        let plan = |mode| StreamPlan::new(stream.clone(), mode);
        let error = capabilities()
            .expect(&plan(WriteMode::Overwrite))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the destination does not support the write mode `overwrite`; it supports: upsert, \
             append [stream: logs]"
        );
        assert!(capabilities().expect(&plan(WriteMode::Upsert)).is_err());
        assert!(capabilities().expect(&plan(WriteMode::Append)).is_ok());
    }
}
