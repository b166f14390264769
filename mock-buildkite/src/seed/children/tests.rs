//! Tests that ran in builds, as Test Engine knows them.

use super::super::lists::{SUITES, TestObject};
use super::{BuildChildren, Child};
use crate::document::Document;

impl BuildChildren<'_> {
    /// `GET /v2/analytics/…/builds/{build.id}/tests`: a third of the builds report tests.
    pub(super) fn tests(&self) -> Vec<Child> {
        let mut rng = self.rng(44, &self.id());
        let is_started = self.build.fields().text("started_at").is_some();
        if !is_started || !rng.percent(33) {
            return Vec::new();
        }
        let (suite, _) = SUITES[0];
        let count = 1 + rng.below(5);
        (0..count)
            .map(|at| {
                let test = TestObject::new(self.seed, self.organization, suite, at);
                (None, Document::from(test.with_metrics(&mut rng)))
            })
            .collect()
    }
}
