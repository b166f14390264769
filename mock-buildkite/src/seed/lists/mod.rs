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
use super::text::{PUBLIC_API, PUBLIC_WEB};
use super::{Seeded, SeededPipeline};
use crate::dice::Dice;
use crate::time::millis_to_string;
use crate::world::World;

const DAY: i64 = 86_400_000;

/// Fills every collection of a new world.
pub(crate) fn fill(world: &mut World, seeded: &Seeded) {
    for (index, organization) in seeded.organizations.iter().enumerate() {
        let mut owner = Owner {
            dice: Dice::of(&[seeded.seed, 50, index as u64]),
            pipelines: seeded.pipelines_of(index),
            builds: seeded.builds_of(index),
            world,
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
}

/// An organization whose collections are filled.
struct Owner<'a> {
    world: &'a mut World,
    seed: u64,
    now: i64,
    organization: &'a SeededOrganization,
    pipelines: Vec<&'a SeededPipeline>,
    /// Ids of some of its builds, with branch and commit, oldest first.
    builds: Vec<(String, String, String)>,
    dice: Dice,
}

/// An object that was just made up: when, and under which id.
struct New {
    id: String,
    at: String,
    millis: i64,
}

impl Owner<'_> {
    /// Puts an object below the organization and further parents.
    fn put(&mut self, collection: &str, parents: &[(&str, &str)], object: Value) {
        let mut all = vec![("organization_slug", self.organization.slug.as_str())];
        all.extend(parents);
        self.world.put(collection, &all, object);
    }

    /// A new id, made so many days before now.
    fn new_id(&mut self, days: i64) -> New {
        let millis = self.now - days * DAY - self.dice.skewed(0, DAY / 2);
        New {
            id: self.dice.uuid(millis).to_string(),
            at: millis_to_string(millis),
            millis,
        }
    }

    /// `…/organizations/{slug}` on the API.
    fn url(&self) -> String {
        format!("{PUBLIC_API}/{}", self.organization.slug)
    }

    /// The same in the browser.
    fn web_url(&self) -> String {
        format!("{PUBLIC_WEB}/organizations/{}", self.organization.slug)
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
            "web_url": format!("{PUBLIC_WEB}/{}", self.organization.slug),
        })
    }
}
