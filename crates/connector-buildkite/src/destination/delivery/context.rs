//! What all records of one run share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use buildkite_client::DEFAULT_BASE_URL;
use connector_core::Result;

use super::api_request::PipelineKey;
use super::existence::missing;
use super::existing_builds::ExistingBuilds;
use super::journal::Journal;
use super::remote::Remote;
use super::targets::Targets;

/// What tests leave out, to prove that they would notice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Safeguards {
    /// What may have been sent is probed for.
    pub(crate) probe: bool,
    /// The key is in the build.
    pub(crate) key: bool,
    /// The last record of a target is sent at the end, unless it is the last one applied.
    pub(crate) settle: bool,
    /// A commit remembers what is to be sent at the end.
    pub(crate) pending: bool,
}

impl Default for Safeguards {
    fn default() -> Self {
        Self {
            probe: true,
            key: true,
            settle: true,
            pending: true,
        }
    }
}

type BuildsByPlace = HashMap<String, Arc<tokio::sync::Mutex<ExistingBuilds>>>;

/// Buildkite, the journal, and what is known of builds that exist. Clones share them.
#[derive(Clone)]
pub(crate) struct DeliveryContext {
    pub(crate) remote: Remote,
    pub(crate) journal: Journal,
    pub(crate) targets: Targets,
    pub(crate) safeguards: Safeguards,
    /// Stands before the places of the journal, unless it is Buildkite's own address.
    base_url: String,
    existing: Arc<Mutex<BuildsByPlace>>,
    /// Why places are known to be missing, or that they are not.
    missing: Arc<tokio::sync::Mutex<HashMap<PipelineKey, Option<String>>>>,
}

impl DeliveryContext {
    pub(crate) fn new(remote: Remote, journal: Journal, base_url: &str) -> Self {
        let base_url = base_url.trim_end_matches('/');
        let is_default = base_url == DEFAULT_BASE_URL.trim_end_matches('/');
        Self {
            remote,
            targets: Targets::new(journal.clone()),
            journal,
            safeguards: Safeguards::default(),
            base_url: if is_default {
                String::new()
            } else {
                format!("{base_url} ")
            },
            existing: Arc::default(),
            missing: Arc::default(),
        }
    }

    /// The same context, with some safeguards left out.
    pub(crate) fn with_safeguards(mut self, safeguards: Safeguards) -> Self {
        self.safeguards = safeguards;
        self
    }

    /// The same context, for one record.
    pub(crate) fn for_record(&self) -> Self {
        Self {
            remote: self.remote.for_record(),
            ..self.clone()
        }
    }

    /// A target, by its name in the journal.
    pub(crate) fn target(&self, target: &str) -> String {
        format!("{}{target}", self.base_url)
    }

    /// The place in the journal of a stream's records for a pipeline.
    pub(crate) fn place(&self, stream: &str, pipeline: &PipelineKey) -> String {
        let PipelineKey {
            organization,
            pipeline,
        } = pipeline;
        format!("{}{stream} {organization}/{pipeline}", self.base_url)
    }

    /// A sentence if a pipeline, or without one an organization, does not exist. Asked once.
    ///
    /// # Errors
    /// What concerns all records.
    pub(crate) async fn missing(&self, place: &PipelineKey) -> Result<Option<String>> {
        let mut known = self.missing.lock().await;
        if let Some(known) = known.get(place) {
            return Ok(known.clone());
        }
        let missing = missing(&self.remote, place).await?;
        known.insert(place.clone(), missing.clone());
        Ok(missing)
    }

    /// What is known of the builds of a place.
    pub(crate) fn existing_builds(&self, place: &str) -> Arc<tokio::sync::Mutex<ExistingBuilds>> {
        let mut existing = self.existing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(existing.entry(place.to_owned()).or_default())
    }
}
