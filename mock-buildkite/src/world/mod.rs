//! The data of the fake: organizations, pipelines, builds with their jobs, what hangs off them,
//! tokens.
//!
//! A [`World`] knows what is true, not how it is asked for: no HTTP here. Builds of a seed are
//! kept as a place in the seed until somebody changes them; all others as [`BuildDocument`]s.

mod address;
mod build;
mod change;
mod collection;
mod content;
mod facts;
mod feature;
mod life;
mod load;
mod look;
mod pipeline;
mod place;
mod right;
mod steps;
mod token;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::document::Document;
use crate::seed::{self, Seed, Seeded};
pub use build::BuildDocument;
pub(crate) use build::{Body, Build};
pub use change::CreatedBuild;
use collection::Collections;
pub use collection::StoredObject;
pub(crate) use collection::{Entry, Kind};
pub(crate) use facts::Facts;
use feature::Missing;
pub use load::{Ignored, LoadError};
pub(crate) use pipeline::Pipeline;
pub(crate) use right::merge_settings;
pub(crate) use steps::{Step, jobs_of, steps_of};
pub use token::{DEMO_TOKEN, Token, User};
pub(crate) use view::{View, is_known_job_state, job_matches};

/// Everything the fake knows. It changes only through its methods.
#[derive(Debug)]
pub struct World {
    pub(crate) organizations: Vec<Organization>,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Oldest first, by time of creation and then by number.
    pub(crate) builds: Vec<Build>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) paused_queues: HashSet<String>,
    collections: Collections,
    /// Contents of artifacts that were set, by id.
    contents: HashMap<String, Vec<u8>>,
    missing: Vec<Missing>,
    pub(crate) clock: Clock,
    seeded: Arc<Seeded>,
    ignored: Vec<Ignored>,
    made: u64,
    rules: life::Rules,
    courses: life::Courses,
    /// Slugs of organizations in which every pipeline needs a cluster.
    clustered: HashSet<String>,
}

/// An organization.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) slug: String,
    pub(crate) object: Document,
}

impl World {
    /// A world without any data, whose time starts at 2026-08-20 12:00 UTC.
    #[must_use]
    pub fn empty() -> Self {
        Self::seeded(&Seed {
            organizations: 0,
            pipelines: 0,
            builds: 0,
            ..Seed::default()
        })
    }

    /// A made-up world: the same seed makes the same world, byte for byte.
    ///
    /// It has one token, [`DEMO_TOKEN`], that may read and write everything.
    #[must_use]
    pub fn seeded(seed: &Seed) -> Self {
        let seeded = Arc::new(Seeded::new(seed));
        let organizations = seeded
            .organizations
            .iter()
            .map(|organization| Organization {
                slug: organization.slug.clone(),
                object: organization.object.clone(),
            })
            .collect();
        let pipelines = (0..seeded.pipelines.len())
            .map(|index| Pipeline::seeded(&seeded, index))
            .collect();
        let builds = (0..seeded.len())
            .map(|ordinal| Build::seeded(&seeded, ordinal))
            .collect();
        let mut world = Self {
            organizations,
            pipelines,
            builds,
            tokens: vec![Token::new(DEMO_TOKEN)],
            paused_queues: HashSet::new(),
            collections: Collections::default(),
            contents: HashMap::new(),
            missing: Vec::new(),
            clock: Clock::manual(seed.now),
            seeded,
            ignored: Vec::new(),
            made: 0,
            rules: life::Rules::default(),
            courses: life::Courses::default(),
            clustered: HashSet::new(),
        };
        // Equal times are ordered by number, as the API does.
        world.sort();
        let seeded = Arc::clone(&world.seeded);
        seed::fill(&mut world, &seeded);
        world
    }

    /// The time in this world.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The clock of this world, to move it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Slugs of all organizations.
    #[must_use]
    pub fn organization_slugs(&self) -> Vec<String> {
        self.organizations
            .iter()
            .map(|organization| organization.slug.clone())
            .collect()
    }

    /// Slugs of an organization's pipelines.
    #[must_use]
    pub fn pipeline_slugs(&self, organization: &str) -> Vec<String> {
        let Some(owner) = self.organization(organization) else {
            return Vec::new();
        };
        self.pipelines
            .iter()
            .filter(|pipeline| pipeline.organization == owner)
            .map(|pipeline| pipeline.slug.clone())
            .collect()
    }

    /// Ids of all builds, newest first.
    #[must_use]
    pub fn build_ids(&self) -> Vec<String> {
        let newest_first = self.builds.iter().rev();
        newest_first
            .map(|build| build.facts.id.to_string())
            .collect()
    }

    /// The whole build as the API would serve it now, with all jobs, retried ones included.
    #[must_use]
    pub fn build_json(&self, id: &str) -> Option<String> {
        let build = self.builds.iter().find(|build| &*build.facts.id == id)?;
        let mut out = Vec::new();
        self.write_build(&mut out, build, &View::whole());
        String::from_utf8(out).ok()
    }

    /// The whole of every build, newest first.
    #[must_use]
    pub fn builds_json(&self) -> Vec<String> {
        let ids = self.build_ids();
        ids.iter().filter_map(|id| self.build_json(id)).collect()
    }

    /// Files of a loaded folder, or parts of them, that hold nothing the fake serves.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Pauses a queue, given the `cluster_queue_id` of its jobs; `include_paused=false` hides those.
    pub fn pause_queue(&mut self, cluster_queue_id: &str) {
        self.paused_queues.insert(cluster_queue_id.to_owned());
    }

    /// Lets a token in, in the place of one with the same secret.
    pub fn add_token(&mut self, token: Token) {
        self.revoke(&token);
        self.tokens.push(token);
    }

    /// Takes a token out: its next request is answered with 401.
    pub fn revoke_token(&mut self, secret: &str) {
        self.tokens.retain(|token| !token.is(secret));
    }

    /// Takes this token out.
    pub(crate) fn revoke(&mut self, token: &Token) {
        let uuid = token.uuid();
        self.tokens.retain(|known| known.uuid() != uuid);
    }

    /// Changes a token, for example to take a scope from it.
    pub fn change_token(&mut self, secret: &str, change: impl FnOnce(Token) -> Token) {
        if let Some(at) = self.tokens.iter().position(|token| token.is(secret)) {
            let token = self.tokens.remove(at);
            self.tokens.insert(at, change(token));
        }
    }

    /// Adds an organization with nothing in it.
    pub fn add_organization(&mut self, slug: &str) {
        if self.organization(slug).is_none() {
            let object = pipeline::organization_object(slug, self.clock.now_millis());
            self.organizations.push(Organization {
                slug: slug.to_owned(),
                object,
            });
        }
    }

    /// Adds a pipeline without builds; its organization too, if it is new.
    pub fn add_pipeline(&mut self, organization: &str, slug: &str) {
        self.add_organization(organization);
        let owner = self.organization(organization).unwrap_or_default();
        if self.pipeline(owner, slug).is_none() {
            let object = pipeline::pipeline_object(organization, slug, self.clock.now_millis());
            self.pipelines.push(Pipeline::stored(owner, object));
        }
    }

    /// The index of an organization.
    pub(crate) fn organization(&self, slug: &str) -> Option<usize> {
        self.organizations.iter().position(|one| one.slug == slug)
    }

    /// The index of a pipeline.
    pub(crate) fn pipeline(&self, organization: usize, slug: &str) -> Option<usize> {
        let is_it = |one: &Pipeline| one.organization == organization && one.slug == slug;
        self.pipelines.iter().position(is_it)
    }

    /// The newest build with this number in a pipeline.
    pub(crate) fn build_by_number(&self, pipeline: usize, number: u64) -> Option<&Build> {
        let is_it = |one: &&Build| one.facts.pipeline == pipeline && one.facts.number == number;
        self.builds.iter().rev().find(is_it)
    }

    /// An id that no object of this world has yet, made now.
    pub(crate) fn new_id(&mut self) -> String {
        self.made += 1;
        let mut dice = crate::dice::Dice::of(&[self.seeded.seed, 20, self.made]);
        dice.uuid(self.clock.now_millis()).to_string()
    }

    fn sort(&mut self) {
        self.builds
            .sort_by_key(|build| (build.facts.created, build.facts.number));
    }
}
