//! Runs one history and compares.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use connector_buildkite::Buildkite;
use connector_core::{
    Configuration, Connector, Message, ReadRequest, Selection, Setup, Source, State,
};
use futures::StreamExt;
use mock_buildkite::{DEMO_TOKEN, MockBuildkite, World};
use proptest::test_runner::TestCaseError;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::acts::Act;
use super::copy::{Copy, Rows, truth};
use super::history::{History, LARGEST_CONCURRENCY, Step, Streams, Sync};
use super::mutants::{Mutant, OpenRows, falsify};

/// The longest wait for a message.
pub(super) const LIMIT: Duration = Duration::from_secs(20);
/// Builds on a page: histories are short, and must have several pages.
const PAGE: usize = 4;

/// How the fake reads what the documentation leaves open.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// As recorded answers show it.
    AsRecorded,
    /// Filters count whole seconds, answers tell neither the time nor the last page.
    Coarse,
}

/// One try of a sync.
struct Attempt {
    streams: Streams,
    /// After this many messages; never if absent.
    dies_after: Option<usize>,
    writes_ahead: bool,
    open_rows: OpenRows,
}

impl Attempt {
    fn whole(streams: Streams) -> Self {
        Self {
            streams,
            dies_after: None,
            writes_ahead: true,
            open_rows: OpenRows::new(),
        }
    }
}

/// One fake that serves many histories.
pub(super) struct Bench {
    runtime: Runtime,
    pub(super) server: MockBuildkite,
    /// By the number of requests that they send at the same time, less one.
    sources: Vec<Arc<dyn Source>>,
    /// Sources of their own for parts.
    pub(super) readers: Vec<Arc<dyn Source>>,
    /// Falsifies states, if it is a test of the test.
    pub(super) mutant: Option<Mutant>,
}

impl Bench {
    pub(super) fn start(mutant: Option<Mutant>, reading: Reading) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let builder = MockBuildkite::builder(World::empty()).max_per_page(PAGE);
        let builder = match reading {
            Reading::AsRecorded => builder,
            Reading::Coarse => builder
                .lists_are_cut_to_seconds()
                .without_date()
                .without_last_link(),
        };
        let server = runtime.block_on(builder.start()).expect("a free port");
        let source = |concurrency| runtime.block_on(source(&server, concurrency));
        Self {
            sources: (1..=LARGEST_CONCURRENCY).map(source).collect(),
            readers: (1..=LARGEST_CONCURRENCY).map(source).collect(),
            runtime,
            server,
            mutant,
        }
    }

    /// Runs a history from its beginning to its end, and then one more sync.
    pub(super) fn run(&self, history: &History) -> Result<(), TestCaseError> {
        let world = history.world();
        self.server.reset(world);
        self.server.set_date_skew(TimeDelta::zero());
        let source = &*self.sources[usize::from(history.concurrency) - 1];
        let mut copy = Copy::default();
        let run = async {
            for step in &history.steps {
                match step {
                    Step::Act(act) => self.server.with_world(|world| act.apply(world)),
                    Step::Wait { seconds } => {
                        let time = Duration::from_secs((*seconds).into());
                        self.server.clock().advance(time);
                    }
                    Step::Sync(sync) => self.sync(source, &mut copy, sync).await?,
                    Step::Restart => self.restart(source, &mut copy).await?,
                    Step::SyncInParts(sync) => {
                        copy.is_divided = true;
                        self.sync_in_parts(source, &mut copy, sync).await?;
                    }
                }
            }
            self.last_sync(source, &mut copy).await
        };
        self.runtime.block_on(run).map_err(TestCaseError::fail)
    }

    /// Afterwards every build that did not change meanwhile is in the copy as it is.
    async fn sync(&self, source: &dyn Source, copy: &mut Copy, sync: &Sync) -> Result<(), String> {
        self.server
            .set_date_skew(TimeDelta::milliseconds(sync.skew_ms));
        let before = Arc::new(self.truth());
        let has_changed = self.happen_meanwhile(&sync.meanwhile, &before);
        for death in &sync.deaths {
            let attempt = Attempt {
                streams: sync.streams,
                dies_after: Some((*death).into()),
                writes_ahead: sync.writes_ahead,
                ..Attempt::whole(sync.streams)
            };
            self.attempt(source, copy, attempt).await?;
        }
        self.attempt(source, copy, Attempt::whole(sync.streams))
            .await?;
        self.server.on_request(|_, _| {});
        // A request of a try that died may still be under way, and note what it changes.
        let has_changed = has_changed.lock().expect("nobody panics").clone();
        let is_meant = |row: &serde_json::Value| {
            let is_job = row.get("build_id").is_some();
            sync.streams.has(is_job) && !has_changed.contains(&build_of(row))
        };
        copy.check(&self.truth(), is_meant)
    }

    /// Reads everything again, from no state.
    async fn restart(&self, source: &dyn Source, copy: &mut Copy) -> Result<(), String> {
        copy.forget();
        let catalog = source.discover().await.expect("a catalog");
        let mut open_rows = copy.open_rows(&catalog);
        if let Some(Mutant::OpenRows(mutate)) = self.mutant {
            mutate(&mut open_rows);
        }
        let attempt = Attempt {
            open_rows,
            ..Attempt::whole(Streams::Both)
        };
        self.attempt(source, copy, attempt).await
    }

    /// Nothing happens meanwhile, so everything is in the copy as it is afterwards.
    async fn last_sync(&self, source: &dyn Source, copy: &mut Copy) -> Result<(), String> {
        self.server.set_date_skew(TimeDelta::zero());
        self.attempt(source, copy, Attempt::whole(Streams::Both))
            .await?;
        let truth = self.truth();
        copy.check(&truth, |_| true)?;
        copy.check_marks(&truth)
    }

    fn falsified(&self, state: State) -> State {
        match self.mutant {
            Some(Mutant::States(mutate)) => falsify(&state, mutate),
            _ => state,
        }
    }

    pub(super) fn truth(&self) -> Rows {
        self.server.with_world(|world| truth(world))
    }

    /// Lets things happen between the requests of a sync; returns the builds that they change.
    pub(super) fn happen_meanwhile(
        &self,
        meanwhile: &[(u8, Act)],
        before: &Arc<Rows>,
    ) -> Arc<Mutex<BTreeSet<String>>> {
        let has_changed = Arc::new(Mutex::new(BTreeSet::new()));
        let (before, noted) = (Arc::clone(before), Arc::clone(&has_changed));
        let mut meanwhile = meanwhile.to_vec();
        let mut count = 0_u8;
        self.server.on_request(move |_, world| {
            count = count.saturating_add(1);
            for (_, act) in meanwhile.extract_if(.., |(at, _)| *at <= count) {
                act.apply(world);
                let changed = changed(&before, &truth(world));
                noted.lock().expect("nobody panics").extend(changed);
            }
        });
        has_changed
    }

    /// Reads from the last saved state to the end, or this many messages. What was read after the
    /// last checkpoint is written or not.
    async fn attempt(
        &self,
        source: &dyn Source,
        copy: &mut Copy,
        attempt: Attempt,
    ) -> Result<(), String> {
        let request = request(attempt.streams, copy.state.clone());
        let messages = source
            .read(request.with_open_rows(attempt.open_rows))
            .take(attempt.dies_after.unwrap_or(usize::MAX));
        let mut messages = std::pin::pin!(messages);
        let mut ahead = Vec::new();
        loop {
            let Ok(next) = timeout(LIMIT, messages.next()).await else {
                return Err("the sync hangs".to_owned());
            };
            let Some(message) = next else { break };
            match message {
                Ok(Message::Record(record)) if record.stream == "pipelines" => {}
                Ok(Message::Record(record)) => ahead.push(record),
                Ok(Message::Checkpoint(state)) => {
                    ahead.drain(..).for_each(|record| copy.write(&record));
                    copy.save(&self.falsified(state))?;
                }
                Ok(_) => {}
                Err(error) => return Err(format!("the sync failed: {error}")),
            }
        }
        if attempt.writes_ahead {
            ahead.iter().for_each(|record| copy.write_ahead(record));
        }
        Ok(())
    }
}

/// The request of a sync: pipelines in full, builds and jobs from `state` on.
pub(super) fn request(streams: Streams, state: Option<State>) -> ReadRequest {
    let pipelines = Selection::full_refresh("pipelines");
    let builds_or_jobs = streams.names().iter();
    let selections = builds_or_jobs.map(|name| Selection::incremental(*name));
    ReadRequest::new([pipelines].into_iter().chain(selections)).with_state(state)
}

async fn source(server: &MockBuildkite, concurrency: u8) -> Arc<dyn Source> {
    let settings = json!({
        "api_key": DEMO_TOKEN,
        "include_sensitive": ["emails", "env", "tokens"],
        "base_url": server.uri(),
        "max_concurrency": concurrency,
    });
    let configuration = Configuration::new(settings).expect("an object");
    let source = Buildkite.source().expect("it is a source");
    let opened = source.open(Setup::new(configuration)).await;
    opened.expect("sound settings")
}

/// The builds of which a row changed.
fn changed(before: &Rows, after: &Rows) -> BTreeSet<String> {
    let differs = |key: &&(String, String)| before.get(*key) != after.get(*key);
    let keys = before.keys().chain(after.keys()).filter(differs);
    let rows = keys.filter_map(|key| after.get(key).or_else(|| before.get(key)));
    rows.map(build_of).collect()
}

/// The id of the build that a row belongs to.
pub(super) fn build_of(row: &serde_json::Value) -> String {
    let id = row.get("build_id").unwrap_or(&row["id"]);
    id.as_str().unwrap_or_default().to_owned()
}
