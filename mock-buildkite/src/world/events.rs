//! Events: what webhooks report, noted when builds, jobs and agents change.

use super::{Build, World};
use crate::document::{BuildDocument, Document};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `build.finished`.
    pub(crate) name: &'static str,
    pub(crate) subject: Subject,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

/// What an event is about, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Build(String),
    Job {
        build: String,
        job: String,
    },
    Agent(String),
    /// A notification service, which is told so itself.
    Service {
        organization: String,
        id: String,
    },
    Package {
        organization: String,
        registry: String,
        id: String,
    },
}

impl World {
    /// Notes events from now on.
    pub(crate) fn note_events(&mut self) {
        self.events.get_or_insert_default();
    }

    /// True if somebody wants events.
    pub(crate) fn has_events(&self) -> bool {
        self.events.is_some()
    }

    /// The events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        self.events.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Notes that an agent has changed.
    pub(crate) fn note_agent(&mut self, name: &'static str, id: &str) {
        self.note(name, Subject::Agent(id.to_owned()));
    }

    /// Notes that a notification service was set up, and events from now on.
    pub(crate) fn note_ping(&mut self, organization: &str, id: &str) {
        self.note_events();
        let subject = Subject::Service {
            organization: organization.to_owned(),
            id: id.to_owned(),
        };
        self.note("ping", subject);
    }

    /// Notes that a package was published.
    pub(crate) fn note_package(&mut self, organization: &str, registry: &str, id: &str) {
        let subject = Subject::Package {
            organization: organization.to_owned(),
            registry: registry.to_owned(),
            id: id.to_owned(),
        };
        self.note("package.created", subject);
    }

    /// Notes that a build was created.
    pub(super) fn note_created(&mut self, build: &Build) {
        if self.events.is_none() {
            return;
        }
        let id = build.summary.id.to_string();
        let name = match &*build.summary.state {
            "skipped" => "build.skipped",
            "creating" | "scheduled" => "build.scheduled",
            _ => return,
        };
        self.note(name, Subject::Build(id.clone()));
        for job in self.document(build).jobs() {
            self.note_job(&id, None, job);
        }
    }

    /// Notes what a move has changed.
    pub(super) fn note_move(&mut self, before: &BuildDocument, after: &BuildDocument) {
        if self.events.is_none() {
            return;
        }
        let id = after.fields().text("id").unwrap_or_default();
        for job in after.jobs() {
            let is_it = |old: &&Document| old.raw("id") == job.raw("id");
            self.note_job(&id, before.jobs().iter().find(is_it), job);
        }
        if let Some(name) = build_event(before, after) {
            self.note(name, Subject::Build(id.clone()));
        }
    }

    fn note_job(&mut self, build: &str, before: Option<&Document>, job: &Document) {
        let was = before.and_then(|job| job.text("state"));
        let is = job.text("state");
        if was == is {
            return;
        }
        let name = match is.as_deref() {
            Some("scheduled") => "job.scheduled",
            Some("running") => "job.started",
            Some("unblocked") => "job.activated",
            Some("passed" | "failed" | "timed_out" | "canceled" | "expired" | "skipped") => {
                "job.finished"
            }
            _ => return,
        };
        let subject = Subject::Job {
            build: build.to_owned(),
            job: job.text("id").unwrap_or_default(),
        };
        self.note(name, subject);
    }

    fn note(&mut self, name: &'static str, subject: Subject) {
        let at = self.move_time();
        if let Some(events) = &mut self.events {
            events.push(Event { name, subject, at });
        }
    }
}

/// The event of a build whose state has changed. A build ends, as events count it, when nothing is
/// going on any more: also at a block step, and once more after each further run.
fn build_event(before: &BuildDocument, after: &BuildDocument) -> Option<&'static str> {
    const ONGOING: [&str; 5] = ["creating", "scheduled", "running", "failing", "canceling"];
    let state = |build: &BuildDocument| build.fields().text("state").unwrap_or_default();
    let rests = |build: &BuildDocument| {
        build.fields().is_true("blocked") || !ONGOING.contains(&state(build).as_str())
    };
    let (was, is) = (state(before), state(after));
    match is.as_str() {
        "skipped" if was != is => Some("build.skipped"),
        _ if rests(after) => (!rests(before)).then_some("build.finished"),
        "scheduled" if was != is => Some("build.scheduled"),
        "running" if was != is => Some("build.running"),
        "failing" if was != is => Some("build.failing"),
        _ => None,
    }
}
