//! The connector as a destination: one record, one effect.
//!
//! A record is read, and mapped where the configuration says so ([`mapping`]); it becomes what it
//! asks for ([`target`]), which is delivered with the journal and looks at the remote
//! ([`deliver`]), in order for each pipeline and side by side for several. What became of it is
//! logged until the host takes it ([`outcome_log`]).

mod action;
mod actions;
mod builds;
mod config;
mod deliver;
mod desk;
mod difference;
mod journal;
mod key;
mod known;
mod mapping;
mod outcome_log;
mod pipelines;
mod private;
mod row;
mod target;
#[cfg(test)]
mod tests;
mod waiting;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildkite_client::{Client, Clock, SystemClock};
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Destination, Error, ErrorKind, JsonObject,
    Observer, Outcome, Record, Result, Setup, State, Stream, StreamName, StreamPlan, WriteMode,
    WritePlan,
};

use self::desk::Desk;
use self::journal::Journal;
use self::mapping::Compiled;
use self::outcome_log::OutcomeLog;
use self::target::Target;
use self::waiting::Waiting;
use crate::config::Config;
use crate::connection::{connect, forward, options};
use crate::error::{explain, invalid_setting};

/// The records of the destination's streams. Each is one JSON object; unknown fields are refused.
pub mod records {
    pub use super::actions::annotations::NewAnnotation;
    pub use super::actions::build_cancellations::BuildCancellation;
    pub use super::actions::build_rebuilds::BuildRebuild;
    pub use super::actions::job_retries::JobRetry;
    pub use super::actions::job_unblocks::JobUnblock;
    pub use super::actions::pipeline_archivals::PipelineArchival;
    pub use super::actions::requests::{AnyRequest, Method};
    pub use super::builds::{Author, NewBuild};
    pub use super::pipelines::PipelineState;
}

pub use config::{DestinationConfig, Permission, Wait};
pub use mapping::Mapping;
pub use row::{Difference, PlannedRequest, ResultRow};

/// So long an answer may stay away before its request counts as lost. The pipelines behind it
/// wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes to Buildkite.
pub(crate) struct BuildkiteDestination {
    client: Client,
    base_url: String,
    config: DestinationConfig,
    routes: BTreeMap<StreamName, Route>,
    /// Where the records of all other streams go.
    otherwise: Route,
    observer: Arc<dyn Observer>,
    /// Nothing may be changed.
    is_dry: bool,
    clock: Arc<dyn Clock>,
    /// So many lanes at the same time.
    at_once: usize,
    #[cfg(test)]
    safeguards: desk::Safeguards,
    open: Option<Open>,
}

/// Where the records of one stream of the source go.
struct Route {
    target: &'static Target,
    mapping: Option<Compiled>,
}

/// What is there between `start` and `finish`.
struct Open {
    sync: String,
    desk: Desk,
    log: OutcomeLog,
    waiting: Option<Waiting>,
}

impl BuildkiteDestination {
    /// Nothing is requested yet, and no file is opened.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed.
    pub(crate) fn new(setup: Setup) -> Result<Self> {
        let (connection, config) = DestinationConfig::parse(setup.configuration, setup.credential)?;
        let mut options = options(&connection)?;
        options.read_timeout = PATIENCE;
        let client = connect(options)?;
        let host = (setup.observer, setup.dry_run);
        Self::with_client(connection, config, host, client, Arc::new(SystemClock))
    }

    fn with_client(
        connection: Config,
        config: DestinationConfig,
        (observer, is_dry): (Arc<dyn Observer>, bool),
        client: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let client = client.with_observer(forward(&observer, None));
        let mut routes = BTreeMap::new();
        for (name, mapping) in &config.mapping {
            let target = target_of(&format!("mapping.{name}.to"), &mapping.to)?;
            let mapping = Some(Compiled::new(name, mapping)?);
            routes.insert(name.as_str().into(), Route { target, mapping });
        }
        for target in &target::TARGETS {
            let plain = Route {
                target,
                mapping: None,
            };
            routes.entry(target.name.into()).or_insert(plain);
        }
        let otherwise = Route {
            target: target_of("stream", &config.stream)?,
            mapping: None,
        };
        Ok(Self {
            client,
            base_url: connection.base_url,
            config,
            routes,
            otherwise,
            observer,
            is_dry,
            clock,
            at_once: connection.max_concurrency as usize,
            #[cfg(test)]
            safeguards: desk::Safeguards::default(),
            open: None,
        })
    }

    /// The scopes that these streams take.
    fn scopes<'a>(&self, streams: impl Iterator<Item = &'a StreamName>) -> BTreeSet<&'static str> {
        let scopes = streams.flat_map(|name| self.route(name).target.scopes);
        scopes.copied().collect()
    }

    /// Proves that the token may write these streams.
    async fn expect_scopes<'a>(&self, streams: impl Iterator<Item = &'a StreamPlan>) -> Result<()> {
        if self.is_dry {
            return Ok(());
        }
        let needed = self.scopes(streams.map(|plan| &plan.stream.name));
        prove(self.client.clone(), needed).await
    }

    fn route(&self, stream: &StreamName) -> &Route {
        self.routes.get(stream).unwrap_or(&self.otherwise)
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
        let needed = self.scopes(names.iter());
        prove(self.client.without_connection_retries(), needed).await
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let capabilities = capabilities();
        let mut streams = plan.streams.iter();
        streams.try_for_each(|stream| capabilities.expect(stream))?;
        self.expect_scopes(plan.streams.iter()).await?;
        let journal = match self.config.journal.as_str() {
            "" => None,
            path => Some(PathBuf::from(path)),
        };
        let journal = Journal::open(journal.filter(|_| !self.is_dry)).await?;
        let state = journal.state(&plan.sync);
        #[cfg_attr(not(test), expect(unused_mut, reason = "tests leave safeguards out"))]
        let mut desk = Desk::new(
            self.client.clone(),
            journal,
            Arc::clone(&self.clock),
            self.config.settle(),
            &self.base_url,
            Arc::clone(&self.observer),
        );
        #[cfg(test)]
        {
            desk.safeguards = self.safeguards;
        }
        let poll = Duration::from_secs(self.config.poll_seconds.into());
        let waiting = |_: Wait| Waiting::new(poll, self.config.wait_minutes);
        self.open = Some(Open {
            sync: plan.sync.clone(),
            desk,
            log: OutcomeLog::new()?,
            waiting: self.config.wait.map(waiting),
        });
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        self.open.as_ref().ok_or_else(not_started)?;
        capabilities().expect(stream)?;
        self.expect_scopes([stream].into_iter()).await
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
        if let Some(waiting) = &mut open.waiting {
            waiting.poll(&open.desk, &mut open.log).await?;
        }
        if self.is_dry {
            return Ok(());
        }
        open.desk.journal.commit(&open.sync, state).await
    }

    async fn finish(&mut self) -> Result<()> {
        self.open.as_ref().ok_or_else(not_started)?;
        Ok(())
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
        let rows = open.waiting.iter().flat_map(Waiting::unfinished);
        // Each was made into such a result before.
        rows.filter_map(|row| open.log.render(row).ok()).collect()
    }

    async fn follow(&mut self) -> Result<bool> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        match &mut open.waiting {
            Some(waiting) => waiting.follow(&open.desk, &mut open.log).await,
            None => Ok(false),
        }
    }
}

/// The stream here of that name.
///
/// # Errors
/// [`ErrorKind::Config`], listing the names there are.
fn target_of(key: &str, name: &str) -> Result<&'static Target> {
    Target::of(name).ok_or_else(|| {
        let names: Vec<_> = target::TARGETS.iter().map(|one| one.name).collect();
        invalid_setting(key, &format!("expected one of {}", names.join(", ")))
    })
}

/// The streams that the destination takes, with the schema of their records and the scopes that
/// they need.
pub fn destination_streams() -> connector_core::Catalog {
    target::catalog()
}

/// Proves that the token is allowed what is needed.
async fn prove(client: Client, needed: BTreeSet<&'static str>) -> Result<()> {
    let token = client.access_token().await.map_err(explain)?;
    // Answers of old do not tell.
    let Some(granted) = token.scopes else {
        return Ok(());
    };
    let is_granted = |scope: &&str| granted.iter().any(|one| one == scope);
    let missing: Vec<_> = needed
        .into_iter()
        .filter(|scope| !is_granted(scope))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the token lacks the scopes {}; tick them on the token's page at Buildkite",
        missing.join(", ")
    );
    Err(Error::new(ErrorKind::Permission, message))
}

fn not_started() -> Error {
    Error::new(ErrorKind::Internal, "the destination was not started")
}
