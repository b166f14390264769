//! Collections: lists of plain objects, each below its parents.
//!
//! Most are stored. The objects of seeded builds and jobs are derived when a request needs them,
//! so a world of twenty thousand builds stores none of them.

mod entry;
mod kind;
mod of_builds;

use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::World;
use crate::document::Document;
use crate::seed::ListedObject;
pub(crate) use entry::Entry;
use entry::{Parents, is_below};
use kind::without_secrets;
pub(crate) use kind::{Identity, Kind};

/// An object of a collection, as a list of the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Keys and values of its parents: `organization_slug`, `cluster_id`.
    pub parents: Vec<(String, String)>,
    /// The object as JSON.
    pub json: String,
}

/// All collections of a world.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    stored: HashMap<String, Vec<Entry>>,
    /// Removed objects of builds, by collection and identity.
    removed: HashSet<(String, String)>,
    /// Parents below which a collection of builds has only stored objects.
    cleared: Vec<(String, Parents)>,
}

impl World {
    /// Puts an object into a collection. It replaces the object with the same parents and id.
    ///
    /// A collection is named as the last segments of its route in snake case: `cluster_queues`.
    /// `parents` are the parts of its path that vary: `organization_slug`, `pipeline_slug`,
    /// `build_id` or `build_number`, `job_id`, `cluster_id`, `team_id`, `suite_slug`, `run_id`,
    /// `registry_slug`. Fields that no answer shows, such as the value of a secret, are dropped.
    pub fn put(&mut self, collection: &str, parents: &[(&str, &str)], object: impl Borrow<Value>) {
        self.put_json(collection, parents, &object.borrow().to_string());
    }

    /// The same, for an object whose values are served byte for byte.
    ///
    /// # Panics
    /// If the text is not a JSON object.
    pub fn put_json(&mut self, collection: &str, parents: &[(&str, &str)], json: &str) {
        let object = Document::parse(json).expect("an object is put");
        self.put_document(collection, parents, object);
    }

    /// The same, for a document.
    pub(crate) fn put_document(
        &mut self,
        collection: &str,
        parents: &[(&str, &str)],
        mut object: Document,
    ) {
        without_secrets(collection, &mut object);
        if collection == "agents" {
            self.agents_changed();
        }
        let entry = Entry::new(parents, object);
        let kind = Kind::of(collection);
        let stored = self.collections.stored.entry(collection.to_owned());
        let stored = stored.or_default();
        let same = entry.identity(&kind).and_then(|identity| {
            let is_same = |other: &Entry| {
                other.parents == entry.parents && other.identity(&kind).as_ref() == Some(&identity)
            };
            stored.iter().position(is_same)
        });
        if let Some(at) = same {
            stored[at] = entry;
            return;
        }
        let later = |other: &Entry| kind.is_before(&entry.object, &other.object);
        let at = stored.iter().position(later).unwrap_or(stored.len());
        stored.insert(at, entry);
    }

    /// All stored objects with their collections.
    pub(super) fn all_entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        let stored = self.collections.stored.iter();
        stored.flat_map(|(name, entries)| entries.iter().map(move |one| (name.as_str(), one)))
    }

    /// Puts back an entry that was changed.
    pub(crate) fn replace_entry(&mut self, collection: &str, entry: Entry) {
        let parents = entry.parents.iter();
        let parents: Vec<_> = parents
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        self.put_document(collection, &parents, entry.object);
    }

    /// Puts an object of the seed into its collection.
    pub(super) fn put_listed(&mut self, listed: ListedObject) {
        let parents = listed.parents.iter();
        let parents: Vec<_> = parents.map(|(key, value)| (*key, value.as_str())).collect();
        self.put_document(listed.collection, &parents, listed.object.into());
    }

    /// Removes the object with this id from a collection. Returns false if there is none.
    pub fn remove(&mut self, collection: &str, parents: &[(&str, &str)], id: &str) -> bool {
        let kind = Kind::of(collection);
        let is_it =
            |entry: &Entry| entry.is_below(parents) && entry.identity(&kind).as_deref() == Some(id);
        let was_there = self.entries(collection).iter().any(&is_it);
        if collection == "agents" {
            self.agents_changed();
        }
        if let Some(stored) = self.collections.stored.get_mut(collection) {
            stored.retain(|entry| !is_it(entry));
        }
        if kind.is_of_builds {
            let removed = (collection.to_owned(), id.to_owned());
            self.collections.removed.insert(removed);
        }
        was_there
    }

    /// Removes a derived or stored object of a build. Returns false if there is none.
    pub(crate) fn remove_of_build(&mut self, collection: &str, build: &str, id: &str) -> bool {
        let kind = Kind::of(collection);
        let is_it = |entry: &Entry| entry.identity(&kind).as_deref() == Some(id);
        let entries = self
            .build_by_id(build)
            .map(|build| self.of_build(collection, build));
        let was_there = entries.is_some_and(|entries| entries.iter().any(is_it));
        self.remove_where(collection, is_it);
        let removed = (collection.to_owned(), id.to_owned());
        self.collections.removed.insert(removed);
        was_there
    }

    /// Removes one entry.
    pub(crate) fn remove_entry(&mut self, collection: &str, entry: &Entry) {
        let kind = Kind::of(collection);
        let identity = entry.identity(&kind);
        if let Some(stored) = self.collections.stored.get_mut(collection) {
            stored.retain(|one| one.parents != entry.parents || one.identity(&kind) != identity);
        }
        self.agents_changed();
    }

    /// Removes every object below a parent of an organization.
    pub(crate) fn remove_below(&mut self, organization: &str, key: &str, value: &str) {
        let parents = [("organization_slug", organization), (key, value)];
        for stored in self.collections.stored.values_mut() {
            stored.retain(|entry| !entry.is_below(&parents));
        }
    }

    /// Removes the stored objects of a collection that match.
    pub(crate) fn remove_where(&mut self, collection: &str, is_it: impl Fn(&Entry) -> bool) {
        if let Some(stored) = self.collections.stored.get_mut(collection) {
            stored.retain(|entry| !is_it(entry));
        }
    }

    /// Removes all objects of a collection that are below these parents.
    pub fn clear(&mut self, collection: &str, parents: &[(&str, &str)]) {
        self.agents_changed();
        if let Some(stored) = self.collections.stored.get_mut(collection) {
            stored.retain(|entry| !entry.is_below(parents));
        }
        if Kind::of(collection).is_of_builds {
            let cleared = (collection.to_owned(), entry::owned(parents));
            self.collections.cleared.push(cleared);
        }
    }

    /// All objects of a collection as the API lists them now to a user who may see everything.
    /// Objects of builds come build by build, newest build first.
    #[must_use]
    pub fn objects(&self, collection: &str) -> Vec<StoredObject> {
        let kind = Kind::of(collection);
        let entries = self.entries(collection).into_iter();
        entries
            .filter(|entry| kind.lists(&entry.object))
            .map(|entry| StoredObject {
                json: self.shown(&kind.listed_json(&self.live(collection, &entry.object))),
                parents: entry.parents,
            })
            .collect()
    }

    /// An object of a collection with what follows from the rest of the world.
    pub(crate) fn live<'a>(&self, collection: &str, object: &'a Document) -> Cow<'a, Document> {
        if collection == "agents" {
            Cow::Owned(self.agent_with_job(object))
        } else {
            Cow::Borrowed(object)
        }
    }

    /// JSON as answers show it.
    fn shown(&self, json: &str) -> String {
        String::from_utf8_lossy(&self.with_origin(json.as_bytes())).into_owned()
    }

    /// The objects of a collection whose pipelines and builds still exist.
    fn entries(&self, collection: &str) -> Vec<Entry> {
        if Kind::of(collection).is_of_builds {
            let seen = self
                .builds
                .iter()
                .rev()
                .filter(|build| !self.pipelines[build.summary.pipeline].is_hidden);
            return seen
                .flat_map(|build| self.of_build(collection, build))
                .collect();
        }
        let is_there = |entry: &&Entry| {
            let parent = |key| entry.parent(key).unwrap_or_default();
            entry.parent("pipeline_slug").is_none()
                || self.has_visible_pipeline(parent("organization_slug"), parent("pipeline_slug"))
        };
        let stored = self.stored(collection).iter();
        stored.filter(is_there).cloned().collect()
    }

    /// The stored objects of a collection whose parents are all among these.
    pub(crate) fn at(&self, collection: &str, parents: &[(String, String)]) -> Vec<&Entry> {
        let stored = self.stored(collection).iter();
        stored
            .filter(|entry| is_below(parents, &entry.parents))
            .collect()
    }

    /// The stored objects of a collection that have all of these parents.
    pub(crate) fn stored_below(
        &self,
        collection: &str,
        parents: &[(String, String)],
    ) -> Vec<&Entry> {
        let stored = self.stored(collection).iter();
        stored
            .filter(|entry| is_below(&entry.parents, parents))
            .collect()
    }

    fn stored(&self, collection: &str) -> &[Entry] {
        let stored = self.collections.stored.get(collection);
        stored.map_or(&[], Vec::as_slice)
    }

    fn has_visible_pipeline(&self, organization: &str, slug: &str) -> bool {
        let owner = self.organization(organization);
        let at = owner.and_then(|owner| self.pipeline(owner, slug));
        at.is_some_and(|at| !self.pipelines[at].is_hidden)
    }
}

impl Collections {
    /// Moves the objects below a pipeline to its new slug and addresses, or removes them with it.
    /// Objects beside it, such as those of teams, follow to its new addresses.
    pub(super) fn follow_pipeline(
        &mut self,
        organization: &str,
        slug: &str,
        new: Option<(&str, &[(String, String); 2])>,
    ) {
        let parents = [("organization_slug", organization), ("pipeline_slug", slug)];
        for stored in self.stored.values_mut() {
            match new {
                None => stored.retain(|entry| !entry.is_below(&parents)),
                Some((slug, moves)) => {
                    for entry in stored.iter_mut() {
                        if entry.is_below(&parents) {
                            entry.set_parent("pipeline_slug", slug);
                        }
                        entry.move_addresses(moves);
                    }
                }
            }
        }
    }

    /// True if a derived object of a build was removed.
    fn is_gone(&self, collection: &str, entry: &Entry, kind: &Kind) -> bool {
        let is_removed = entry.identity(kind).is_some_and(|identity| {
            let removed = (collection.to_owned(), identity);
            self.removed.contains(&removed)
        });
        let mut cleared = self.cleared.iter();
        is_removed
            || cleared
                .any(|(name, parents)| name == collection && is_below(&entry.parents, parents))
    }
}
