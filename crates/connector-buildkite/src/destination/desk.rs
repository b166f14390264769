//! What all records of one run share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use buildkite_client::{Client, Clock, DEFAULT_BASE_URL};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Event, Observer, Result, StreamName, WaitReason};
use serde_json::value::RawValue;

use super::action::{Call, Lane};
use super::journal::Journal;
use super::known::Known;

/// What is left out in tests, to prove that they would notice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Safeguards {
    /// What was sent is on disk first.
    pub(crate) journal: bool,
    /// What may have been sent is looked for.
    pub(crate) look: bool,
    /// It is looked for as long as lists may lag.
    pub(crate) settle: bool,
    /// The key is in the build.
    pub(crate) key: bool,
}

impl Default for Safeguards {
    fn default() -> Self {
        Self {
            journal: true,
            look: true,
            settle: true,
            key: true,
        }
    }
}

/// Client, journal and time.
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) journal: Journal,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) safeguards: Safeguards,
    /// So long lists may lag.
    settle: Duration,
    clock: Arc<dyn Clock>,
    opened: (Instant, DateTime<Utc>),
    /// Stands before what the journal names, unless it is Buildkite's own.
    base_url: String,
    known: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Known>>>>,
    /// Streams of which the user was told what is left out.
    told: Mutex<HashSet<String>>,
}

impl Desk {
    pub(crate) fn new(
        client: Client,
        journal: Journal,
        clock: Arc<dyn Clock>,
        settle: Duration,
        base_url: &str,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let base_url = base_url.trim_end_matches('/');
        let base_url = match base_url == DEFAULT_BASE_URL.trim_end_matches('/') {
            true => String::new(),
            false => format!("{base_url} "),
        };
        Self {
            client,
            journal,
            observer,
            safeguards: Safeguards::default(),
            settle,
            opened: (clock.now(), Utc::now()),
            clock,
            base_url,
            known: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// How long lists may lag.
    pub(crate) fn settle(&self) -> Duration {
        match self.safeguards.settle {
            true => self.settle,
            false => Duration::ZERO,
        }
    }

    /// When this run began.
    pub(crate) fn opened(&self) -> DateTime<Utc> {
        self.opened.1
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let (instant, utc) = self.opened;
        let passed = self.clock.now().saturating_duration_since(instant);
        utc + TimeDelta::from_std(passed).unwrap_or(TimeDelta::zero())
    }

    /// What the journal calls a stream of a lane.
    pub(crate) fn place(&self, stream: &str, lane: &Lane) -> String {
        let Lane {
            organization,
            pipeline,
        } = lane;
        format!("{}{stream} {organization}/{pipeline}", self.base_url)
    }

    /// What is known of the builds of a place.
    pub(crate) fn known(&self, place: &str) -> Arc<tokio::sync::Mutex<Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(place.to_owned()).or_default())
    }

    /// Waits until lists show all that was sent before this run began, by whomever.
    pub(crate) async fn settled(&self, stream: &str) {
        let (_, opened) = self.opened;
        let passed = (self.now() - opened).to_std().unwrap_or_default();
        let left = self.settle().saturating_sub(passed);
        let why = "until builds that others have just triggered show in Buildkite's lists";
        self.wait(stream, left, why).await;
    }

    /// Waits, and tells so.
    pub(crate) async fn wait(&self, stream: &str, duration: Duration, why: &str) {
        if duration.is_zero() {
            return;
        }
        self.observer.observe(Event::Wait {
            stream: Some(StreamName::from(stream)),
            duration,
            reason: WaitReason::Remote(why.to_owned()),
        });
        self.clock.sleep(duration).await;
    }

    /// Tells the user something.
    pub(crate) fn notice(&self, stream: &str, message: impl Into<String>) {
        self.observer.observe(Event::Notice {
            stream: Some(StreamName::from(stream)),
            message: message.into(),
        });
    }

    /// As [`notice`](Self::notice), once for each stream.
    pub(crate) fn notice_once(&self, stream: &str, message: impl Into<String>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(stream.to_owned()) {
            self.notice(stream, message);
        }
    }

    /// Sends a request, once.
    pub(crate) async fn send(
        &self,
        call: &Call,
    ) -> Result<Option<Box<RawValue>>, buildkite_client::Error> {
        let path: Vec<_> = call.path.iter().map(String::as_str).collect();
        let query = call.query.iter();
        let query: Vec<_> = query
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        self.client
            .write(call.verb, &path, &query, call.body.clone())
            .await
    }

    /// The object at a path below an organization.
    pub(crate) async fn object(
        &self,
        lane: &Lane,
        rest: &[&str],
    ) -> Result<Box<RawValue>, buildkite_client::Error> {
        let mut path = vec!["v2", "organizations", lane.organization.as_str()];
        path.extend(rest);
        self.client.object(&path).await
    }
}
