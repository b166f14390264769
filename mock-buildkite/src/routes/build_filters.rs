//! The filters of the build lists.

use super::{Call, Reply};
use crate::pattern::matches;
use crate::time::parse_micros;
use crate::world::Build;

const STATES: [&str; 12] = [
    "creating",
    "scheduled",
    "running",
    "passed",
    "failing",
    "failed",
    "blocked",
    "canceling",
    "canceled",
    "skipped",
    "not_run",
    "finished",
];

/// The filters of a request. Values of one filter are alternatives; all filters must match.
pub(super) struct BuildFilters<'a> {
    branches: Vec<&'a str>,
    commits: Vec<&'a str>,
    states: Vec<&'a str>,
    creator: Option<&'a str>,
    meta_data: Vec<(&'a str, &'a str)>,
    /// Microseconds, like the other times: a filter may be finer than the times of builds.
    created_from: Option<i64>,
    created_to: Option<i64>,
    finished_from: Option<i64>,
    has_paused: bool,
}

impl<'a> BuildFilters<'a> {
    /// Reads the query; an unknown state or a malformed time is refused.
    pub(super) fn of(call: &'a Call<'_>) -> Result<Self, Reply> {
        let query = call.query;
        let states: Vec<_> = query.all("state").collect();
        if let Some(unknown) = states.iter().find(|state| !STATES.contains(state)) {
            return Err(Reply::error(
                400,
                &format!("Unknown build state: {unknown}"),
            ));
        }
        let time = |key: &str| {
            let value = query.get(key).map(|text| {
                let micros = parse_micros(text).ok_or_else(|| {
                    Reply::error(422, &format!("{key} is not a valid ISO 8601 time"))
                })?;
                let below_seconds = micros.rem_euclid(1_000_000);
                let is_cut = call.settings.cuts_to_seconds;
                Ok(if is_cut {
                    micros - below_seconds
                } else {
                    micros
                })
            });
            value.transpose()
        };
        Ok(Self {
            branches: query.all("branch").collect(),
            commits: query.all("commit").collect(),
            states,
            creator: query.get("creator"),
            meta_data: query.map("meta_data").collect(),
            created_from: time("created_from")?,
            created_to: time("created_to")?,
            finished_from: time("finished_from")?,
            has_paused: query.is_set("include_paused", true),
        })
    }

    /// Whether a build matches.
    pub(super) fn take(&self, call: &Call<'_>, build: &Build) -> bool {
        let summary = &build.summary;
        let any = |values: &[&str], is_it: &dyn Fn(&str) -> bool| {
            values.is_empty() || values.iter().any(|value| is_it(value))
        };
        self.created_from
            .is_none_or(|from| summary.created * 1000 >= from)
            && self.created_to.is_none_or(|to| summary.created * 1000 < to)
            && self
                .finished_from
                .is_none_or(|from| summary.finished.is_some_and(|at| at * 1000 >= from))
            && any(&self.branches, &|pattern| matches(pattern, &summary.branch))
            && any(&self.commits, &|commit| *summary.commit == *commit)
            && any(&self.states, &|state| has_state(build, state))
            && self
                .creator
                .is_none_or(|id| summary.creator.as_deref() == Some(id))
            && (self.meta_data.is_empty()
                || call.settings.ignores_meta_data
                || self.has_meta_data(call, build))
            && (self.has_paused || !call.world.is_all_paused(build))
    }

    fn has_meta_data(&self, call: &Call<'_>, build: &Build) -> bool {
        let shown_from = build.summary.created + call.settings.meta_data_delay;
        if call.world.clock.now_millis() < shown_from {
            return false;
        }
        let actual = call.world.meta_data(build);
        self.meta_data
            .iter()
            .all(|(key, value)| actual[*key] == **value)
    }
}

/// `blocked` is a filter, never a value; `finished` leaves out skipped and not run.
fn has_state(build: &Build, state: &str) -> bool {
    let summary = &build.summary;
    match state {
        "blocked" => summary.blocked,
        "finished" => {
            summary.blocked || matches!(&*summary.state, "passed" | "failed" | "canceled")
        }
        state => *summary.state == *state,
    }
}
