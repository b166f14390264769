//! The lives of builds, move by move.

mod any;
mod block;
mod cancel;
mod retry;
mod run;

use std::time::Duration;

use mock_buildkite::{BuildFixture, JobFixture, World};
use serde_json::Value;

use crate::caller::{build, texts, world};

/// Every build of these tests was created at this time.
const CREATED: &str = "2026-08-20T12:00:00.000Z";

/// The one build of a world, whose clock then moves on by a second a move.
struct Life {
    world: World,
}

impl Life {
    fn of(fixture: BuildFixture) -> Self {
        let world = world([fixture.id("b")]);
        Self { world }
    }

    /// A build of two jobs that are due.
    fn new(state: &str) -> Self {
        Self::of(with_jobs(state, ["scheduled", "scheduled"]))
    }

    /// Moves the build on, a second later.
    fn step<T>(&mut self, step: impl FnOnce(&mut World, &str) -> T) -> T {
        let later = self.world.now() + Duration::from_secs(1);
        self.world.clock().set(later);
        step(&mut self.world, "b")
    }

    fn build(&self) -> Value {
        let text = self.world.build_json("b").expect("the build");
        serde_json::from_str(&text).expect("JSON")
    }

    fn states(&self) -> (String, Vec<String>) {
        let build = self.build();
        let state = build["state"].as_str().expect("a state").to_owned();
        (
            state,
            texts(build["jobs"].as_array().expect("jobs"), "state"),
        )
    }

    #[track_caller]
    fn stands(&self, state: &str, jobs: &[&str]) {
        let (actual, actual_jobs) = self.states();
        assert_eq!(actual, state);
        assert_eq!(actual_jobs, jobs);
    }

    /// A time of the build, as seconds after its creation.
    fn second(&self, key: &str) -> Option<i64> {
        seconds(&self.build()[key])
    }
}

fn seconds(time: &Value) -> Option<i64> {
    let start = crate::caller::time(CREATED);
    let time = crate::caller::time(time.as_str()?);
    Some((time - start).num_seconds())
}

fn with_jobs<'a>(state: &str, jobs: impl IntoIterator<Item = &'a str>) -> BuildFixture {
    let mut fixture = build().state(state);
    for (at, state) in jobs.into_iter().enumerate() {
        let id = format!("j{at}");
        fixture = fixture.job(JobFixture::script(&id).id(&id).state(state));
    }
    fixture
}
