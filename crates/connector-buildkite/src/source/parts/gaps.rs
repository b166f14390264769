//! What is read in full between the last read and an end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use connector_core::StreamName;

use crate::source::scope::NO_SLUG;
use crate::source::state::{Coverage, Gap};

/// The intervals to read in full, after which a copy that has `before` has what `end` says: what
/// is new, what was missing, and the builds of pipelines that were renamed or became visible.
pub(super) fn gaps(before: &Coverage, end: &Coverage, streams: &BTreeSet<StreamName>) -> Vec<Gap> {
    let gap = |pipeline: Option<&String>, from, to| Gap {
        streams: streams.clone(),
        pipeline: pipeline.cloned(),
        from,
        to,
    };
    let after_top = end.top + TimeDelta::milliseconds(1);
    let mut gaps = vec![gap(None, before.new_since(), after_top)];
    let is_there = |id: &String| end.pipelines.get(id).is_some_and(|slug| slug != NO_SLUG);
    let missing = before.missing.iter();
    gaps.extend(
        missing
            .filter(|gap| gap.pipeline.as_ref().is_none_or(is_there))
            .cloned(),
    );
    if let Some(since) = before.new_since().filter(|_| !before.is_nothing()) {
        for (id, slug) in end.pipelines.iter().filter(|(id, _)| is_there(id)) {
            match before.pipelines.get(id) {
                Some(known) if known == slug => {}
                Some(_) => gaps.push(gap(Some(id), before.created_from, before.top)),
                None => {
                    let read = before.read_before(since, streams).into_iter();
                    gaps.extend(read.map(|(from, to)| gap(Some(id), from, to)));
                }
            }
        }
    }
    gaps.retain(|gap| gap.from.is_none_or(|from| from < gap.to));
    gaps
}
