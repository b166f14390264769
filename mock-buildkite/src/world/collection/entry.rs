//! One object of a collection, and where it belongs.

use super::{Identity, Kind};
use crate::address::replaced;
use crate::document::Document;

/// The keys and values of parents.
pub(super) type Parents = Vec<(String, String)>;

/// An object with its parents.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) parents: Parents,
    pub(crate) object: Document,
}

/// Parents as they are stored.
pub(super) fn owned(parents: &[(&str, &str)]) -> Parents {
    let parents = parents.iter();
    parents
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// True if all of the second are among the first.
pub(super) fn is_below(parents: &[(String, String)], above: &[(String, String)]) -> bool {
    above.iter().all(|parent| parents.contains(parent))
}

impl Entry {
    pub(crate) fn new(parents: &[(&str, &str)], object: Document) -> Self {
        Self {
            parents: owned(parents),
            object,
        }
    }

    /// The value of a parent.
    pub(crate) fn parent(&self, key: &str) -> Option<&str> {
        let mut parents = self.parents.iter();
        let parent = parents.find(|(name, _)| name == key);
        parent.map(|(_, value)| value.as_str())
    }

    /// True if it is below all of these.
    pub(super) fn is_below(&self, parents: &[(&str, &str)]) -> bool {
        is_below(&self.parents, &owned(parents))
    }

    /// Its identity among its siblings; none if it has none. The only object of a job is
    /// identified by the job.
    pub(crate) fn identity(&self, kind: &Kind) -> Option<String> {
        match kind.identity {
            Identity::Field(field) => self.object.text(field),
            Identity::Single => Some(self.parent("job_id").unwrap_or_default().to_owned()),
            Identity::None => None,
        }
    }

    /// The job that it belongs to.
    pub(crate) fn job(&self) -> Option<String> {
        let parent = self.parent("job_id").map(str::to_owned);
        parent.or_else(|| self.object.text("job_id"))
    }

    /// Replaces the value of a parent.
    pub(super) fn set_parent(&mut self, key: &str, new: &str) {
        for (_, value) in self.parents.iter_mut().filter(|(name, _)| name == key) {
            new.clone_into(value);
        }
    }

    /// Replaces old addresses by new ones.
    pub(super) fn move_addresses(&mut self, moves: &[(String, String); 2]) {
        let mut text = self.object.to_json();
        if !moves.iter().any(|(from, _)| text.contains(from)) {
            return;
        }
        for (from, to) in moves {
            text = replaced(&text, from, to);
        }
        if let Ok(object) = Document::parse(&text) {
            self.object = object;
        }
    }
}
