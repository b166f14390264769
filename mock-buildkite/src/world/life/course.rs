//! Builds that move on by themselves, as the clock of the world goes.
//!
//! A build is on its course from the moment when somebody makes or changes it over the API; what a
//! test puts into the world stays as it is. All jobs that are due run at once, and all end at once.
//! Nothing waits: [`World::catch_up`] makes the moves whose time has come, each with its own time.

use std::time::Duration;

use super::{World, job};
use crate::clock::millis_of;
use crate::document::Document;

/// Which builds move on, how fast, and what fails.
#[derive(Debug)]
pub(in crate::world) struct Courses {
    builds: Vec<Course>,
    /// None while everything stands still.
    pace: Option<Pace>,
    /// Names of jobs that are to fail, and how many of each.
    failing: Vec<(String, u32)>,
    /// The time of the move that is being made up for.
    moving_at: Option<i64>,
}

/// A build and when it moves next.
#[derive(Debug)]
struct Course {
    id: String,
    due: i64,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
struct Pace {
    wait: i64,
    run: i64,
}

impl Default for Courses {
    fn default() -> Self {
        Self {
            builds: Vec::new(),
            pace: Some(Pace {
                wait: 5000,
                run: 20_000,
            }),
            failing: Vec::new(),
            moving_at: None,
        }
    }
}

impl World {
    /// Sets how long a build made over the API waits for an agent, and how long its jobs run; a
    /// build that is being canceled stops after the first. Default: 5 s and 20 s.
    pub fn set_pace(&mut self, wait: Duration, run: Duration) {
        self.courses.pace = Some(Pace {
            wait: millis_of(wait),
            run: millis_of(run),
        });
    }

    /// Lets builds made over the API stay as they are until a test moves them, or until
    /// [`set_pace`](Self::set_pace). What was moving goes on then.
    pub fn hold_builds(&mut self) {
        self.courses.pace = None;
    }

    /// Lets the next jobs of this name fail, so many, in builds that move on by themselves; any
    /// job for an empty name. Otherwise all jobs pass.
    pub fn fail_jobs(&mut self, name: &str, times: u32) {
        self.courses.failing.push((name.to_owned(), times));
    }

    /// Puts a build on its course from now on.
    pub(crate) fn go_on(&mut self, id: &str) {
        let wait = self.courses.pace.map_or(0, |pace| pace.wait);
        let due = self.move_time() + wait;
        self.courses.builds.retain(|course| course.id != id);
        self.courses.builds.push(Course {
            id: id.to_owned(),
            due,
        });
    }

    /// Makes all moves whose time has come, in the order of their times.
    pub(crate) fn catch_up(&mut self) {
        let now = self.clock.now_millis();
        while let Some(pace) = self.courses.pace
            && let Some(mut course) = self.courses.take_due(now)
        {
            self.courses.moving_at = Some(course.due);
            if self.move_on(&course.id) {
                course.due += pace.run;
                self.courses.builds.push(course);
            }
        }
        self.courses.moving_at = None;
    }

    /// When a move happens that happens now.
    pub(super) fn move_time(&self) -> i64 {
        let moving_at = self.courses.moving_at;
        moving_at.unwrap_or_else(|| self.clock.now_millis())
    }

    /// The next move of a build; false if there is no further one.
    fn move_on(&mut self, id: &str) -> bool {
        let state = self.build_by_id(id).map(|build| build.facts.state.clone());
        match state.as_deref() {
            Some("creating" | "scheduled") => {
                let has_moved = self.start_build(id);
                self.start_all(id);
                has_moved
            }
            Some("running" | "failing") => {
                let has_moved = self.end_all(id) || self.end_empty(id);
                self.start_all(id) || has_moved
            }
            // This is its last move.
            Some("canceling") => !self.finish_canceling(id),
            _ => false,
        }
    }

    fn start_all(&mut self, id: &str) -> bool {
        let mut has_moved = false;
        while self.start_job(id) {
            has_moved = true;
        }
        has_moved
    }

    /// Ends all jobs that run, well or not.
    fn end_all(&mut self, id: &str) -> bool {
        let mut has_moved = false;
        while let Some(name) = self.first_job(id, job::is_running) {
            let has_ended = match self.courses.is_to_fail(&name) {
                true => self.fail_job(id),
                false => self.pass_job(id),
            };
            if !has_ended {
                break;
            }
            has_moved = true;
        }
        has_moved
    }

    /// Ends, or blocks, a build in which nothing runs and nothing is due.
    fn end_empty(&mut self, id: &str) -> bool {
        if self.first_job(id, job::is_active).is_some() {
            return false;
        }
        let is_held = self.first_job(id, job::is_block).is_some() && self.block_build(id);
        is_held || self.finish_build(id, "passed") || self.finish_build(id, "failed")
    }

    /// The name of the first job of a build that is so.
    fn first_job(&self, id: &str, is_so: fn(&Document) -> bool) -> Option<String> {
        let build = self.document(self.build_by_id(id)?);
        let found = build.jobs().iter().find(|one| is_so(one))?;
        Some(found.text("name").unwrap_or_default())
    }
}

impl Courses {
    /// Takes out the build whose move comes first, if it is due.
    fn take_due(&mut self, now: i64) -> Option<Course> {
        let builds = self.builds.iter().enumerate();
        let (at, first) = builds.min_by_key(|(_, course)| course.due)?;
        (first.due <= now).then(|| self.builds.remove(at))
    }

    /// Whether a job of this name is to fail, which counts as one of those that were.
    fn is_to_fail(&mut self, name: &str) -> bool {
        let is_it = |(failing, times): &&mut (String, u32)| {
            *times > 0 && (failing.is_empty() || failing == name)
        };
        let Some((_, times)) = self.failing.iter_mut().find(is_it) else {
            return false;
        };
        *times -= 1;
        true
    }
}
