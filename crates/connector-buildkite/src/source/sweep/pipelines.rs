//! Pipelines that change under the builds: renamed ones, removed ones, and ones that the token did
//! not see before.
//!
//! The addresses of a build hold its pipeline's slug, so a renaming changes all builds of a
//! pipeline, and nothing in the lists says so. A pipeline that the token suddenly sees has builds
//! from long ago. Both show when a build, or the stream `pipelines`, has a pipeline under another
//! slug than before, or one that was not known. Then its builds are read again, or at last.

use chrono::{DateTime, Utc};
use connector_core::{Event, Result};

use super::listing::Listing;
use super::partition::Partition;
use crate::error::in_stream;
use crate::source::scope::{NO_SLUG, PipelineRef, Slugs};
use crate::source::state::{Gap, OpenBuild};

/// Build number 1: the pipeline has no earlier builds.
const FIRST_NUMBER: u64 = 1;

impl Partition {
    /// Compares the pipelines known with those that this read has listed, if it has.
    pub(crate) async fn note_listed_pipelines(&mut self) -> Result<()> {
        let listed = self
            .sweep
            .scope
            .listed_pipelines(&self.listing.organization);
        let Some(listed) = listed.filter(|_| self.listing.pipeline.is_none()) else {
            return Ok(());
        };
        self.note_missing_pipelines(&listed).await?;
        for (id, slug) in &listed {
            if self.coverage.pipelines.contains_key(id) {
                self.note_slug(id, slug);
            } else {
                self.note_unknown_pipeline(id, slug);
            }
        }
        Ok(())
    }

    /// Lists that are paged by number may leave one out, so each one that is missing is requested.
    async fn note_missing_pipelines(&mut self, listed: &Slugs) -> Result<()> {
        let is_missing =
            |(id, slug): &(&String, &String)| !listed.contains_key(*id) && *slug != NO_SLUG;
        let known = self.coverage.pipelines.iter();
        let missing: Vec<_> = (known.filter(is_missing))
            .map(|(id, slug)| (id.clone(), slug.clone()))
            .collect();
        for (id, slug) in missing {
            let Listing {
                client,
                organization,
                scope,
                ..
            } = &self.listing;
            let is_there = scope.has_pipeline(client, organization, &id, &slug).await;
            if !is_there.map_err(in_stream(&self.listing.stream))? {
                self.note_removed_pipeline(&id);
            }
        }
        Ok(())
    }

    /// The configuration lists a pipeline that has this slug now.
    pub(super) fn note_selected_pipeline(&mut self, pipeline: &PipelineRef) {
        if self.coverage.pipelines.contains_key(&pipeline.id) {
            self.note_slug(&pipeline.id, &pipeline.slug);
        }
    }

    /// A build of a pipeline was read.
    pub(super) fn note_pipeline_of_build(&mut self, id: &str, slug: &str, build: &OpenBuild) {
        if self.coverage.pipelines.contains_key(id) {
            self.note_slug(id, slug);
        } else if self.is_first_of_all(build) {
            self.know(id, slug);
        } else if self.has_listed_pipelines() {
            self.note_new_or_hidden_pipeline(id, slug);
        } else {
            self.note_unknown_pipeline(id, slug);
        }
    }

    fn has_listed_pipelines(&self) -> bool {
        let scope = &self.sweep.scope;
        scope.has_listed_pipelines(&self.listing.organization)
    }

    /// Whether it is the first build of a pipeline that was created since the last read.
    fn is_first_of_all(&self, build: &OpenBuild) -> bool {
        let top = (!self.coverage.is_nothing()).then_some(self.coverage.top);
        let known_before = self.known_before.or(top);
        let is_new = known_before.is_none_or(|before| build.created_at >= before);
        build.number == FIRST_NUMBER && is_new
    }

    /// A pipeline that is known has this slug now.
    fn note_slug(&mut self, id: &str, slug: &str) {
        let known = self.coverage.pipelines.get(id);
        if known.is_some_and(|known| known == slug) {
            return;
        }
        if !self.coverage.is_nothing() {
            self.miss(id, self.coverage.created_from, self.coverage.top);
        }
        self.know(id, slug);
    }

    /// A pipeline that was not known: it is new, has not been read yet, or was hidden. What should
    /// have been read of it before is read now. If it is new, that request finds nothing.
    fn note_unknown_pipeline(&mut self, id: &str, slug: &str) {
        if let Some(since) = self.known_before
            && self.listing.pipeline.is_none()
        {
            for (from, to) in self.coverage.read_before(since, &self.streams()) {
                self.miss(id, from, to);
            }
        }
        self.know(id, slug);
    }

    /// A pipeline that the list of all pipelines should have held: it was hidden then, and its
    /// builds with it.
    fn note_new_or_hidden_pipeline(&mut self, id: &str, slug: &str) {
        if self.listing.pipeline.is_none() && !self.coverage.is_nothing() {
            self.miss(id, self.coverage.created_from, self.coverage.top);
        }
        self.know(id, slug);
    }

    /// A pipeline is in the lists, but its builds cannot be read.
    pub(super) fn give_up(&mut self, id: &str) {
        let slug = self.coverage.pipelines.get(id).map_or(id, String::as_str);
        let message = format!(
            "the builds of the pipeline `{slug}` of `{}` should be read again, but the pipeline is \
             not found; its rows in the copy stay as they are",
            self.listing.organization
        );
        self.sweep.observer.observe(Event::Notice {
            stream: Some(self.listing.stream.clone()),
            message,
        });
        self.note_removed_pipeline(id);
    }

    fn miss(&mut self, id: &str, from: Option<DateTime<Utc>>, to: DateTime<Utc>) {
        self.windows.add(Gap {
            streams: self.streams(),
            pipeline: Some(id.to_owned()),
            from,
            to,
        });
    }

    pub(super) fn note_removed_pipeline(&mut self, id: &str) {
        self.know(id, NO_SLUG);
    }

    fn know(&mut self, id: &str, slug: &str) {
        let pipelines = &mut self.coverage.pipelines;
        pipelines.insert(id.to_owned(), slug.to_owned());
    }
}
