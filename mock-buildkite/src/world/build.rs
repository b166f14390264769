//! A build: either a slot of the seed or a stored object.

use std::sync::Arc;

use super::summary::BuildSummary;
use crate::document::BuildDocument;
use crate::seed::Seeded;

/// A build of the world.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) summary: BuildSummary,
    pub(crate) body: Body,
    /// Its slot in the seed, if it comes from there, changed or not.
    pub(crate) origin: Option<usize>,
    /// Its jobs have logs and environments.
    pub(crate) has_logs: bool,
}

/// Where the text of a build comes from.
#[derive(Debug)]
pub(crate) enum Body {
    /// Written from its slot in the seed whenever it is needed.
    Seeded { world: Arc<Seeded>, ordinal: usize },
    /// Stored as an object.
    Stored(Box<BuildDocument>),
}

impl Build {
    /// A build of the seed.
    pub(crate) fn seeded(world: &Arc<Seeded>, ordinal: usize) -> Self {
        Self {
            summary: BuildSummary::seeded(world, ordinal),
            body: Body::Seeded {
                world: Arc::clone(world),
                ordinal,
            },
            origin: Some(ordinal),
            has_logs: true,
        }
    }

    /// The same build with another object.
    pub(crate) fn changed(&self, document: BuildDocument) -> Self {
        Self {
            origin: self.origin,
            has_logs: self.has_logs,
            ..Self::stored(document, self.summary.pipeline)
        }
    }

    /// A stored build.
    pub(crate) fn stored(document: BuildDocument, pipeline: usize) -> Self {
        Self {
            summary: BuildSummary::read(&document, pipeline),
            body: Body::Stored(Box::new(document)),
            origin: None,
            has_logs: false,
        }
    }
}
