//! Builds whose end is awaited.

mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use buildkite_client::Timestamp;
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::Result;

use super::api_request::PipelineKey;
use super::journal::{AwaitedBuild, Done};
use super::remote::Remote;
use super::results::{ALREADY_THERE, OutcomeLog, ResultRow};
use status::{BuildStatus, Statuses};

/// A build to await.
pub(crate) struct TriggeredBuild<'a> {
    pub(crate) pipeline: &'a PipelineKey,
    pub(crate) done: &'a Done,
    /// Whether it has the mark of builds that are triggered here, by which lists are filtered.
    pub(crate) is_marked: bool,
}

/// A build that has not ended.
struct Awaited {
    pipeline: PipelineKey,
    number: u64,
    created_at: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
    is_marked: bool,
    /// How many polls in a row have not shown it.
    unseen: u32,
    row: ResultRow,
}

/// All builds that are awaited.
pub(crate) struct BuildWatcher {
    open: Vec<Awaited>,
    poll: Duration,
    deadline: TimeDelta,
    polled: Option<DateTime<Utc>>,
}

impl BuildWatcher {
    /// Polls in this interval, and waits for each build for up to so many minutes.
    pub(crate) fn new(poll: Duration, minutes: u32) -> Self {
        Self {
            open: Vec::new(),
            poll,
            deadline: TimeDelta::minutes(minutes.into()),
            polled: None,
        }
    }

    /// Awaits what earlier runs owe.
    pub(crate) fn resume(&mut self, builds: Vec<AwaitedBuild>) {
        self.open.extend(builds.into_iter().filter_map(Awaited::of));
    }

    /// Awaits the build of a result. The result is held back until then. Returns the duty for the
    /// journal, or `None` if the result of that record is owed already.
    pub(crate) fn add(
        &mut self,
        now: DateTime<Utc>,
        build: TriggeredBuild<'_>,
        row: ResultRow,
    ) -> Option<AwaitedBuild> {
        let result = row.result_key();
        if self.open.iter().any(|one| one.row.result_key() == result) {
            return None;
        }
        let duty = AwaitedBuild {
            result,
            organization: build.pipeline.organization.clone(),
            pipeline: build.pipeline.pipeline.clone(),
            done: build.done.clone(),
            outcome: row.outcome.to_owned(),
            is_marked: build.is_marked,
            since: now,
        };
        let awaited = Awaited::of(duty.clone())?;
        self.open.push(Awaited { row, ..awaited });
        Some(duty)
    }

    /// Polls if it is time.
    ///
    /// # Errors
    /// Those of the client.
    pub(crate) async fn poll(&mut self, remote: &Remote, log: &mut OutcomeLog) -> Result<()> {
        if !self.open.is_empty() && self.until_poll(remote).is_zero() {
            self.poll_now(remote, log).await?;
        }
        Ok(())
    }

    /// Waits until a build has ended or has taken too long. `false` if none is awaited.
    ///
    /// # Errors
    /// Those of the client.
    pub(crate) async fn follow(&mut self, remote: &Remote, log: &mut OutcomeLog) -> Result<bool> {
        let before = self.open.len();
        while !self.open.is_empty() {
            let wait = self.until_poll(remote).min(self.until_deadline(remote));
            let why = format!("for {} builds to finish", self.open.len());
            remote.wait("builds", wait, &why).await;
            self.poll_now(remote, log).await?;
            if self.open.len() < before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is known of the builds that have not ended.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &ResultRow> {
        self.open.iter().map(|awaited| &awaited.row)
    }

    fn until_poll(&self, remote: &Remote) -> Duration {
        let passed = self.polled.map(|at| remote.now() - at);
        let passed = passed.and_then(|passed| passed.to_std().ok());
        passed.map_or(Duration::ZERO, |passed| self.poll.saturating_sub(passed))
    }

    /// How long until the first of them has taken too long.
    fn until_deadline(&self, remote: &Remote) -> Duration {
        let ends = self
            .open
            .iter()
            .map(|awaited| awaited.since + self.deadline);
        let left = ends.min().map(|end| (end - remote.now()).to_std());
        left.map_or(Duration::MAX, Result::unwrap_or_default)
    }

    async fn poll_now(&mut self, remote: &Remote, log: &mut OutcomeLog) -> Result<()> {
        self.polled = Some(remote.now());
        let statuses = self.statuses(remote).await?;
        let is_late = |awaited: &Awaited, deadline| remote.now() - awaited.since >= deadline;
        let mut ended = Vec::new();
        for mut awaited in std::mem::take(&mut self.open) {
            if awaited.learn(statuses.get(&awaited.pipeline, awaited.number)) {
                ended.push(awaited.row);
            } else if is_late(&awaited, self.deadline) {
                awaited.row.state = Some("timed_out".to_owned());
                ended.push(awaited.row);
            } else {
                self.open.push(awaited);
            }
        }
        ended.iter().try_for_each(|row| log.add_owed(row))
    }

    async fn statuses(&self, remote: &Remote) -> Result<Statuses> {
        let mut organizations: BTreeMap<&str, Vec<&Awaited>> = BTreeMap::new();
        for awaited in &self.open {
            let organization = awaited.pipeline.organization.as_str();
            organizations.entry(organization).or_default().push(awaited);
        }
        let mut statuses = Statuses::default();
        for (organization, awaited) in organizations {
            statuses.read(remote, organization, &awaited).await?;
        }
        Ok(statuses)
    }
}

impl Awaited {
    /// The same, with a row that lacks Buildkite's answer. `None` for a build without a number.
    fn of(duty: AwaitedBuild) -> Option<Self> {
        let AwaitedBuild { result, done, .. } = duty;
        let created_at = done.created_at.as_deref().and_then(Timestamp::parse);
        let row = ResultRow {
            stream: result.stream,
            key: result.key,
            organization: Some(duty.organization.clone()),
            pipeline: Some(duty.pipeline.clone()),
            outcome: if duty.outcome == ALREADY_THERE {
                ALREADY_THERE
            } else {
                "created"
            },
            number: done.number,
            url: done.url,
            ..ResultRow::default()
        };
        Some(Self {
            pipeline: PipelineKey {
                organization: duty.organization,
                pipeline: duty.pipeline,
            },
            number: done.number?,
            created_at: created_at.map(|at| at.at),
            since: duty.since,
            is_marked: duty.is_marked,
            unseen: 0,
            row,
        })
    }

    /// Takes in what a poll has shown. `true` if the build has ended.
    fn learn(&mut self, status: Option<&BuildStatus>) -> bool {
        let Some(status) = status else {
            self.unseen += 1;
            return false;
        };
        self.unseen = 0;
        self.created_at = self.created_at.or(status.created());
        if status.has_ended() {
            status.fill(&mut self.row);
        }
        status.has_ended()
    }
}
