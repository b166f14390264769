//! Collections: lists of plain objects, each below its parents.
//!
//! The fake gives them as they were put in; they have no life of their own.

use serde_json::Value;

use super::World;

/// An object of a collection, as the API gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Keys and values of its parents: `organization_slug`, `cluster_id`.
    pub parents: Vec<(String, String)>,
    /// The object as JSON.
    pub json: String,
    pub(crate) collection: String,
}

impl StoredObject {
    fn is_below(&self, parents: &[(&str, &str)]) -> bool {
        let has = |(key, value): &(&str, &str)| {
            let mut own = self.parents.iter();
            own.any(|(k, v)| k == key && v == value)
        };
        parents.iter().all(has)
    }
}

/// A collection that an organization does not have.
#[derive(Debug)]
pub(crate) struct Missing {
    organization: String,
    collection: String,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl World {
    /// Puts an object into a collection, named as the route's last segments in snake case:
    /// `cluster_queues`. `parents` are the parts of its path that vary, by the names of the
    /// route: `organization_slug`, `pipeline_slug`, `build_number`, `job_id`, `cluster_id`,
    /// `team_id`, `suite_slug`, `run_id`, `registry_slug`.
    pub fn put(&mut self, collection: &str, parents: &[(&str, &str)], object: &Value) {
        self.put_json(collection, parents, &object.to_string());
    }

    /// The same, for an object that is to be given byte for byte.
    pub fn put_json(&mut self, collection: &str, parents: &[(&str, &str)], json: &str) {
        let parents = parents.iter();
        self.collections.push(StoredObject {
            parents: parents
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            json: json.to_owned(),
            collection: collection.to_owned(),
        });
    }

    /// Takes all objects out of a collection that are below these parents.
    pub fn clear(&mut self, collection: &str, parents: &[(&str, &str)]) {
        self.collections
            .retain(|one| one.collection != collection || !one.is_below(parents));
    }

    /// All objects of a collection, in their order.
    #[must_use]
    pub fn objects(&self, collection: &str) -> Vec<StoredObject> {
        self.below(collection, &[]).cloned().collect()
    }

    /// Answers requests for a collection of an organization with this refusal: its plan, or a
    /// feature, does not have it.
    pub fn without_feature(
        &mut self,
        organization: &str,
        collection: &str,
        status: u16,
        message: &str,
    ) {
        self.missing.push(Missing {
            organization: organization.to_owned(),
            collection: collection.to_owned(),
            status,
            message: message.to_owned(),
        });
    }

    pub(crate) fn below<'a>(
        &'a self,
        collection: &'a str,
        parents: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a StoredObject> {
        let all = self.collections.iter();
        all.filter(move |one| one.collection == collection && one.is_below(parents))
    }

    pub(crate) fn missing(&self, organization: &str, collection: &str) -> Option<&Missing> {
        let mut missing = self.missing.iter();
        missing.find(|one| one.organization == organization && one.collection == collection)
    }
}
