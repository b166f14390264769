//! Changes to whole pipelines: add, rename, delete, hide.

use super::{Build, Pipeline, World, pipeline};
use crate::address;
use crate::document::Document;
use crate::ids::graphql_id;

impl World {
    /// The object of a new pipeline with a new id. The caller adds it.
    pub(crate) fn new_pipeline(&mut self, organization: &str, slug: &str) -> Document {
        let now = self.clock.now_millis();
        let mut object = pipeline::pipeline_object(organization, slug, now);
        let id = self.new_id();
        object.set("graphql_id", graphql_id("Pipeline", &id));
        object.set("id", id);
        object
    }

    /// Adds a pipeline to an organization, given its index. Returns the pipeline's index.
    pub(crate) fn insert_pipeline(&mut self, organization: usize, object: Document) -> usize {
        self.pipelines.push(Pipeline::stored(organization, object));
        self.pipelines.len() - 1
    }

    /// Renames a pipeline. Its id stays; its slug, its name, its addresses and those of its builds
    /// and jobs change. The old slug no longer exists.
    ///
    /// Returns false if there is no such pipeline, or the new slug is empty or taken.
    pub fn rename_pipeline(&mut self, organization: &str, slug: &str, new_slug: &str) -> bool {
        let Some(at) = self.pipeline_of(organization, slug) else {
            return false;
        };
        if new_slug.is_empty() || self.pipeline_of(organization, new_slug).is_some() {
            return false;
        }
        let now = self.clock.now_millis();
        let moves = self.pipelines[at].rename(organization, new_slug, now);
        let of_pipeline = |build: &Build| build.summary.pipeline == at;
        for index in 0..self.builds.len() {
            if of_pipeline(&self.builds[index]) {
                let mut document = self.document(&self.builds[index]).with_live_pipeline();
                for (from, to) in &moves {
                    address::move_build(&mut document, from, to);
                }
                self.builds[index] = self.builds[index].changed(document);
            }
        }
        self.collections
            .follow_pipeline(organization, slug, Some((new_slug, &moves)));
        for token in &mut self.tokens {
            token.follow_pipeline(organization, slug, Some(new_slug));
        }
        true
    }

    /// Deletes a pipeline with all its builds. A later pipeline with the same slug starts at build
    /// number 1. Returns false if there is no such pipeline.
    pub fn delete_pipeline(&mut self, organization: &str, slug: &str) -> bool {
        let Some(at) = self.pipeline_of(organization, slug) else {
            return false;
        };
        let id = self.pipelines.remove(at).id();
        let builds = std::mem::take(&mut *self.builds);
        let (gone, kept) = builds
            .into_iter()
            .partition::<Vec<_>, _>(|build| build.summary.pipeline == at);
        *self.builds = kept;
        for build in self.builds.iter_mut() {
            if build.summary.pipeline > at {
                build.summary.pipeline -= 1;
            }
        }
        self.collections.follow_pipeline(organization, slug, None);
        self.forget_links(&id, &gone);
        for token in &mut self.tokens {
            token.follow_pipeline(organization, slug, None);
        }
        true
    }

    /// Hides a pipeline from everybody, as teams do: 404 by slug, and neither it nor its builds
    /// are in any list. Returns false if there is no such pipeline or it is hidden.
    ///
    /// [`Token::hide_pipeline`](crate::Token::hide_pipeline) hides one from a single token.
    pub fn hide_pipeline(&mut self, organization: &str, slug: &str) -> bool {
        self.set_hidden(organization, slug, true)
    }

    /// Shows a hidden pipeline again. Returns false if there is no such pipeline or it is not
    /// hidden.
    pub fn show_pipeline(&mut self, organization: &str, slug: &str) -> bool {
        self.set_hidden(organization, slug, false)
    }

    /// Whether a pipeline is hidden from everybody.
    #[must_use]
    pub fn is_hidden(&self, organization: &str, slug: &str) -> bool {
        let at = self.pipeline_of(organization, slug);
        at.is_some_and(|at| self.pipelines[at].is_hidden)
    }

    fn set_hidden(&mut self, organization: &str, slug: &str, is_hidden: bool) -> bool {
        let Some(at) = self.pipeline_of(organization, slug) else {
            return false;
        };
        let pipeline = &mut self.pipelines[at];
        std::mem::replace(&mut pipeline.is_hidden, is_hidden) != is_hidden
    }

    /// The index of a pipeline by both slugs.
    pub(super) fn pipeline_of(&self, organization: &str, slug: &str) -> Option<usize> {
        self.pipeline(self.organization(organization)?, slug)
    }
}
