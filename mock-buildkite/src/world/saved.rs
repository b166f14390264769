//! A world as JSON: saved, and loaded again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::collection::Entry;
use super::{Build, Organization, Pipeline, Token, World};
use crate::clock::Clock;
use crate::document::{BuildDocument, Document};
use crate::seed::{Seed, Seeded};
use crate::time::{millis_to_string, parse_millis, to_chrono};

/// The version of the format.
const VERSION: u32 = 1;

/// A saved world.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    /// What logs, artifacts and annotations of seeded builds follow from.
    seed: u64,
    now: String,
    organizations: Vec<Document>,
    pipelines: Vec<SavedPipeline>,
    builds: Vec<SavedBuild>,
    objects: Vec<SavedObject>,
    tokens: Vec<SavedToken>,
}

#[derive(Serialize, Deserialize)]
struct SavedPipeline {
    organization: usize,
    is_hidden: bool,
    last_number: u64,
    object: Document,
}

#[derive(Serialize, Deserialize)]
struct SavedBuild {
    pipeline: usize,
    is_seeded: bool,
    has_logs: bool,
    /// Its pipeline and agents are those of the world.
    is_live: bool,
    object: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct SavedObject {
    collection: String,
    parents: Vec<(String, String)>,
    object: Document,
}

#[derive(Serialize, Deserialize)]
struct SavedToken {
    secret: String,
    user: String,
    scopes: Vec<String>,
    organizations: Option<Vec<String>>,
    expires_at: Option<String>,
}

/// A text is no saved world.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is not JSON of the right shape.
    #[error("not a saved world: {0}")]
    Shape(#[from] serde_json::Error),
    /// It has another version.
    #[error("a saved world of version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// A pipeline or build belongs to nothing.
    #[error("a saved world in which an index leads nowhere")]
    Index,
}

impl World {
    /// The world as JSON, for [`restore`](Self::restore). Contents of artifacts that a test has set,
    /// builds that run by themselves, and public-key tokens are left out.
    #[must_use]
    pub fn save(&self) -> String {
        let organizations = self.organizations.iter().map(|one| one.object.clone());
        let pipelines = self.pipelines.iter().enumerate();
        let saved = Saved {
            version: VERSION,
            seed: self.seeded.seed,
            now: millis_to_string(self.clock.now_millis()),
            organizations: organizations.collect(),
            pipelines: pipelines
                .map(|(at, one)| SavedPipeline {
                    organization: one.organization,
                    is_hidden: one.is_hidden,
                    last_number: one.last_number,
                    object: self.pipeline_object(at),
                })
                .collect(),
            builds: self
                .builds
                .iter()
                .map(|build| self.saved_build(build))
                .collect(),
            objects: self.saved_objects(),
            tokens: self.tokens.iter().filter_map(saved_token).collect(),
        };
        serde_json::to_string(&saved).expect("a world is JSON")
    }

    fn saved_build(&self, build: &Build) -> SavedBuild {
        let document = self.document(build);
        let is_live = document.has_live_pipeline;
        let text = document.to_json();
        SavedBuild {
            pipeline: build.summary.pipeline,
            is_seeded: build.origin.is_some(),
            has_logs: build.has_logs,
            is_live,
            object: RawValue::from_string(text).expect("a build is JSON"),
        }
    }

    fn saved_objects(&self) -> Vec<SavedObject> {
        let mut entries: Vec<_> = self.all_entries().collect();
        entries.sort_by_key(|(collection, _)| *collection);
        entries
            .into_iter()
            .map(|(collection, entry)| SavedObject {
                collection: collection.to_owned(),
                parents: entry.parents.clone(),
                object: entry.object.clone(),
            })
            .collect()
    }

    /// A world that was saved.
    ///
    /// # Errors
    /// If the text is no saved world of this version.
    pub fn restore(json: &str) -> Result<Self, RestoreError> {
        let saved: Saved = serde_json::from_str(json)?;
        if saved.version != VERSION {
            return Err(RestoreError::Version(saved.version));
        }
        let mut world = Self::empty();
        world.seeded = Arc::new(Seeded::new(&Seed {
            seed: saved.seed,
            organizations: 0,
            pipelines: 0,
            builds: 0,
            ..Seed::default()
        }));
        world.clock = Clock::manual(to_chrono(parse_millis(&saved.now).unwrap_or(0)));
        for object in saved.organizations {
            let slug = object.text("slug").unwrap_or_default();
            world.organizations.push(Organization { slug, object });
        }
        for pipeline in saved.pipelines {
            world.restore_pipeline(pipeline)?;
        }
        for build in saved.builds {
            world.restore_build(build)?;
        }
        world.sort();
        for object in saved.objects {
            let entry = Entry {
                parents: object.parents,
                object: object.object,
            };
            world.replace_entry(&object.collection, entry);
        }
        world.tokens = saved.tokens.into_iter().map(token).collect();
        Ok(world)
    }

    fn restore_pipeline(&mut self, saved: SavedPipeline) -> Result<(), RestoreError> {
        if saved.organization >= self.organizations.len() {
            return Err(RestoreError::Index);
        }
        let mut pipeline = Pipeline::stored(saved.organization, saved.object);
        pipeline.is_hidden = saved.is_hidden;
        pipeline.last_number = saved.last_number;
        self.pipelines.push(pipeline);
        Ok(())
    }

    fn restore_build(&mut self, saved: SavedBuild) -> Result<(), RestoreError> {
        if saved.pipeline >= self.pipelines.len() {
            return Err(RestoreError::Index);
        }
        let mut document = BuildDocument::parse(saved.object.get())?;
        if saved.is_live {
            document = document.with_live_pipeline();
        }
        let mut build = Build::stored(document, saved.pipeline);
        build.origin = saved.is_seeded.then_some(usize::MAX);
        build.has_logs = saved.has_logs;
        self.builds.push(build);
        Ok(())
    }
}

fn saved_token(token: &Token) -> Option<SavedToken> {
    Some(SavedToken {
        secret: token.secret()?.to_owned(),
        user: token.user.name.clone(),
        scopes: token.scopes.clone(),
        organizations: token.organizations_of().cloned(),
        expires_at: token
            .expires_at
            .map(|time| millis_to_string(time.timestamp_millis())),
    })
}

fn token(saved: SavedToken) -> Token {
    let mut token = Token::new(&saved.secret)
        .scopes(saved.scopes)
        .user(&saved.user);
    if let Some(organizations) = saved.organizations {
        token = token.organizations(organizations);
    }
    let end = saved.expires_at.and_then(|text| parse_millis(&text));
    match end {
        Some(end) => token.expires_at(to_chrono(end)),
        None => token,
    }
}
