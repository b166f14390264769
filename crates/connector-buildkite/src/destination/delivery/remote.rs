//! Buildkite as a run sees it: requests, time, and what the user hears of both.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use buildkite_client::{Client, Clock, Error};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Event, Observer, Stop, StreamName, WaitReason};
use futures::future::{Either, select};
use serde_json::value::RawValue;

use super::api_request::{ApiRequest, PipelineKey};
use super::in_flight::InFlight;
use crate::connection::forward;

/// A run that stops waits for the answer to a request under way for up to this long.
const GRACE: Duration = Duration::from_secs(5);

/// The client and the time. Clones share them.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) client: Client,
    observer: Arc<dyn Observer>,
    stop: Stop,
    /// E-mail address of the token's user.
    user_email: Option<String>,
    /// What has left of the requests of one record.
    pub(crate) in_flight: InFlight,
    clock: Arc<dyn Clock>,
    /// When this run began, by both clocks.
    began: (Instant, DateTime<Utc>),
    /// How long Buildkite's lists may lag behind.
    settle: Duration,
    /// Notices that were given, with their streams.
    noticed: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Remote {
    pub(crate) fn new(
        client: Client,
        (observer, stop): (Arc<dyn Observer>, Stop),
        clock: Arc<dyn Clock>,
        settle: Duration,
    ) -> Self {
        Self {
            client,
            observer,
            stop,
            user_email: None,
            in_flight: InFlight::new(),
            began: (clock.now(), Utc::now()),
            clock,
            settle,
            noticed: Arc::default(),
        }
    }

    /// Sets whose token this is.
    pub(crate) fn with_user_email(mut self, email: Option<String>) -> Self {
        self.user_email = email;
        self
    }

    /// E-mail address of the token's user, if it is known.
    pub(crate) fn user_email(&self) -> Option<&str> {
        self.user_email.as_deref()
    }

    /// The same, for another record.
    pub(crate) fn for_record(&self) -> Self {
        Self {
            in_flight: InFlight::new(),
            ..self.clone()
        }
    }

    /// Whether the run is to stop: nothing more is sent.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_requested()
    }

    /// The output of `work`, or `None` if the run is to stop before it ends. Then `work` is
    /// dropped, once a request that has left is answered or [`GRACE`] is over.
    pub(crate) async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let output = {
            let stopped = async {
                self.stop.requested().await;
                select(pin!(self.in_flight.landed()), self.clock.sleep(GRACE)).await;
            };
            match select(pin!(work), pin!(stopped)).await {
                Either::Left((output, _)) => Some(output),
                Either::Right(_) => None,
            }
        };
        if output.is_none() {
            // Only then is it certain whether its request has left.
            select(pin!(self.in_flight.ended()), self.clock.sleep(GRACE)).await;
        }
        output
    }

    /// How long Buildkite's lists may lag behind.
    pub(crate) fn settle(&self) -> Duration {
        self.settle
    }

    /// When this run began.
    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.began.1
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let (instant, utc) = self.began;
        let passed = self.clock.now().saturating_duration_since(instant);
        utc + TimeDelta::from_std(passed).unwrap_or(TimeDelta::zero())
    }

    /// Waits until lists show everything that was sent before this run began, by anybody.
    pub(crate) async fn wait_until_settled(&self, stream: &str) {
        let passed = (self.now() - self.began()).to_std().unwrap_or_default();
        let left = self.settle().saturating_sub(passed);
        let why = "until builds that others have just triggered show in Buildkite's lists";
        self.wait(stream, left, why).await;
    }

    /// Waits, and reports it.
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

    /// Gives the user a notice.
    pub(crate) fn notice(&self, stream: &str, message: impl Into<String>) {
        self.observer.observe(Event::Notice {
            stream: Some(StreamName::from(stream)),
            message: message.into(),
        });
    }

    /// Gives a notice, once for each stream.
    pub(crate) fn notice_once(&self, stream: &str, message: &str) {
        let id = (stream.to_owned(), message.to_owned());
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.insert(id) {
            self.notice(stream, message);
        }
    }

    /// Sends a request, once. If the run is to stop it waits for ever, to be dropped by
    /// [`until_stopped`](Self::until_stopped).
    pub(crate) async fn send(&self, request: &ApiRequest) -> Result<Option<Box<RawValue>>, Error> {
        self.in_flight.release();
        if self.is_stopping() {
            return std::future::pending().await;
        }
        let answer = self.send_watched(request).await;
        match &answer {
            // Under way until the record's outcome is known.
            Ok(_) => {}
            Err(Error::OutcomeUnknown { .. }) => self.in_flight.lose(),
            Err(_) => self.in_flight.release(),
        }
        answer
    }

    async fn send_watched(&self, request: &ApiRequest) -> Result<Option<Box<RawValue>>, Error> {
        let observer = self.in_flight.observer(forward(&self.observer, None));
        let path: Vec<_> = request.path.iter().map(String::as_str).collect();
        let query = request.query.iter();
        let query: Vec<_> = query
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        self.client
            .with_observer(observer)
            .write(request.verb, &path, &query, request.body.clone())
            .await
    }

    /// The object at a path below an organization.
    pub(crate) async fn object(
        &self,
        pipeline: &PipelineKey,
        rest: &[&str],
    ) -> Result<Box<RawValue>, Error> {
        let mut path = vec!["v2", "organizations", pipeline.organization.as_str()];
        path.extend(rest);
        self.client.object(&path).await
    }
}
