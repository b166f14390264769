//! The connector as a destination: one record, one effect.
//!
//! A record is read, and mapped where the configuration says so ([`mapping`]); it becomes what it
//! asks for ([`target`]), which is delivered with the journal and looks at the remote
//! ([`deliver`]), in order for each pipeline and side by side for several. What became of it goes
//! into the results, and a refused record into the dead letters ([`ledger`]).

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
mod ledger;
mod mapping;
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
    Accepts, Destination, Error, ErrorKind, Observer, Outcome, Record, Result, Setup, State,
    StreamName, WritePlan,
};

use self::desk::Desk;
use self::journal::Journal;
use self::ledger::Ledger;
use self::mapping::Compiled;
use self::target::Target;
use self::waiting::Waiting;
use crate::config::{Config, refuse};
use crate::connector::options;
use crate::error::explain;
use crate::listener::forward;
use crate::pace;

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
    results: Option<Box<dyn Destination>>,
    observer: Arc<dyn Observer>,
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
    ledger: Ledger,
    waiting: Option<Waiting>,
    rejected: u64,
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
        let client = pace::client(options)?;
        let more = (setup.results, setup.observer);
        Self::with_client(connection, config, more, client, Arc::new(SystemClock))
    }

    fn with_client(
        connection: Config,
        config: DestinationConfig,
        (results, observer): (Option<Box<dyn Destination>>, Arc<dyn Observer>),
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
            results,
            observer,
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

    /// After a failure nothing is waited for any more, and no result is lost for that.
    async fn or_give_up<T>(&mut self, done: Result<T>) -> Result<T> {
        if let (Err(_), Some(open)) = (&done, &mut self.open)
            && let Some(waiting) = &mut open.waiting
        {
            // The failure itself tells more than one of writing it down.
            waiting.give_up(&mut open.ledger).await.ok();
        }
        done
    }

    fn route(&self, stream: &StreamName) -> &Route {
        self.routes.get(stream).unwrap_or(&self.otherwise)
    }
}

#[async_trait]
impl Destination for BuildkiteDestination {
    async fn check(&mut self) -> Result<()> {
        let mapped = self.config.mapping.keys().map(|name| name.as_str().into());
        let mut names: Vec<StreamName> = mapped.collect();
        if names.is_empty() {
            names.push("builds".into());
        }
        let needed = self.scopes(names.iter());
        prove(self.client.without_connection_retries(), needed).await
    }

    async fn accepts(&mut self) -> Result<Accepts> {
        Ok(Accepts::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        if !self.config.dry_run {
            let needed = self.scopes(plan.streams.iter().map(|stream| &stream.name));
            prove(self.client.clone(), needed).await?;
        }
        let journal = match self.config.journal.as_str() {
            "" => None,
            path => Some(PathBuf::from(path)),
        };
        let journal = Journal::open(journal.filter(|_| !self.config.dry_run)).await?;
        let state = journal.state(&plan.sync);
        let ledger = Ledger::open(
            &plan.sync,
            self.config.results.as_deref(),
            self.results.take(),
            self.config
                .dead_letter
                .as_deref()
                .filter(|_| !self.config.dry_run),
        );
        let ledger = ledger.await?;
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
            ledger,
            waiting: self.config.wait.map(waiting),
            rejected: 0,
        });
        Ok(state)
    }

    /// A minute's work at Buildkite's default limit.
    fn most_at_once(&self) -> usize {
        50
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let written = self.write_batch(records).await;
        self.or_give_up(written).await
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        if let Some(waiting) = &mut open.waiting {
            let polled = waiting.poll(&open.desk, &mut open.ledger).await;
            self.or_give_up(polled).await?;
        }
        let open = self.open.as_mut().ok_or_else(not_started)?;
        open.ledger.commit().await?;
        match self.config.dry_run {
            true => Ok(()),
            false => open.desk.journal.commit(&open.sync, state).await,
        }
    }

    async fn finish(&mut self) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        if let Some(waiting) = &mut open.waiting {
            let finished = waiting.finish(&open.desk, &mut open.ledger).await;
            self.or_give_up(finished).await?;
        }
        let open = self.open.as_mut().ok_or_else(not_started)?;
        open.ledger.finish().await
    }
}

/// The stream here of that name.
///
/// # Errors
/// [`ErrorKind::Config`], listing the names there are.
fn target_of(key: &str, name: &str) -> Result<&'static Target> {
    Target::of(name).ok_or_else(|| {
        let names: Vec<_> = target::TARGETS.iter().map(|one| one.name).collect();
        refuse(key, &format!("expected one of {}", names.join(", ")))
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
