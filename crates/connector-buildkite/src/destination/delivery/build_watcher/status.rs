//! How builds stand.
//!
//! They are read in bulk: every build that is triggered here has a mark in its `meta_data`, so
//! that one list of an organization shows a hundred of them, whatever their pipelines.

use std::collections::BTreeMap;

use buildkite_client::{BuildQuery, Listed, RawBuild, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::Result;
use futures::stream::TryStreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Awaited;
use crate::destination::delivery::action::rejection;
use crate::destination::delivery::api_request::PipelineKey;
use crate::destination::delivery::idempotency::MARK;
use crate::destination::delivery::remote::Remote;
use crate::destination::delivery::results::ResultRow;

/// Up to this many builds are read one by one: a list would cost as much.
const FEW: usize = 2;
/// A build that this many polls in a row have not shown is read by itself.
const UNSEEN: u32 = 3;

/// What a build shows of its progress.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct BuildStatus {
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

/// Builds by organization, pipeline and number.
#[derive(Default)]
pub(super) struct Statuses(BTreeMap<(String, String, u64), BuildStatus>);

impl Statuses {
    pub(super) fn get(&self, pipeline: &PipelineKey, number: u64) -> Option<&BuildStatus> {
        let PipelineKey {
            organization,
            pipeline,
        } = pipeline;
        self.0
            .get(&(organization.clone(), pipeline.clone(), number))
    }

    /// Reads how builds of one organization stand.
    ///
    /// # Errors
    /// Those of the client.
    pub(super) async fn read(
        &mut self,
        remote: &Remote,
        organization: &str,
        awaited: &[&Awaited],
    ) -> Result<()> {
        let is_listed =
            |one: &&&Awaited| one.is_marked && one.created_at.is_some() && one.unseen < UNSEEN;
        let listed: Vec<_> = awaited.iter().filter(is_listed).copied().collect();
        if listed.len() <= FEW {
            return self.read_each(remote, awaited).await;
        }
        let window = Window::of(&listed);
        self.list(remote, organization, window, Jobs::None).await?;
        let failed = |one: &&Awaited| {
            let status = self.get(&one.pipeline, one.number);
            status.is_some_and(|status| status.state == "failed")
        };
        let failed: Vec<_> = listed.iter().copied().filter(failed).collect();
        if failed.len() > FEW {
            let window = Window::of(&failed);
            self.list(remote, organization, window, Jobs::OfFailed)
                .await?;
        } else {
            self.read_each(remote, &failed).await?;
        }
        let others: Vec<_> = awaited
            .iter()
            .filter(|one| !is_listed(one))
            .copied()
            .collect();
        self.read_each(remote, &others).await
    }

    /// One request for a hundred builds.
    async fn list(
        &mut self,
        remote: &Remote,
        organization: &str,
        window: Window,
        jobs: Jobs,
    ) -> Result<()> {
        let is_of_failed = jobs == Jobs::OfFailed;
        let query = BuildQuery {
            organization: organization.to_owned(),
            created_from: window.from,
            created_to: window.to,
            meta_data: Some((MARK.0, MARK.1.to_owned())),
            states: if is_of_failed { &["failed"] } else { &[] },
            with_jobs: is_of_failed,
            ..BuildQuery::default()
        };
        let organization = organization.to_owned();
        let builds = remote.client.builds(query, move |build| {
            let pipeline = build.pipeline_slug.clone().into_owned();
            let id = (organization.clone(), pipeline, build.number);
            Some((id, BuildStatus::of(&build)?))
        });
        let builds = builds.try_filter_map(|listed| async move {
            Ok(match listed {
                Listed::Build(status) => status,
                // Read by itself once it has not shown for some polls.
                Listed::Unusable(_) | Listed::Page(_) => None,
            })
        });
        match builds.try_collect::<Vec<_>>().await {
            Ok(statuses) => self.0.extend(statuses),
            // What the list does not show is read one by one, until the deadline.
            Err(error) => {
                rejection(error)?;
            }
        }
        Ok(())
    }

    /// One request for each build. Those that do not exist any more are left out.
    async fn read_each(&mut self, remote: &Remote, awaited: &[&Awaited]) -> Result<()> {
        for Awaited {
            pipeline, number, ..
        } in awaited
        {
            let path = [
                "pipelines",
                &pipeline.pipeline,
                "builds",
                &number.to_string(),
            ];
            match remote.object(pipeline, &path).await {
                Ok(build) => {
                    let PipelineKey {
                        organization,
                        pipeline,
                    } = pipeline.clone();
                    let status = serde_json::from_str(build.get()).ok();
                    let id = (organization, pipeline, *number);
                    self.0.extend(status.map(|status| (id, status)));
                }
                Err(error) => {
                    rejection(error)?;
                }
            }
        }
        Ok(())
    }
}

/// Which jobs a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Jobs {
    None,
    /// Those of failed builds, and only such builds.
    OfFailed,
}

/// When builds were created.
struct Window {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl Window {
    fn of(builds: &[&Awaited]) -> Self {
        let times = builds.iter().filter_map(|build| build.created_at);
        Self {
            from: times.clone().min(),
            to: times.max().map(|newest| newest + TimeDelta::seconds(1)),
        }
    }
}

impl BuildStatus {
    fn of(build: &RawBuild<'_>) -> Option<Self> {
        let text = |name| serde_json::from_str(build.field(name)?.get()).ok();
        let job = |job: &&RawValue| serde_json::from_str(job.get()).ok();
        let blocked = build.field("blocked");
        Some(Self {
            state: text("state")?,
            blocked: blocked.is_some_and(|blocked| blocked.get() == "true"),
            created_at: text("created_at"),
            started_at: text("started_at"),
            finished_at: text("finished_at"),
            jobs: build.jobs.iter().filter_map(job).collect(),
        })
    }

    pub(super) fn created(&self) -> Option<DateTime<Utc>> {
        Some(Timestamp::parse(self.created_at.as_deref()?)?.at)
    }

    /// A block that somebody must unblock is an end as well (API facts 26.3).
    pub(super) fn has_ended(&self) -> bool {
        let ends = ["passed", "failed", "canceled", "skipped", "not_run"];
        self.blocked || ends.contains(&self.state.as_str())
    }

    /// Fills in how the build has ended.
    pub(super) fn fill(&self, row: &mut ResultRow) {
        let state = if self.blocked { "blocked" } else { &self.state };
        row.state = Some(state.to_owned());
        row.duration_seconds = self.duration_seconds();
        let failed = self.jobs.iter().filter(|job| job.has_failed());
        let failed = failed.filter_map(|job| job.name.clone().or_else(|| job.id.clone()));
        row.failed_jobs = (self.state == "failed").then(|| failed.collect());
    }

    fn duration_seconds(&self) -> Option<f64> {
        let at = |text: &Option<String>| Timestamp::parse(text.as_deref()?);
        let passed = at(&self.finished_at)?.at - at(&self.started_at)?.at;
        let milliseconds = u32::try_from(passed.num_milliseconds().max(0)).ok()?;
        Some(f64::from(milliseconds) / 1000.0)
    }
}

impl Job {
    fn has_failed(&self) -> bool {
        let state = self.state.as_deref().unwrap_or_default();
        let counts = self.soft_failed != Some(true) && self.retried != Some(true);
        counts && ["failed", "timed_out", "expired"].contains(&state)
    }
}
