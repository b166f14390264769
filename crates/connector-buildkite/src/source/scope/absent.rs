//! Organizations and pipelines that the settings list, or that were listed a moment ago, and that
//! the token does not see. They do not stop the others.

use std::collections::BTreeMap;

use connector_core::Error;

use super::{Scope, locked};
use crate::error::invalid_setting;

/// What is absent, by name: `acme`, `acme/web`.
pub(super) type AbsentParts = BTreeMap<String, Absent>;

/// Why a part of what should be read is not.
#[derive(Debug, Clone)]
pub(super) struct Absent {
    /// The setting that lists it.
    key: String,
    what: String,
}

impl Absent {
    fn error(&self) -> Error {
        invalid_setting(&self.key, &self.what)
    }
}

impl Scope {
    /// Notes that something is absent, and returns the error that says so.
    pub(super) fn note_absent(&self, name: String, key: String, what: String) -> Error {
        let absent = Absent { key, what };
        let error = absent.error();
        locked(&self.absent).entry(name).or_insert(absent);
        error
    }

    /// Whether an organization, or a pipeline of one, is known to be absent.
    pub(crate) fn is_absent(&self, name: &str) -> bool {
        locked(&self.absent).contains_key(name)
    }

    /// Whether anything is known to be absent.
    pub(crate) fn lacks_any(&self) -> bool {
        !locked(&self.absent).is_empty()
    }

    /// The error of the first thing that is absent.
    pub(crate) fn first_absent(&self) -> Option<Error> {
        locked(&self.absent).values().next().map(Absent::error)
    }

    /// Whether nothing is left to read: all organizations of the settings are absent, or all
    /// pipelines.
    pub(crate) fn lacks_all(&self) -> bool {
        let absent = locked(&self.absent);
        let organizations = self.organizations.as_ref();
        let lacks_organizations =
            organizations.is_some_and(|slugs| slugs.iter().all(|slug| absent.contains_key(slug)));
        let is_absent = |slug: &String| {
            let mut names = absent.keys().filter_map(|name| name.split_once('/'));
            names.any(|(_, of)| of == slug)
        };
        let pipelines = self.pipelines.as_ref();
        lacks_organizations || pipelines.is_some_and(|slugs| slugs.iter().all(is_absent))
    }

    /// What is absent and why, in a sentence each.
    pub(crate) fn absences(&self) -> Vec<String> {
        let absent = locked(&self.absent);
        let sentence = |(name, absent): (&String, &Absent)| {
            format!("`{name}` is not read, the others are: {}", absent.what)
        };
        absent.iter().map(sentence).collect()
    }
}
