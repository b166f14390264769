//! How far the sweep over the builds has come, and how that is saved.
//!
//! `builds` and `jobs` come from one sweep, but each has a state of its own, so that one can be
//! selected without the other. Loading joins what the streams have, see [`Coverage::join`].
//!
//! A checkpoint has version 2. The [end](SweepEnd) of a read that is divided into parts has version
//! 3: it also says how the read is divided. Version 1 knew only unfinished full refreshes, and not
//! which builds were open. Nothing follows from it, so it counts as no state.

mod coverage;
mod end;
mod open_rows;
mod saved;
mod unusable;
mod version_1;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State, StreamName, SyncMode};
use serde::Deserialize;
use serde_json::Value;

use super::scope::{PipelineRef, Slugs};
pub(crate) use coverage::{Coverage, Gap, OpenBuild, Version};
pub(crate) use end::{Cut, Cuts, SweepEnd};
pub(crate) use open_rows::OpenRowsOfCopy;
use saved::{SavedPartition, SavedStream};
pub(crate) use unusable::UnusableBuild;

/// The newest version of the form.
pub(crate) const VERSION: u32 = 3;
/// The version of checkpoints.
pub(crate) const CHECKPOINT_VERSION: u32 = 2;
/// The connector that writes it.
pub(crate) const CONNECTOR: &str = "buildkite";

/// A sweep over the builds: of which Buildkite, since when, for which streams, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepState {
    base_url: String,
    mode: SyncMode,
    streams: Vec<StreamName>,
    /// The lower end of every partition; absent for none.
    pub(crate) created_from: Option<DateTime<Utc>>,
    /// By organization, or organization and pipeline: `acme`, `acme/web`.
    pub(crate) partitions: BTreeMap<String, Coverage>,
    /// What the host says is open in the copy. Not saved.
    open_rows: OpenRowsOfCopy,
    /// What was shown, in the words of the setting, when rows of the copy were read.
    shown: BTreeSet<String>,
}

impl SweepState {
    /// A sweep at its beginning.
    pub(crate) fn new(
        base_url: &str,
        mode: SyncMode,
        streams: Vec<StreamName>,
        created_from: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            mode,
            streams,
            created_from,
            partitions: BTreeMap::new(),
            open_rows: OpenRowsOfCopy::default(),
            shown: BTreeSet::new(),
        }
    }

    /// Sets what the host says is open in the copy.
    #[must_use]
    pub(crate) fn with_open_rows(mut self, open_rows: OpenRowsOfCopy) -> Self {
        self.open_rows = open_rows;
        self
    }

    /// Says what is shown from now on; returns what was shown before, where that differs.
    pub(crate) fn show(&mut self, shown: &str) -> Vec<String> {
        let others = self.shown.iter().filter(|known| *known != shown);
        let others = others.cloned().collect();
        self.shown.insert(shown.to_owned());
        others
    }

    /// How its streams are read.
    pub(crate) fn mode(&self) -> SyncMode {
        self.mode
    }

    /// The streams that it reads.
    pub(crate) fn streams(&self) -> &[StreamName] {
        &self.streams
    }

    /// Says nothing about some streams from now on.
    pub(crate) fn leave_out(&mut self, is_left_out: impl Fn(&StreamName) -> bool) {
        self.streams.retain(|stream| !is_left_out(stream));
    }

    /// Resumes from `state`. A state of another Buildkite is ignored, and so is one of incremental
    /// syncs if everything is to be read.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if another connector made it, or if it is too new or damaged.
    pub(crate) fn resume(mut self, state: Option<&State>) -> Result<Self> {
        let Some(state) = state else { return Ok(self) };
        state.expect(CONNECTOR, VERSION)?;
        if state.version() < CHECKPOINT_VERSION {
            let mut streams = self.streams.iter();
            streams.try_for_each(|stream| version_1::check(state, stream))?;
            return Ok(self);
        }
        let mut saved = self.parse(state)?;
        saved.retain(|_, saved| self.can_resume(saved));
        let shown = saved.values_mut().map(|saved| &mut saved.shown);
        self.shown.extend(shown.flat_map(std::mem::take));
        self.join(saved);
        Ok(self)
    }

    /// Joins what the streams have.
    fn join(&mut self, saved: BTreeMap<StreamName, SavedStream>) {
        let mut saved: BTreeMap<_, _> = saved
            .into_iter()
            .map(|(stream, saved)| (stream, saved.partitions))
            .collect();
        let keys: BTreeSet<String> = saved.values().flat_map(BTreeMap::keys).cloned().collect();
        for key in keys {
            let mut part = |stream: &StreamName| {
                let saved = saved.get_mut(stream)?.remove(&key)?;
                Some(saved.coverage(stream))
            };
            let parts = self.streams.iter();
            let parts = parts.map(|stream| (stream.clone(), part(stream))).collect();
            if let Some(joined) = Coverage::join(parts, self.created_from) {
                self.partitions.insert(key, joined);
            }
        }
    }

    /// What `state` says about the streams.
    fn parse(&self, state: &State) -> Result<BTreeMap<StreamName, SavedStream>> {
        let mut saved = BTreeMap::new();
        for stream in &self.streams {
            if let Some(value) = state.stream(stream.as_str()) {
                saved.insert(stream.clone(), parse(value, stream)?);
            }
        }
        Ok(saved)
    }

    /// The pipelines that the copy knows of whole organizations.
    pub(crate) fn pipelines(&self) -> impl Iterator<Item = (String, Slugs)> {
        let whole = self.partitions.iter().filter(|(key, _)| !key.contains('/'));
        whole.map(|(key, coverage)| (key.clone(), coverage.pipelines.clone()))
    }

    /// What the copy has of a partition. If it is a pipeline that has no partition of its own: what
    /// the partition of its organization has of it.
    pub(crate) fn coverage(
        &self,
        organization: &str,
        pipeline: Option<&PipelineRef>,
    ) -> Option<Coverage> {
        let whole = self.partitions.get(organization);
        let Some(PipelineRef { id, slug }) = pipeline else {
            return whole.cloned();
        };
        let own = self.partitions.get(&format!("{organization}/{slug}"));
        let parts = [own, whole].into_iter().flatten();
        let mut known = parts.filter(|part| part.pipelines.contains_key(id));
        known.next().map(|part| part.of_pipeline(id))
    }

    /// What is open in the copy of a partition, besides what its coverage says: what the host
    /// says, and what partitions have that this one replaces.
    pub(crate) fn open_besides(
        &self,
        organization: &str,
        pipeline: Option<&PipelineRef>,
    ) -> BTreeMap<String, OpenBuild> {
        let mut open = self.open_rows.of(organization, pipeline);
        for (key, coverage) in &self.partitions {
            let is_replaced = match (key.split_once('/'), pipeline) {
                (Some((of, _)), None) => of == organization,
                (Some((of, slug)), Some(pipeline)) => of == organization && slug == pipeline.slug,
                (None, _) => false,
            };
            if is_replaced {
                open.extend(coverage.open.clone());
            }
        }
        open
    }

    /// The keys of all partitions that it says something about.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        let saved = self.partitions.keys().cloned();
        saved.chain(self.open_rows.organizations()).collect()
    }

    /// What the copy has of a partition now. The partition of an organization replaces those of
    /// its pipelines.
    pub(crate) fn enter(&mut self, key: String, coverage: Coverage) {
        if !key.contains('/') {
            let is_of_pipeline = |known: &String| {
                let parts = known.split_once('/');
                parts.is_some_and(|(organization, _)| organization == key)
            };
            self.partitions.retain(|known, _| !is_of_pipeline(known));
        }
        self.partitions.insert(key, coverage);
    }

    /// About how long its JSON form is.
    pub(crate) fn about_bytes(&self) -> usize {
        let partitions = self.partitions.values();
        let bytes: usize = partitions.map(Coverage::about_bytes).sum();
        bytes * self.streams.len()
    }

    /// The state that a checkpoint carries.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no JSON form.
    pub(crate) fn to_state(&self) -> Result<State> {
        self.save(None)
    }

    /// A checkpoint; with `cuts`, an end.
    fn save(&self, cuts: Option<&Cuts>) -> Result<State> {
        let version = cuts.map_or(CHECKPOINT_VERSION, |_| VERSION);
        let mut state = State::new(CONNECTOR, version);
        for stream in &self.streams {
            let partition = |(key, coverage): (&String, &Coverage)| {
                let part = coverage.of_stream(stream);
                let cuts = cuts.and_then(|cuts| cuts.get(key));
                let saved = SavedPartition::new(&part, cuts.map_or(&[], Vec::as_slice));
                (key.clone(), saved)
            };
            let partitions = self.partitions.iter().map(partition).collect();
            let ended = cuts.is_some() && self.mode == SyncMode::FullRefresh;
            let shown = self.shown.clone();
            let saved = SavedStream::new(&self.base_url, self.mode, ended, shown, partitions);
            let value = serde_json::to_value(saved).map_err(|error| {
                Error::new(ErrorKind::Internal, "the state has no JSON form").with_source(error)
            })?;
            state.set_stream(stream.clone(), value);
        }
        Ok(state)
    }

    /// The state after the end of a full refresh: null for each stream, because there is nothing
    /// to resume from. `None` for an incremental sweep, whose last checkpoint counts.
    pub(crate) fn end(&self) -> Option<State> {
        if self.mode != SyncMode::FullRefresh {
            return None;
        }
        let mut state = State::new(CONNECTOR, CHECKPOINT_VERSION);
        for stream in &self.streams {
            state.set_stream(stream.clone(), Value::Null);
        }
        Some(state)
    }

    fn can_resume(&self, saved: &SavedStream) -> bool {
        let is_incremental = saved.mode == SyncMode::Incremental;
        let reads_all = self.mode == SyncMode::FullRefresh;
        saved.base_url == self.base_url && !saved.ended && !(is_incremental && reads_all)
    }
}

fn parse(value: &Value, stream: &StreamName) -> Result<SavedStream> {
    let saved = SavedStream::deserialize(value).ok();
    saved
        .filter(SavedStream::is_intact)
        .ok_or_else(|| damaged(stream))
}

fn damaged(stream: &StreamName) -> Error {
    Error::new(
        ErrorKind::State,
        "the saved state is damaged, or another program changed it; restore it, or remove it to \
         read everything again",
    )
    .with_context("stream", stream)
}

#[cfg(test)]
mod tests;
