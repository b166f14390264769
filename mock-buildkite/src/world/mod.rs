//! The data of the fake: organizations, pipelines, builds with their jobs, everything below them,
//! and tokens.
//!
//! A [`World`] knows the data and nothing of HTTP. A seeded build is a slot of the seed until it
//! changes; every other build is a [`BuildDocument`](crate::BuildDocument).

mod agents;
mod artifact_content;
mod build;
mod change;
mod collection;
mod derived;
mod events;
mod feature;
mod inspect;
mod lifecycle;
mod links;
mod load;
mod pipeline;
mod pipeline_edits;
mod pipeline_settings;
mod saved;
mod signed_token;
mod summary;
mod token;
mod user;
mod view;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{self, API};
use crate::clock::Clock;
use crate::document::Document;
use crate::seed::{Seed, Seeded, listed_objects};
use agents::AgentCache;
pub(crate) use build::{Body, Build};
pub use change::CreatedBuild;
use collection::Collections;
pub use collection::StoredObject;
pub(crate) use collection::{Entry, Kind};
use derived::Builds;
pub(crate) use events::{Event, Subject};
use feature::Missing;
pub use lifecycle::{JobOutcome, JobRule};
pub use load::{Ignored, LoadError};
pub(crate) use pipeline::Pipeline;
pub(crate) use pipeline_settings::{merge_settings, provider_of};
pub use saved::RestoreError;
pub use token::{DEMO_TOKEN, Token};
pub use user::User;
pub(crate) use view::{View, is_known_job_state, job_matches};

/// All data of the fake. It changes only through its methods.
#[derive(Debug)]
pub struct World {
    pub(crate) organizations: Vec<Organization>,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Oldest first, by time of creation and then by number.
    pub(crate) builds: Builds,
    pub(crate) tokens: Vec<Token>,
    pub(crate) paused_queues: HashSet<String>,
    collections: Collections,
    agent_cache: AgentCache,
    /// Contents of artifacts that a test has set, by id, and of uploads, by key.
    contents: HashMap<String, Vec<u8>>,
    missing: Vec<Missing>,
    pub(crate) clock: Clock,
    seeded: Arc<Seeded>,
    ignored: Vec<Ignored>,
    /// Where the API is, in the addresses of answers.
    origin: String,
    made: u64,
    rules: lifecycle::Rules,
    autoplay: lifecycle::Autoplay,
    /// What the objects of builds created over the API do not show, by id.
    scripts: HashMap<String, lifecycle::Script>,
    job_rules: Vec<JobRule>,
    /// None while nobody wants events.
    events: Option<Vec<Event>>,
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

    /// A made-up world. The same seed gives the same world, byte for byte.
    ///
    /// It has one token, [`DEMO_TOKEN`], which may read and write everything.
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
        let pipelines = seeded.pipelines.iter().map(Pipeline::seeded).collect();
        let builds = (0..seeded.len())
            .map(|ordinal| Build::seeded(&seeded, ordinal))
            .collect();
        let builds = Builds::new(builds);
        let mut world = Self {
            organizations,
            pipelines,
            builds,
            tokens: vec![Token::new(DEMO_TOKEN)],
            paused_queues: HashSet::new(),
            collections: Collections::default(),
            agent_cache: AgentCache::default(),
            contents: HashMap::new(),
            missing: Vec::new(),
            clock: Clock::manual(seed.now),
            seeded,
            ignored: Vec::new(),
            origin: API.to_owned(),
            made: 0,
            rules: lifecycle::Rules::default(),
            autoplay: lifecycle::Autoplay::default(),
            scripts: HashMap::new(),
            job_rules: Vec::new(),
            events: None,
            clustered: HashSet::new(),
        };
        // Equal times are ordered by number, as the API does.
        world.sort();
        for object in listed_objects(&world.seeded) {
            world.put_listed(object);
        }
        world.add_demo_member();
        world
    }

    /// The time in this world.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The clock of this world.
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
            .map(|build| build.summary.id.to_string())
            .collect()
    }

    /// The whole build as the API would serve it now, with all jobs, retried ones included.
    #[must_use]
    pub fn build_json(&self, id: &str) -> Option<String> {
        let build = self.builds.iter().find(|build| &*build.summary.id == id)?;
        let mut out = Vec::new();
        self.write_build(&mut out, build, &View::whole());
        String::from_utf8(self.with_origin(&out).into_owned()).ok()
    }

    /// The whole of every build, newest first.
    #[must_use]
    pub fn builds_json(&self) -> Vec<String> {
        let ids = self.build_ids();
        ids.iter().filter_map(|id| self.build_json(id)).collect()
    }

    /// Sets the origin of the API in the addresses of answers: `http://127.0.0.1:8080`. A server
    /// sets its own.
    pub(crate) fn set_origin(&mut self, origin: &str) {
        origin.clone_into(&mut self.origin);
    }

    /// Compact JSON with the addresses that answers show.
    pub(crate) fn with_origin<'a>(&self, json: &'a [u8]) -> Cow<'a, [u8]> {
        address::with_origin(json, &self.origin)
    }

    /// Files of a loaded folder, or parts of them, that the fake does not serve.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Pauses a queue, given the `cluster_queue_id` of its jobs. `include_paused=false` hides them.
    pub fn pause_queue(&mut self, cluster_queue_id: &str) {
        self.paused_queues.insert(cluster_queue_id.to_owned());
    }

    /// Resumes a paused queue.
    pub(crate) fn resume_queue(&mut self, cluster_queue_id: &str) {
        self.paused_queues.remove(cluster_queue_id);
        self.wake_waiting();
    }

    /// Adds a token, or replaces the one with the same secret.
    pub fn add_token(&mut self, token: Token) {
        self.revoke(&token);
        self.tokens.push(token);
    }

    /// Revokes a token: its next request gets 401.
    pub fn revoke_token(&mut self, secret: &str) {
        self.tokens.retain(|token| !token.is(secret));
    }

    /// Revokes this token.
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

    /// Whether a token sees an organization.
    #[must_use]
    pub fn token_sees(&self, secret: &str, organization: &str) -> bool {
        let token = self.tokens.iter().find(|token| token.is(secret));
        token.is_some_and(|token| token.sees_organization(organization))
    }

    /// Adds an empty organization.
    pub fn add_organization(&mut self, slug: &str) {
        if self.organization(slug).is_none() {
            let object = pipeline::organization_object(slug, self.clock.now_millis());
            self.organizations.push(Organization {
                slug: slug.to_owned(),
                object,
            });
        }
    }

    /// Adds a pipeline without builds, and its organization if it does not exist.
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
        let is_it = |one: &&Build| one.summary.pipeline == pipeline && one.summary.number == number;
        self.builds.iter().rev().find(is_it)
    }

    /// A new id, unique in this world.
    pub(crate) fn new_id(&mut self) -> String {
        self.made += 1;
        let mut rng = crate::rng::Rng::of(&[self.seeded.seed, 20, self.made]);
        rng.uuid(self.clock.now_millis()).to_string()
    }

    fn sort(&mut self) {
        self.builds
            .sort_by_key(|build| (build.summary.created, build.summary.number));
    }
}
