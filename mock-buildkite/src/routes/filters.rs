//! The filters of the build lists: every one that the API documents.

use super::{Call, Reply};
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

/// What a list asks for. Values of one kind are alternatives, kinds add up.
pub(super) struct Filters<'a> {
    branches: Vec<&'a str>,
    commits: Vec<&'a str>,
    states: Vec<&'a str>,
    creator: Option<&'a str>,
    meta_data: Vec<(&'a str, &'a str)>,
    /// Microseconds, like all three: a filter may be finer than the times of builds.
    created_from: Option<i64>,
    created_to: Option<i64>,
    finished_from: Option<i64>,
    has_paused: bool,
}

impl<'a> Filters<'a> {
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
                    Reply::error(400, &format!("{key} is not a valid ISO 8601 time"))
                })?;
                Ok(match call.settings.cuts_to_seconds {
                    true => micros - micros.rem_euclid(1_000_000),
                    false => micros,
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

    /// Whether a build is asked for.
    pub(super) fn take(&self, call: &Call<'_>, build: &Build) -> bool {
        let facts = &build.facts;
        let any = |values: &[&str], is_it: &dyn Fn(&str) -> bool| {
            values.is_empty() || values.iter().any(|value| is_it(value))
        };
        self.created_from
            .is_none_or(|from| facts.created * 1000 >= from)
            && self.created_to.is_none_or(|to| facts.created * 1000 < to)
            && self
                .finished_from
                .is_none_or(|from| facts.finished.is_some_and(|at| at * 1000 >= from))
            && any(&self.branches, &|pattern| matches(pattern, &facts.branch))
            && any(&self.commits, &|commit| *facts.commit == *commit)
            && any(&self.states, &|state| has_state(build, state))
            && self
                .creator
                .is_none_or(|id| facts.creator.as_deref() == Some(id))
            && (self.meta_data.is_empty()
                || call.settings.ignores_meta_data
                || self.has_meta_data(call, build))
            && (self.has_paused || !call.world.is_all_paused(build))
    }

    fn has_meta_data(&self, call: &Call<'_>, build: &Build) -> bool {
        let shown_from = build.facts.created + call.settings.meta_data_delay;
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
    let facts = &build.facts;
    match state {
        "blocked" => facts.blocked,
        "finished" => facts.blocked || matches!(&*facts.state, "passed" | "failed" | "canceled"),
        state => *facts.state == *state,
    }
}

/// The exact name, where `*` stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything_and_without_one_the_name_is_exact() {
        for (pattern, name, expected) in [
            ("main", "main", true),
            ("main", "main-2", false),
            ("*dev*", "feature/dev-1", true),
            ("feature/*", "feature/dev-1", true),
            ("feature/*-2", "feature/dev-1", false),
            ("*", "", true),
            ("a*b*b", "ab", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
