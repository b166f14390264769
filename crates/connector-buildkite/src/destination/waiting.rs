//! Builds whose end is waited for.
//!
//! They are asked for in bulk: every build that is triggered here has a mark in its `meta_data`,
//! so that one list of the organization shows a hundred of them, whatever their pipelines.

use std::collections::BTreeMap;
use std::time::Duration;

use buildkite_client::{BuildQuery, Listed, RawBuild, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::Result;
use futures::stream::TryStreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::action::{Lane, rejection};
use super::desk::Desk;
use super::known::MARK;
use super::outcome_log::OutcomeLog;
use super::row::ResultRow;

/// So few are asked for one by one: a list would cost as much.
const FEW: usize = 2;
/// A build that the lists have not shown so often is asked for itself.
const UNSEEN: u32 = 3;

/// How a build stands.
#[derive(Debug, Clone, Default, Deserialize)]
struct Standing {
    state: String,
    #[serde(default)]
    blocked: bool,
    created_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    #[serde(default)]
    jobs: Vec<Job>,
}

/// A job of it.
#[derive(Debug, Clone, Deserialize)]
struct Job {
    id: Option<String>,
    name: Option<String>,
    state: Option<String>,
    #[serde(default)]
    soft_failed: Option<bool>,
    #[serde(default)]
    retried: Option<bool>,
}

/// A build that has not ended.
struct Open {
    lane: Lane,
    number: u64,
    created_at: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
    /// Whether lists show it: it has the mark.
    is_marked: bool,
    unseen: u32,
    row: ResultRow,
}

/// All that are waited for.
pub(crate) struct Waiting {
    open: Vec<Open>,
    poll: Duration,
    deadline: TimeDelta,
    polled: Option<DateTime<Utc>>,
}

/// Which build: slug of its pipeline, number.
type Id = (String, u64);

impl Waiting {
    pub(crate) fn new(poll: Duration, minutes: u32) -> Self {
        Self {
            open: Vec::new(),
            poll,
            deadline: TimeDelta::minutes(minutes.into()),
            polled: None,
        }
    }

    /// Waits for the build of a result, which is kept back until then.
    pub(crate) fn add(
        &mut self,
        desk: &Desk,
        lane: &Lane,
        number: u64,
        created_at: Option<&str>,
        is_marked: bool,
        row: ResultRow,
    ) {
        self.open.push(Open {
            lane: lane.clone(),
            number,
            created_at: created_at.and_then(Timestamp::parse).map(|at| at.at),
            since: desk.now(),
            is_marked,
            unseen: 0,
            row,
        });
    }

    /// Looks at them, if it is time.
    ///
    /// # Errors
    /// Those of the client.
    pub(crate) async fn poll(&mut self, desk: &Desk, log: &mut OutcomeLog) -> Result<()> {
        let is_due = self
            .polled
            .is_none_or(|at| (desk.now() - at).to_std().unwrap_or_default() >= self.poll);
        if is_due && !self.open.is_empty() {
            self.round(desk, log).await?;
        }
        Ok(())
    }

    /// Waits until one has ended, or is too late; `false` if none is waited for.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub(crate) async fn follow(&mut self, desk: &Desk, log: &mut OutcomeLog) -> Result<bool> {
        let before = self.open.len();
        while !self.open.is_empty() {
            let passed = self.polled.map_or(TimeDelta::zero(), |at| desk.now() - at);
            let left = self
                .poll
                .saturating_sub(passed.to_std().unwrap_or_default());
            let why = format!("for {} builds to finish", self.open.len());
            desk.wait("builds", left.min(self.until_deadline(desk)), &why)
                .await;
            self.round(desk, log).await?;
            if self.open.len() < before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How long until the first of them is too late.
    fn until_deadline(&self, desk: &Desk) -> Duration {
        let first = self
            .open
            .iter()
            .map(|open| open.since + self.deadline)
            .min();
        let left = first.map(|at| (at - desk.now()).to_std().unwrap_or_default());
        left.unwrap_or(Duration::MAX)
    }

    /// What is known of those that have not ended.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &ResultRow> {
        self.open.iter().map(|open| &open.row)
    }

    /// One look at all of them.
    async fn round(&mut self, desk: &Desk, log: &mut OutcomeLog) -> Result<()> {
        self.polled = Some(desk.now());
        let mut organizations: BTreeMap<&str, Vec<&Open>> = BTreeMap::new();
        for open in &self.open {
            let organization = open.lane.organization.as_str();
            organizations.entry(organization).or_default().push(open);
        }
        let mut known: BTreeMap<String, BTreeMap<Id, Standing>> = BTreeMap::new();
        for (organization, open) in organizations {
            let standings = standings(desk, organization, &open).await?;
            known.insert(organization.to_owned(), standings);
        }
        let mut left = Vec::new();
        let mut ended = Vec::new();
        for mut open in self.open.drain(..) {
            let id = (open.lane.pipeline.clone(), open.number);
            let standings = known.get(&open.lane.organization);
            match standings.and_then(|standings| standings.get(&id)) {
                Some(standing) if standing.has_ended() => {
                    standing.tell(&mut open.row);
                    ended.push(open.row);
                    continue;
                }
                Some(standing) => {
                    open.unseen = 0;
                    open.created_at = open.created_at.or(standing.created());
                }
                None => open.unseen += 1,
            }
            if desk.now() - open.since >= self.deadline {
                open.row.state = Some("timed_out".to_owned());
                ended.push(open.row);
            } else {
                left.push(open);
            }
        }
        self.open = left;
        ended.iter().try_for_each(|row| log.add(row))
    }
}

/// How builds of an organization stand.
async fn standings(
    desk: &Desk,
    organization: &str,
    open: &[&Open],
) -> Result<BTreeMap<Id, Standing>> {
    let open = open.iter().copied();
    let is_listed = |one: &&Open| one.is_marked && one.created_at.is_some() && one.unseen < UNSEEN;
    let (listed, single): (Vec<&Open>, Vec<&Open>) = open.clone().partition(is_listed);
    let mut standings = BTreeMap::new();
    let (listed, single) = match listed.len() <= FEW {
        true => (Vec::new(), open.collect()),
        false => (listed, single),
    };
    if !listed.is_empty() {
        let window = listed.iter().filter_map(|one| one.created_at);
        standings = list(desk, organization, window, false).await?;
        let failed = |id: &Id| standings.get(id).is_some_and(|one| one.state == "failed");
        let failed: Vec<_> = listed
            .iter()
            .filter(|one| failed(&(one.lane.pipeline.clone(), one.number)))
            .collect();
        if failed.len() > FEW {
            let window = failed.iter().filter_map(|one| one.created_at);
            standings.extend(list(desk, organization, window, true).await?);
        } else {
            for one in failed {
                standings.extend(single_standing(desk, one).await?);
            }
        }
    }
    for one in single {
        standings.extend(single_standing(desk, one).await?);
    }
    Ok(standings)
}

/// One request for a hundred builds.
async fn list(
    desk: &Desk,
    organization: &str,
    window: impl Iterator<Item = DateTime<Utc>> + Clone,
    failed_with_jobs: bool,
) -> Result<BTreeMap<Id, Standing>> {
    let query = BuildQuery {
        organization: organization.to_owned(),
        created_from: window.clone().min(),
        created_to: window.max().map(|newest| newest + TimeDelta::seconds(1)),
        meta_data: Some((MARK.0, MARK.1.to_owned())),
        states: if failed_with_jobs { &["failed"] } else { &[] },
        with_jobs: failed_with_jobs,
        ..BuildQuery::default()
    };
    let builds = desk.client.builds(query, |build| {
        let id = (build.pipeline_slug.clone().into_owned(), build.number);
        Some((id, Standing::of(&build)?))
    });
    let builds = builds.try_filter_map(|listed| async move {
        Ok(match listed {
            Listed::Build(standing) => standing,
            Listed::Unusable(unusable) => return Err(unusable.into_error()),
            Listed::Page(_) => None,
        })
    });
    match builds.try_collect().await {
        Ok(standings) => Ok(standings),
        // What is refused is not seen: it is asked for one by one, until the deadline.
        Err(error) => rejection(error).map(|_| BTreeMap::new()),
    }
}

/// One request for one build; nothing if it is gone.
async fn single_standing(desk: &Desk, open: &Open) -> Result<Option<(Id, Standing)>> {
    let number = open.number.to_string();
    let path = ["pipelines", &open.lane.pipeline, "builds", &number];
    let build = match desk.object(&open.lane, &path).await {
        Ok(build) => build,
        Err(error) => return rejection(error).map(|_| None),
    };
    let standing = serde_json::from_str(build.get()).ok();
    let id = (open.lane.pipeline.clone(), open.number);
    Ok(standing.map(|standing| (id, standing)))
}

impl Standing {
    fn of(build: &RawBuild<'_>) -> Option<Self> {
        let text = |name| {
            build
                .field(name)
                .and_then(|one| serde_json::from_str(one.get()).ok())
        };
        let job = |job: &&RawValue| serde_json::from_str(job.get()).ok();
        Some(Self {
            state: text("state")?,
            blocked: build
                .field("blocked")
                .is_some_and(|one| one.get() == "true"),
            created_at: text("created_at"),
            started_at: text("started_at"),
            finished_at: text("finished_at"),
            jobs: build.jobs.iter().filter_map(job).collect(),
        })
    }

    fn created(&self) -> Option<DateTime<Utc>> {
        Some(Timestamp::parse(self.created_at.as_deref()?)?.at)
    }

    /// A block that somebody must unblock is an end as well (API facts 26.3).
    fn has_ended(&self) -> bool {
        let ends = ["passed", "failed", "canceled", "skipped", "not_run"];
        self.blocked || ends.contains(&self.state.as_str())
    }

    fn tell(&self, row: &mut ResultRow) {
        let at = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse);
        let state = if self.blocked { "blocked" } else { &self.state };
        row.state = Some(state.to_owned());
        row.duration_seconds = match (at(&self.started_at), at(&self.finished_at)) {
            (Some(start), Some(end)) => {
                let milliseconds = (end.at - start.at).num_milliseconds();
                u32::try_from(milliseconds.max(0))
                    .ok()
                    .map(|ms| f64::from(ms) / 1000.0)
            }
            _ => None,
        };
        let failed = self.jobs.iter().filter(|job| job.has_failed());
        let failed = failed.filter_map(|job| job.name.clone().or_else(|| job.id.clone()));
        row.failed_jobs = (self.state == "failed").then(|| failed.collect());
    }
}

impl Job {
    fn has_failed(&self) -> bool {
        let state = self.state.as_deref().unwrap_or_default();
        let counts = self.soft_failed != Some(true) && self.retried != Some(true);
        counts && ["failed", "timed_out", "expired"].contains(&state)
    }
}
