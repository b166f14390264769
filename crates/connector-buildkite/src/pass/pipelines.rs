//! Pipelines that change under the builds: renamed ones, ones that vanish, and ones that the token
//! did not see before.
//!
//! The addresses of a build hold its pipeline's slug, so a renaming changes all builds of a
//! pipeline, and nothing in the lists says so. A pipeline that the token may suddenly see has
//! builds from long ago. Both show when a build, or the stream `pipelines`, has a pipeline under
//! another slug than before, or one that nobody knew: then its builds are read again, or at last.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use connector_core::{Event, Result};

use super::lists::Lists;
use super::partition::Partition;
use crate::error::in_stream;
use crate::state::{Gap, OpenBuild};

/// The slug of a pipeline that is there no more: if it comes back, that is a renaming.
const NO_SLUG: &str = "";
/// The first number of a pipeline's builds: one that has it has none before.
const FIRST_NUMBER: u64 = 1;

impl Partition {
    /// Compares the pipelines known with what this sync has read of the stream `pipelines`, if it
    /// has.
    pub(crate) async fn note_pipelines_read(&mut self) -> Result<()> {
        let read = self.pass.scope.pipelines_read(&self.lists.organization);
        let Some(read) = read.filter(|_| self.lists.pipeline.is_none()) else {
            return Ok(());
        };
        self.note_missing_pipelines(&read).await?;
        for (id, slug) in &read {
            match self.coverage.pipelines.contains_key(id) {
                true => self.note_pipeline(id, slug),
                false => self.note_unknown_pipeline(id, slug),
            }
        }
        Ok(())
    }

    /// Lists that are paged by number may leave one out, so each that is missing is asked for.
    async fn note_missing_pipelines(&mut self, read: &BTreeMap<String, String>) -> Result<()> {
        let is_missing =
            |(id, slug): &(&String, &String)| !read.contains_key(*id) && *slug != NO_SLUG;
        let known = self.coverage.pipelines.iter();
        let missing: Vec<_> = (known.filter(is_missing))
            .map(|(id, slug)| (id.clone(), slug.clone()))
            .collect();
        for (id, slug) in missing {
            let Lists {
                client,
                organization,
                scope,
                ..
            } = &self.lists;
            let has_it = scope.has_pipeline(client, organization, &id, &slug).await;
            if !has_it.map_err(in_stream(&self.lists.stream))? {
                self.vanish(&id);
            }
        }
        Ok(())
    }

    /// The configuration names a pipeline that has this slug now.
    pub(super) fn note_selected_pipeline(&mut self, id: &str, slug: &str) {
        if self.coverage.pipelines.contains_key(id) {
            self.note_pipeline(id, slug);
        }
    }

    /// A build was read of a pipeline.
    pub(super) fn note_pipeline_of_build(&mut self, id: &str, slug: &str, build: &OpenBuild) {
        if self.coverage.pipelines.contains_key(id) {
            self.note_pipeline(id, slug);
        } else if self.is_first_of_all(build) {
            self.know(id, slug);
        } else if self.pass.scope.has_read_pipelines(&self.lists.organization) {
            self.note_new_or_hidden_pipeline(id, slug);
        } else {
            self.note_unknown_pipeline(id, slug);
        }
    }

    /// The first build of a pipeline that was made since the last sync.
    fn is_first_of_all(&self, build: &OpenBuild) -> bool {
        let top = (!self.coverage.is_nothing()).then_some(self.coverage.top);
        let known_before = self.known_before.or(top);
        let is_new = known_before.is_none_or(|before| build.created_at >= before);
        build.number == FIRST_NUMBER && is_new
    }

    /// The slug that a pipeline has now; `None` if it is there no more.
    pub(crate) async fn slug_of(&mut self, id: &str) -> Result<Option<String>> {
        let Lists {
            client,
            organization,
            scope,
            ..
        } = &self.lists;
        let known = self.coverage.pipelines.get(id);
        let slug = scope.slug_of(client, organization, id, known).await;
        slug.map_err(in_stream(&self.lists.stream))
    }

    /// A pipeline that is known has this slug now.
    fn note_pipeline(&mut self, id: &str, slug: &str) {
        if self
            .coverage
            .pipelines
            .get(id)
            .is_some_and(|known| known == slug)
        {
            return;
        }
        if !self.coverage.is_nothing() {
            self.miss(id, self.coverage.created_from, self.coverage.top);
        }
        self.know(id, slug);
    }

    /// A pipeline that nobody knew: it is new, has not been read yet, or was hidden. What should
    /// have been read of it before is read now; for a new one that is a request in vain.
    fn note_unknown_pipeline(&mut self, id: &str, slug: &str) {
        if let Some(since) = self.known_before
            && self.lists.pipeline.is_none()
        {
            for (from, to) in self.coverage.read_before(since, &self.streams()) {
                self.miss(id, from, to);
            }
        }
        self.know(id, slug);
    }

    /// A pipeline that this sync should have found in the list of all: it was hidden then, and its
    /// builds with it.
    fn note_new_or_hidden_pipeline(&mut self, id: &str, slug: &str) {
        if self.lists.pipeline.is_none() && !self.coverage.is_nothing() {
            self.miss(id, self.coverage.created_from, self.coverage.top);
        }
        self.know(id, slug);
    }

    /// A pipeline is in the lists, but its builds are not to be had.
    pub(super) fn give_up(&mut self, id: &str) {
        let slug = self.coverage.pipelines.get(id).map_or(id, String::as_str);
        let message = format!(
            "the builds of the pipeline `{slug}` of `{}` were to be read again, but it is not \
             found; what the copy has of it stays as it is",
            self.lists.organization
        );
        self.pass.observer.observe(Event::Notice {
            stream: Some(self.lists.stream.clone()),
            message,
        });
        self.vanish(id);
    }

    fn miss(&mut self, id: &str, from: Option<DateTime<Utc>>, to: DateTime<Utc>) {
        self.windows.add(Gap {
            streams: self.streams(),
            pipeline: Some(id.to_owned()),
            from,
            to,
        });
    }

    /// A pipeline is there no more.
    pub(super) fn vanish(&mut self, id: &str) {
        self.know(id, NO_SLUG);
    }

    fn know(&mut self, id: &str, slug: &str) {
        let pipelines = &mut self.coverage.pipelines;
        pipelines.insert(id.to_owned(), slug.to_owned());
    }
}
