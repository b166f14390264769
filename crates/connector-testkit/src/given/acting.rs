//! How the suite sees what an acting destination does.

use std::fmt;

use super::Access;
use super::reading::Failure;

/// What the suite must know of a destination that acts on records.
#[derive(Default)]
pub struct Acting {
    pub(crate) effects: Option<Effects>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) advance: Option<Box<dyn Fn() + Send + Sync>>,
}

/// Counts effects at a place.
type Effects = Box<dyn Fn(&Access) -> usize + Send + Sync>;

impl Acting {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the effects of all records written with an access: triggered builds, sent mails. Each
    /// accepted record has exactly one.
    #[must_use]
    pub fn with_effects(
        mut self,
        effects: impl Fn(&Access) -> usize + Send + Sync + 'static,
    ) -> Self {
        self.effects = Some(Box::new(effects));
        self
    }

    /// A write that fails after some records. `prepare` returns the access to a fresh place and
    /// repairs what is broken. `arm` breaks it so that a first record takes effect and a later one
    /// fails.
    #[must_use]
    pub fn with_failure(
        mut self,
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        arm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.failures.push(Failure::new(prepare, arm));
        self
    }

    /// Ends what is under way. Called before the suite waits for results; not needed if it ends
    /// soon by itself.
    #[must_use]
    pub fn with_advance(mut self, advance: impl Fn() + Send + Sync + 'static) -> Self {
        self.advance = Some(Box::new(advance));
        self
    }
}

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acting")
            .field("failures", &self.failures.len())
            .finish_non_exhaustive()
    }
}
