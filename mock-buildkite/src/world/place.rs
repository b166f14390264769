//! What happens to whole pipelines: added, renamed, deleted, hidden.

use super::{Build, Pipeline, World, address, pipeline};
use crate::dice::graphql_id;
use crate::document::Document;

impl World {
    /// The object of a pipeline that is still to be added, with an id of its own.
    pub(crate) fn new_pipeline(&mut self, organization: &str, slug: &str) -> Document {
        let now = self.clock.now_millis();
        let mut object = pipeline::pipeline_object(organization, slug, now);
        let id = self.new_id();
        object.set("graphql_id", graphql_id("Pipeline", &id));
        object.set("id", id);
        object
    }

    /// Adds a pipeline to an organization, given its index. Returns its own.
    pub(crate) fn insert_pipeline(&mut self, organization: usize, object: Document) -> usize {
        self.pipelines.push(Pipeline::stored(organization, object));
        self.pipelines.len() - 1
    }

    /// Renames a pipeline: its id stays, its slug, name and addresses change, and so do the
    /// addresses of its builds and their jobs. The old slug is not found any more.
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
        let of_pipeline = |build: &Build| build.facts.pipeline == at;
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

    /// Deletes a pipeline with all its builds. One made later under the same slug starts again at
    /// number 1. Returns false if there is no such pipeline.
    pub fn delete_pipeline(&mut self, organization: &str, slug: &str) -> bool {
        let Some(at) = self.pipeline_of(organization, slug) else {
            return false;
        };
        self.pipelines.remove(at);
        self.builds.retain(|build| build.facts.pipeline != at);
        for build in &mut self.builds {
            if build.facts.pipeline > at {
                build.facts.pipeline -= 1;
            }
        }
        self.collections.follow_pipeline(organization, slug, None);
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
