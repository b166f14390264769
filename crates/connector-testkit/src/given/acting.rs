//! How the suite sees what an acting destination does.

use std::fmt;

use super::Access;
use super::reading::Failure;

/// What the author of a destination that acts adds to what is written.
#[derive(Default)]
pub struct Acting {
    pub(crate) effects: Option<Effects>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) advance: Option<Box<dyn Fn() + Send + Sync>>,
}

/// Counts what was done at a place.
type Effects = Box<dyn Fn(&Access) -> usize + Send + Sync>;

impl Acting {
    /// Nothing is added yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many things the records that were written with an access have done so far: builds that
    /// were triggered, mails that were sent. Each accepted record does one.
    #[must_use]
    pub fn with_effects(
        mut self,
        effects: impl Fn(&Access) -> usize + Send + Sync + 'static,
    ) -> Self {
        self.effects = Some(Box::new(effects));
        self
    }

    /// A write that fails after some records. `prepare` leads to a place to which nothing has
    /// been written, and mends what is broken; `arm` breaks it, so that one record is acted on
    /// and a later one is not.
    #[must_use]
    pub fn with_failure(
        mut self,
        prepare: impl Fn() -> Access + Send + Sync + 'static,
        arm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.failures.push(Failure::new(prepare, arm));
        self
    }

    /// Ends what is under way: called before the suite waits for results. Needed unless it ends
    /// by itself soon.
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
