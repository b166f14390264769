//! Launches, follows what is under way, and reports it.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Catalog, Destination, Error, ErrorKind,
    Event, JsonObject, Observer, Outcome, Record, Result, Setup, State, Stop, Stream, StreamPlan,
    WritePlan,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::site::Site;
use super::{LAUNCHES, launches};
use crate::memory::TOKEN;
use crate::memory::settings::CopySettings;

pub(super) struct LauncherDestination {
    site: Site,
    token: SecretString,
    /// The name of its journal.
    journal: String,
    observer: Arc<dyn Observer>,
    stop: Stop,
    is_dry_run: bool,
    sync: Option<String>,
    /// Keys of launches that have not ended.
    under_way: Vec<String>,
    results: Vec<(String, JsonObject)>,
    /// Keys of the results that the host has taken, and has stored by the next commit.
    taken: Vec<String>,
}

#[derive(Deserialize)]
struct Order {
    key: String,
    #[expect(
        dead_code,
        reason = "a launch in memory only needs to know that it has one"
    )]
    target: String,
}

impl LauncherDestination {
    pub(super) fn new(site: Site, settings: CopySettings, setup: Setup) -> Self {
        Self {
            site,
            token: settings.token,
            journal: settings.copy,
            observer: setup.observer,
            stop: setup.stop,
            is_dry_run: setup.dry_run,
            sync: None,
            under_way: Vec::new(),
            results: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn expect_token(&self) -> Result<()> {
        if self.token.expose_secret() == TOKEN {
            return Ok(());
        }
        let message = "the site does not accept the token; use another one";
        Err(Error::new(ErrorKind::Auth, message))
    }

    /// A request takes a turn of the runtime.
    async fn request(&self) {
        let stream = Some(LAUNCHES.into());
        self.observer.observe(Event::Request { stream });
        tokio::task::yield_now().await;
    }

    async fn launch(&mut self, record: &Record) -> Result<Outcome> {
        if self.stop.is_requested() {
            return Ok(Outcome::NotAttempted);
        }
        if record.stream != LAUNCHES || record.is_removed() {
            let reason = "only records of the stream `launches` can be launched";
            return Ok(Outcome::Rejected(reason.to_owned()));
        }
        let Ok(Order { key, .. }) = record.data.read() else {
            let reason = "`key` and `target` must be set";
            return Ok(Outcome::Rejected(reason.to_owned()));
        };
        if self.is_dry_run {
            self.report(key, "planned")?;
        } else if self.site.number(&self.journal, &key).is_none() {
            self.request().await;
            self.site.launch(&self.journal, &key)?;
            self.under_way.push(key);
        } else if !self.under_way.contains(&key) {
            self.report(key, "already_there")?;
        }
        Ok(Outcome::Accepted)
    }

    fn report(&mut self, key: String, outcome: &str) -> Result<()> {
        let result = self.result(&key, outcome)?;
        self.results.push((key, result));
        Ok(())
    }

    fn result(&self, key: &str, outcome: &str) -> Result<JsonObject> {
        let number = self.site.number(&self.journal, key);
        JsonObject::from_serialize(&json!({"key": key, "outcome": outcome, "number": number}))
    }
}

#[async_trait]
impl Destination for LauncherDestination {
    fn capabilities(&self) -> Capabilities {
        super::capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        self.expect_token()
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Only(Catalog::new([launches()])))
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        self.expect_token()?;
        for stream in &plan.streams {
            self.add_stream(stream).await?;
        }
        self.sync = Some(plan.sync.clone());
        let (owed, state) = self.site.journal(&self.journal, |journal| {
            let owed = journal.owed.iter().cloned().collect();
            (owed, journal.states.get(&plan.sync).cloned())
        });
        self.under_way = owed;
        Ok(state)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        let accepted = self.accepted_streams().await?;
        accepted.expect(&stream.stream.name)?;
        super::capabilities().expect(stream)
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(records.len());
        for record in &records {
            outcomes.push(self.launch(record).await?);
        }
        Ok(outcomes)
    }

    /// What was done is recorded soon.
    fn batch_limit(&self) -> usize {
        2
    }

    async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        if self.is_dry_run {
            return Ok(());
        }
        let taken = std::mem::take(&mut self.taken);
        self.site.journal(&self.journal, |journal| {
            journal.owed.retain(|key| !taken.contains(key));
            if let (Some(sync), Some(state)) = (&self.sync, state) {
                journal.states.insert(sync.clone(), state.clone());
            }
        });
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        Some(self)
    }
}

#[async_trait]
impl ActingDestination for LauncherDestination {
    fn result_stream(&self) -> Stream {
        let properties = json!({
            "key": {"type": "string"},
            "outcome": {"enum": ["launched", "under_way", "already_there", "planned"]},
            "number": {"type": ["integer", "null"]},
        });
        let schema = json!({"type": "object", "properties": properties});
        Stream::new("launched", "What was launched.", schema).with_primary_key(["key"])
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        let (keys, rows): (Vec<_>, Vec<_>) = std::mem::take(&mut self.results).into_iter().unzip();
        self.taken.extend(keys);
        rows
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        let results = self.under_way.iter();
        let results = results.map(|key| self.result(key, "under_way"));
        // A key and a number always have a JSON form.
        results.filter_map(Result::ok).collect()
    }

    /// Nothing is changed while it waits, so that it can be dropped at any time.
    async fn follow(&mut self) -> Result<bool> {
        loop {
            let Some(key) = self.under_way.first().cloned() else {
                return Ok(false);
            };
            self.request().await;
            if self.site.has_ended(&self.journal, &key) {
                self.under_way.remove(0);
                self.report(key, "launched")?;
                return Ok(true);
            }
        }
    }
}
