//! The fields of a build that the filters of the build lists need.

use crate::document::BuildDocument;
use crate::seed::{BuildPlan, Seeded};
use crate::time::parse_millis;

/// The fields kept in memory for every build. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct BuildSummary {
    pub(crate) id: Box<str>,
    pub(crate) number: u64,
    pub(crate) pipeline: usize,
    pub(crate) state: Box<str>,
    pub(crate) blocked: bool,
    pub(crate) branch: Box<str>,
    pub(crate) commit: Box<str>,
    pub(crate) creator: Option<Box<str>>,
    pub(crate) created: i64,
    pub(crate) finished: Option<i64>,
}

impl BuildSummary {
    /// The summary of a seeded build.
    pub(crate) fn seeded(world: &Seeded, ordinal: usize) -> Self {
        let plan = BuildPlan::of(world, ordinal);
        Self {
            id: plan.id.to_string().into(),
            number: plan.number.into(),
            pipeline: plan.pipeline,
            state: plan.state.into(),
            blocked: plan.blocked,
            creator: world.creator(&plan).map(Into::into),
            branch: plan.branch.into(),
            commit: plan.commit.into(),
            created: plan.created,
            finished: plan.finished,
        }
    }

    /// The summary of a stored build.
    pub(crate) fn read(build: &BuildDocument, pipeline: usize) -> Self {
        let text = |key| build.fields().text(key).unwrap_or_default().into();
        let time = |key| parse_millis(&build.fields().text(key)?);
        Self {
            id: text("id"),
            number: build.fields().get("number").as_u64().unwrap_or(0),
            pipeline,
            state: text("state"),
            blocked: build.fields().is_true("blocked"),
            branch: text("branch"),
            commit: text("commit"),
            creator: build.fields().get("creator")["id"].as_str().map(Into::into),
            created: time("created_at").unwrap_or(0),
            finished: time("finished_at"),
        }
    }
}
