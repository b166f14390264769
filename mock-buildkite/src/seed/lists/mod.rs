//! What organizations and pipelines of a seed have besides builds: a few objects of every list.

mod agents;
mod clusters;
mod emojis;
mod organization;
mod people;
mod pipelines;
mod registries;
mod teams;
mod test_engine;

use serde_json::{Value, json};

pub(super) use test_engine::{SUITES, TestObject};

use super::organization::SeededOrganization;
use super::{Seeded, SeededPipeline};
use crate::address::{ORGANIZATIONS, WEB};
use crate::rng::Rng;
use crate::time::millis_to_string;

const DAY: i64 = 86_400_000;

/// An object of a list.
#[derive(Debug)]
pub(crate) struct ListedObject {
    pub(crate) collection: &'static str,
    /// Keys and values of its parents.
    pub(crate) parents: Vec<(&'static str, String)>,
    pub(crate) object: Value,
}

/// The objects of all lists of a new world.
pub(crate) fn listed_objects(seeded: &Seeded) -> Vec<ListedObject> {
    let mut objects = Vec::new();
    for (index, organization) in seeded.organizations.iter().enumerate() {
        let mut owner = Owner {
            rng: Rng::of(&[seeded.seed, 50, index as u64]),
            pipelines: seeded.pipelines_of(index),
            builds: seeded.builds_of(index),
            objects: &mut objects,
            seed: seeded.seed,
            now: seeded.now,
            organization,
        };
        people::fill(&mut owner);
        organization::fill(&mut owner);
        clusters::fill(&mut owner);
        agents::fill(&mut owner);
        pipelines::fill(&mut owner);
        test_engine::fill(&mut owner);
        teams::fill(&mut owner);
        registries::fill(&mut owner);
        emojis::fill(&mut owner);
    }
    objects
}

/// An organization whose collections are filled.
struct Owner<'a> {
    objects: &'a mut Vec<ListedObject>,
    seed: u64,
    now: i64,
    organization: &'a SeededOrganization,
    pipelines: Vec<&'a SeededPipeline>,
    /// Ids of some of its builds, with branch and commit, oldest first.
    builds: Vec<(String, String, String)>,
    rng: Rng,
}

/// An object that was just made up: when, and under which id.
struct New {
    id: String,
    at: String,
    millis: i64,
}

impl Owner<'_> {
    /// Puts an object below the organization and further parents.
    fn put(&mut self, collection: &'static str, parents: &[(&'static str, &str)], object: Value) {
        let mut all = vec![("organization_slug", self.organization.slug.clone())];
        all.extend(
            parents
                .iter()
                .map(|(key, value)| (*key, (*value).to_owned())),
        );
        self.objects.push(ListedObject {
            collection,
            parents: all,
            object,
        });
    }

    /// A new id, made so many days before now.
    fn new_id(&mut self, days: i64) -> New {
        let millis = self.now - days * DAY - self.rng.skewed(0, DAY / 2);
        New {
            id: self.rng.uuid(millis).to_string(),
            at: millis_to_string(millis),
            millis,
        }
    }

    /// The time this many seconds before now.
    fn before(&self, seconds: i64) -> String {
        millis_to_string(self.now - seconds * 1000)
    }

    /// `…/organizations/{slug}` on the API.
    fn url(&self) -> String {
        format!("{ORGANIZATIONS}/{}", self.organization.slug)
    }

    /// The same in the browser.
    fn web_url(&self) -> String {
        format!("{WEB}/organizations/{}", self.organization.slug)
    }

    /// The id of the organization.
    fn id(&self) -> String {
        self.organization.object.text("id").unwrap_or_default()
    }

    /// A person, whole.
    fn user(&self, at: usize) -> Value {
        let people = &self.organization.people;
        serde_json::from_str(&people[at % people.len()].object).unwrap_or_default()
    }

    /// A person by some of the fields.
    fn user_with(&self, at: usize, keys: &[&str]) -> Value {
        let user = self.user(at);
        let fields = keys
            .iter()
            .map(|key| ((*key).to_owned(), user[*key].clone()));
        Value::Object(fields.collect())
    }

    /// The organization as objects embed it.
    fn embedded(&self) -> Value {
        json!({
            "id": self.id(),
            "slug": self.organization.slug,
            "url": self.url(),
            "web_url": format!("{WEB}/{}", self.organization.slug),
        })
    }
}
