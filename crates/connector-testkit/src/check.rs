//! One check: what it claims, and which flaws it finds.

use std::fmt;

use futures::future::BoxFuture;

use crate::report::Verdict;
use crate::{Capability, Suite};

/// One thing that holds for every correct connector.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// Its name in reports.
    pub name: &'static str,
    /// What holds for a connector that passes: a sentence.
    pub claim: &'static str,
    /// Flaws that this check finds. The tests of this crate run it over a connector with each flaw.
    pub mutants: &'static [&'static str],
    /// What it is about.
    pub capability: Capability,
    pub(crate) run: Run,
}

/// How a check is run.
pub(crate) type Run = for<'s> fn(&'s Suite<'s>) -> BoxFuture<'s, Verdict>;

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("claim", &self.claim)
            .field("mutants", &self.mutants)
            .finish_non_exhaustive()
    }
}
