//! Changes to the builds of a world: create, change, remove.

use chrono::{DateTime, Utc};

use super::{Build, World};
use crate::document::BuildDocument;
use crate::fixture::BuildFixture;

/// A build that was just created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedBuild {
    /// Its id.
    pub id: String,
    /// Its number within the pipeline.
    pub number: u64,
}

impl World {
    /// Creates a build with the next number of its pipeline, unless the fixture sets a number.
    ///
    /// Adds the organization and the pipeline if they do not exist.
    pub fn create_build(&mut self, fixture: BuildFixture) -> CreatedBuild {
        self.add_pipeline(fixture.organization(), fixture.pipeline());
        let owner = self
            .organization(fixture.organization())
            .unwrap_or_default();
        let pipeline = self.pipeline(owner, fixture.pipeline()).unwrap_or_default();
        let id = self.new_id();
        let next = 1 + self.last_number(pipeline);
        let job_ids = (0..fixture.job_count()).map(|_| self.new_id()).collect();
        let text = fixture.to_json(id, next, self.clock.now_millis(), job_ids);
        let document = BuildDocument::parse(&text).expect("a fixture is JSON");
        let build = Build::stored(document.with_live_pipeline(), pipeline);
        let created = CreatedBuild {
            id: build.summary.id.to_string(),
            number: build.summary.number,
        };
        self.note_created(&build);
        self.builds.push(build);
        self.sort();
        created
    }

    /// Changes a build. Returns false if there is none with this id.
    pub fn change_build(&mut self, id: &str, change: impl FnOnce(&mut BuildDocument)) -> bool {
        let Some(at) = self.position(id) else {
            return false;
        };
        let mut document = self.document(&self.builds[at]);
        change(&mut document);
        self.builds[at] = self.builds[at].changed(document);
        self.sort();
        true
    }

    /// Removes a build, as retention does. Its number is not used again. Returns false if there is
    /// no build with this id.
    pub fn remove_build(&mut self, id: &str) -> bool {
        self.remove_builds(|build| &*build.summary.id == id) > 0
    }

    /// Removes all builds created before a time, as retention does. Returns their number.
    pub fn age_out(&mut self, before: DateTime<Utc>) -> usize {
        let before = before.timestamp_millis();
        self.remove_builds(|build| build.summary.created < before)
    }

    fn remove_builds(&mut self, is_gone: impl Fn(&Build) -> bool) -> usize {
        let before = self.builds.len();
        let pipelines = &mut self.pipelines;
        self.builds.retain(|build| {
            let is_gone = is_gone(build);
            if is_gone {
                let last = &mut pipelines[build.summary.pipeline].last_number;
                *last = build.summary.number.max(*last);
            }
            !is_gone
        });
        before - self.builds.len()
    }

    /// Adds a build as it is, byte for byte.
    pub(super) fn insert_recorded(&mut self, document: BuildDocument, pipeline: usize) {
        let id = document.fields().text("id").unwrap_or_default();
        self.remove_build(&id);
        self.builds.push(Build::stored(document, pipeline));
    }

    /// The index of a build among all builds.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        let is_it = |build: &Build| &*build.summary.id == id;
        self.builds.iter().position(is_it)
    }

    /// The highest number that a build of a pipeline has or had; 0 if there was none.
    pub(super) fn last_number(&self, pipeline: usize) -> u64 {
        let numbers = self
            .builds
            .iter()
            .filter(|build| build.summary.pipeline == pipeline);
        let kept = numbers.map(|build| build.summary.number).max().unwrap_or(0);
        kept.max(self.pipelines[pipeline].last_number)
    }
}
