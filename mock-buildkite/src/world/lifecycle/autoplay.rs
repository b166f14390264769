//! Builds that run by themselves as the world's clock advances.
//!
//! A build runs by itself once a request creates or changes it; builds that a test puts into the
//! world stay as they are. There is no timer: [`World::catch_up`] makes the moves whose time has
//! come, each at its own time.

use std::time::Duration;

use super::{World, job};
use crate::clock::millis_of;
use crate::document::Document;

/// The builds that run by themselves, their timing, and the jobs that fail.
#[derive(Debug)]
pub(in crate::world) struct Autoplay {
    builds: Vec<Course>,
    /// None while all builds are held.
    timing: Option<BuildTiming>,
    /// Names of jobs to fail, and how many of each.
    failing: Vec<(String, u32)>,
    /// The time of the move that is being made.
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
struct BuildTiming {
    wait: i64,
    run: i64,
}

impl Default for Autoplay {
    fn default() -> Self {
        Self {
            builds: Vec::new(),
            timing: Some(BuildTiming {
                wait: 5000,
                run: 20_000,
            }),
            failing: Vec::new(),
            moving_at: None,
        }
    }
}

impl World {
    /// Sets how long a build created over the API waits for an agent, and how long its jobs run. A
    /// build that is being canceled stops after the first time. Default: 5 s and 20 s.
    pub fn set_build_timing(&mut self, wait: Duration, run: Duration) {
        self.autoplay.timing = Some(BuildTiming {
            wait: millis_of(wait),
            run: millis_of(run),
        });
    }

    /// Holds builds created over the API until a test moves them, or until
    /// [`set_build_timing`](Self::set_build_timing) releases them.
    pub fn hold_builds(&mut self) {
        self.autoplay.timing = None;
    }

    /// Fails the next `times` jobs of this name, step key or command, or any jobs if the name is
    /// empty, in builds that run by themselves.
    pub fn fail_jobs(&mut self, name: &str, times: u32) {
        self.autoplay.failing.push((name.to_owned(), times));
    }

    /// Makes a build run by itself from now on.
    pub(crate) fn resume_autoplay(&mut self, id: &str) {
        let wait = self.autoplay.timing.map_or(0, |timing| timing.wait);
        let due = self.move_time() + wait;
        self.autoplay.builds.retain(|course| course.id != id);
        self.autoplay.builds.push(Course {
            id: id.to_owned(),
            due,
        });
    }

    /// Makes all moves whose time has come, in the order of their times.
    pub(crate) fn catch_up(&mut self) {
        let now = self.clock.now_millis();
        while let Some(timing) = self.autoplay.timing
            && let Some(mut course) = self.autoplay.take_due(now)
        {
            self.autoplay.moving_at = Some(course.due);
            let has_moved = self.move_on(&course.id);
            self.wake_parent(&course.id, course.due);
            if has_moved {
                course.due += timing.run;
                self.autoplay.builds.push(course);
            } else if self.waits(&course.id) {
                // It waits for an agent, a group or another build: until something changes.
                course.due = now + timing.run.max(1);
                self.autoplay.builds.push(course);
            }
        }
        self.autoplay.moving_at = None;
    }

    /// The time of a move that happens now.
    pub(in crate::world) fn move_time(&self) -> i64 {
        let moving_at = self.autoplay.moving_at;
        moving_at.unwrap_or_else(|| self.clock.now_millis())
    }

    /// The next move of a build; false if there is no further one.
    fn move_on(&mut self, id: &str) -> bool {
        let build = self.build_by_id(id);
        let state = build.map(|build| build.summary.state.clone());
        if self.scripts.contains_key(id) {
            let is_canceling = state.as_deref() == Some("canceling");
            return self.move_scripted(id) && !is_canceling;
        }
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

    /// Whether a build with a script is open and not held by a block step.
    fn waits(&self, id: &str) -> bool {
        let build = self.build_by_id(id);
        self.scripts.contains_key(id) && build.is_some_and(|build| build.summary.finished.is_none())
    }

    /// Lets all builds move that wait for something, now.
    pub(crate) fn wake_waiting(&mut self) {
        let now = self.clock.now_millis();
        for course in &mut self.autoplay.builds {
            course.due = course.due.min(now);
        }
    }

    fn start_all(&mut self, id: &str) -> bool {
        let mut has_moved = false;
        while self.start_job(id) {
            has_moved = true;
        }
        has_moved
    }

    /// Ends all running jobs.
    fn end_all(&mut self, id: &str) -> bool {
        let mut has_moved = false;
        while let Some(names) = self.first_job(id, job::is_running) {
            let has_ended = if self.autoplay.is_to_fail(&names) {
                self.fail_job(id)
            } else {
                self.pass_job(id)
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

    /// The names of the first job of a build that matches.
    fn first_job(&self, id: &str, is_so: fn(&Document) -> bool) -> Option<Vec<String>> {
        let build = self.document(self.build_by_id(id)?);
        let found = build.jobs().iter().find(|one| is_so(one))?;
        Some(job::names(found))
    }
}

impl Autoplay {
    /// Lets a build move at this time, or earlier if it does already.
    pub(super) fn schedule(&mut self, id: &str, due: i64) {
        match self.builds.iter_mut().find(|course| course.id == id) {
            Some(course) => course.due = course.due.min(due),
            None => self.builds.push(Course {
                id: id.to_owned(),
                due,
            }),
        }
    }

    /// Removes the build whose move comes first, if it is due.
    fn take_due(&mut self, now: i64) -> Option<Course> {
        let builds = self.builds.iter().enumerate();
        let (at, first) = builds.min_by_key(|(_, course)| course.due)?;
        (first.due <= now).then(|| self.builds.remove(at))
    }

    /// Whether a job of these names fails. Counts the failure.
    pub(super) fn is_to_fail(&mut self, names: &[String]) -> bool {
        let is_it = |(failing, times): &&mut (String, u32)| {
            *times > 0 && (failing.is_empty() || names.contains(failing))
        };
        let Some((_, times)) = self.failing.iter_mut().find(is_it) else {
            return false;
        };
        *times -= 1;
        true
    }
}
