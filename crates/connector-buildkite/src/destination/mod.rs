//! The connector as a destination: one record, one effect.
//!
//! A record is read, and mapped if the settings say so ([`routing`], [`mapping`]). It becomes a
//! request of one of the [`streams`], which [`delivery`] carries out with journal and probes, in
//! order for each pipeline and side by side for several ([`batch`]). What became of it is logged
//! until the host takes it.

mod batch;
mod config;
mod delivery;
mod journal_place;
mod mapping;
mod opening;
mod routing;
mod settling;
mod streams;
#[cfg(test)]
mod tests;
mod unsettled;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildkite_client::{Client, Clock, SystemClock};
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Catalog, Destination, Error, ErrorKind,
    JsonObject, Observer, Outcome, Record, Result, Setup, State, Stop, Stream, StreamName,
    StreamPlan, WriteMode, WritePlan,
};

use self::delivery::{BuildWatcher, DeliveryContext, OutcomeLog, Safeguards};
use self::routing::Routes;
use self::unsettled::Unsettled;
use crate::config::Config;
use crate::connection::{connect, forward, options};

/// The records of the destination's streams. Each is one JSON object; unknown fields are refused.
pub mod records {
    pub use super::streams::annotations::NewAnnotation;
    pub use super::streams::build_cancellations::BuildCancellation;
    pub use super::streams::build_rebuilds::BuildRebuild;
    pub use super::streams::builds::{Author, NewBuild};
    pub use super::streams::job_retries::JobRetry;
    pub use super::streams::job_unblocks::JobUnblock;
    pub use super::streams::pipeline_archivals::PipelineArchival;
    pub use super::streams::pipelines::PipelineState;
    pub use super::streams::requests::{AnyRequest, Method};
}

pub use config::{DestinationConfig, Permission, Wait};
pub use delivery::{Difference, PlannedRequest, ResultRow};
pub use mapping::Mapping;

/// After this long without an answer, a request counts as lost. Later records of its pipeline wait
/// meanwhile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes to Buildkite.
pub(crate) struct BuildkiteDestination {
    client: Client,
    base_url: String,
    config: DestinationConfig,
    routes: Routes,
    host: Host,
    clock: Arc<dyn Clock>,
    /// Maximum number of pipelines that are written to at the same time.
    max_concurrency: usize,
    safeguards: Safeguards,
    open: Option<Open>,
}

/// What the host gives beside settings and credential.
struct Host {
    observer: Arc<dyn Observer>,
    stop: Stop,
    /// Whether nothing may be changed.
    is_dry: bool,
    /// A folder of the user that lasts.
    data_folder: Option<PathBuf>,
}

/// What is there between `start` and `finish`.
struct Open {
    sync: String,
    context: DeliveryContext,
    log: OutcomeLog,
    watcher: Option<BuildWatcher>,
    unsettled: Unsettled,
}

impl BuildkiteDestination {
    /// Nothing is requested yet, and no file is opened.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed.
    pub(crate) fn new(setup: Setup) -> Result<Self> {
        let (connection, config) = DestinationConfig::parse(setup.configuration, setup.credential)?;
        let mut options = options(&connection)?;
        options.read_timeout = ANSWER_TIMEOUT;
        let client = connect(options)?;
        let host = Host {
            observer: setup.observer,
            stop: setup.stop,
            is_dry: setup.dry_run,
            data_folder: setup.data_folder,
        };
        Self::with_client(connection, config, host, client, Arc::new(SystemClock))
    }

    fn with_client(
        connection: Config,
        config: DestinationConfig,
        host: Host,
        client: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Ok(Self {
            client: client.with_observer(forward(&host.observer, None)),
            base_url: connection.base_url,
            routes: Routes::new(&config)?,
            config,
            host,
            clock,
            max_concurrency: connection.max_concurrency as usize,
            safeguards: Safeguards::default(),
            open: None,
        })
    }
}

/// What the destination can do. A record acts whether it is appended or upserted: the same record
/// acts once.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new([WriteMode::Append, WriteMode::Upsert])
        .with_state()
        .with_results()
        .with_dry_run()
}

#[async_trait]
impl Destination for BuildkiteDestination {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        let mapped = self.config.mapping.keys().map(|name| name.as_str().into());
        let mut names: Vec<StreamName> = mapped.collect();
        if names.is_empty() {
            names.push("builds".into());
        }
        let client = self.client.without_connection_retries();
        self.expect_scopes(&client, names.iter()).await?;
        self.expect_places(&client).await
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let capabilities = capabilities();
        let mut streams = plan.streams.iter();
        streams.try_for_each(|stream| capabilities.expect(stream))?;
        let open = self.open(plan).await?;
        let state = open.context.journal.state(&plan.sync);
        self.open = Some(open);
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        self.open.as_ref().ok_or_else(not_started)?;
        capabilities().expect(stream)?;
        if self.host.is_dry {
            return Ok(());
        }
        let name = [&stream.stream.name].into_iter();
        self.expect_scopes(&self.client, name).await?;
        Ok(())
    }

    /// A minute's work at Buildkite's default limit.
    fn batch_limit(&self) -> usize {
        50
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.write_batch(records).await
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        if !self.host.is_dry {
            let reported = open.log.stored();
            let pending = open.unsettled.pending(&open.context);
            let journal = &open.context.journal;
            journal
                .commit(&open.sync, (reported, pending), state)
                .await?;
        }
        let remote = &open.context.remote;
        match &mut open.watcher {
            Some(watcher) => {
                let polled = remote.until_stopped(watcher.poll(remote, &mut open.log));
                polled.await.unwrap_or(Ok(()))
            }
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> Result<()> {
        self.settle().await?;
        let open = self.open.as_ref().ok_or_else(not_started)?;
        if self.host.is_dry {
            return Ok(());
        }
        let nothing = (Vec::new(), Vec::new());
        open.context.journal.commit(&open.sync, nothing, None).await
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        Some(self)
    }
}

#[async_trait]
impl ActingDestination for BuildkiteDestination {
    fn result_stream(&self) -> Stream {
        ResultRow::stream()
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        let open = self.open.as_mut();
        open.map_or_else(Vec::new, |open| open.log.take())
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let rows = open.watcher.iter().flat_map(BuildWatcher::unfinished);
        rows.filter_map(|row| open.log.render(row).ok()).collect()
    }

    /// First sends the last record of each target that has another state: the input has ended.
    async fn follow(&mut self) -> Result<bool> {
        if self.settle().await? {
            return Ok(true);
        }
        let open = self.open.as_mut().ok_or_else(not_started)?;
        let remote = &open.context.remote;
        match &mut open.watcher {
            Some(watcher) => {
                let followed = remote.until_stopped(watcher.follow(remote, &mut open.log));
                followed.await.unwrap_or(Ok(false))
            }
            None => Ok(false),
        }
    }
}

/// The streams that the destination accepts, with the schema of their records and the scopes that
/// they need.
pub fn destination_streams() -> Catalog {
    streams::catalog()
}

fn not_started() -> Error {
    Error::new(ErrorKind::Internal, "the destination was not started")
}
