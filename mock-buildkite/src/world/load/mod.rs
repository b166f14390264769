//! Recorded answers as a world.
//!
//! The contents of each file are recognized by their shape: organizations, pipelines, builds, and
//! the objects of other lists, one or many. Of several snapshots of a build the latest counts:
//!
//! 1. of two files whose names differ only in the number after `poll`, the higher number;
//! 2. otherwise the snapshot with the latest time in the build or its jobs;
//! 3. otherwise the snapshot with more jobs, then the later file name.

mod lists;
mod snapshot;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::{Organization, Pipeline, World};
use crate::clock::Clock;
use crate::document::BuildDocument;
use crate::document::Document;
use crate::time::to_chrono;
use lists::Listed;
use snapshot::{Snapshot, latest_time};

/// A file, or a part of one, that was not used.
#[derive(Debug, Clone)]
pub struct Ignored {
    /// Name of the file.
    pub file: String,
    /// Why it was not used.
    pub reason: String,
}

/// A folder that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder or a file in it could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A `.json` file does not hold JSON.
    #[error("{} is not JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why parsing failed.
        source: serde_json::Error,
    },
    /// No file holds an organization, a pipeline or a build.
    #[error("{} holds no organizations, pipelines or builds", .0.display())]
    Empty(PathBuf),
}

impl World {
    /// Serves recorded answers as a world: every `.json` file of a folder.
    ///
    /// Values are served as they were recorded. An organization or pipeline known only from builds
    /// is derived from them. [`World::ignored`] lists the files that were not used. The clock
    /// stands one minute after the latest recorded time.
    ///
    /// # Errors
    /// If the folder cannot be read, a file is not JSON, or nothing in it can be served.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self, LoadError> {
        let mut loader = Loader::default();
        for path in json_files(folder.as_ref())? {
            let text = fs::read_to_string(&path).map_err(|source| LoadError::Read {
                path: path.clone(),
                source,
            })?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            loader
                .file(&name, &text)
                .map_err(|source| LoadError::Json { path, source })?;
        }
        let world = loader.into_world();
        if world.organizations.is_empty() {
            Err(LoadError::Empty(folder.as_ref().to_owned()))
        } else {
            Ok(world)
        }
    }
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |source| LoadError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "json") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[derive(Default)]
struct Loader {
    /// By slug, in the order they were first seen.
    organizations: Vec<(String, Document)>,
    /// By organization and slug.
    pipelines: Vec<((String, String), Document)>,
    builds: HashMap<String, Snapshot>,
    listed: Vec<Listed>,
    ignored: Vec<Ignored>,
}

/// What an object is, by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Organization,
    Pipeline,
    Build,
    Other,
}

impl Shape {
    fn of(object: &Document) -> Self {
        let has = |keys: &[&str]| keys.iter().all(|key| object.raw(key).is_some());
        let is_at = |path: &str| object.text("url").is_some_and(|url| url.contains(path));
        if has(&["id", "number", "state", "jobs", "pipeline"]) && is_at("/builds/") {
            Self::Build
        } else if has(&["id", "slug", "repository", "builds_url"]) && is_at("/pipelines/") {
            Self::Pipeline
        } else if has(&["id", "slug", "agents_url"]) && is_at("/organizations/") {
            Self::Organization
        } else {
            Self::Other
        }
    }
}

impl Loader {
    fn file(&mut self, name: &str, text: &str) -> Result<(), serde_json::Error> {
        let objects: Vec<&RawValue> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text)?
        } else {
            vec![serde_json::from_str(text)?]
        };
        let mut unused = 0;
        for raw in &objects {
            if !self.object(name, raw.get()) {
                unused += 1;
            }
        }
        if unused > 0 {
            let reason = match (unused, objects.len()) {
                (1, 1) => "no organization, pipeline or build".to_owned(),
                (unused, all) => {
                    format!("{unused} of {all} entries: no organizations, pipelines or builds")
                }
            };
            self.ignored.push(Ignored {
                file: name.to_owned(),
                reason,
            });
        }
        Ok(())
    }

    /// Takes one object; false if the fake does not serve such objects.
    fn object(&mut self, file: &str, text: &str) -> bool {
        let Ok(object) = Document::parse(text) else {
            return false;
        };
        if Shape::of(&object) == Shape::Other {
            let listed = Listed::of(object);
            let is_listed = listed.is_some();
            self.listed.extend(listed);
            return is_listed;
        }
        let Some(place) = object.text("url").as_deref().and_then(ResourcePath::of_url) else {
            return false;
        };
        match Shape::of(&object) {
            Shape::Organization => self.organization(place.organization, object),
            Shape::Pipeline => self.pipeline(place.key(), object),
            Shape::Build => return self.build(file, text),
            Shape::Other => return false,
        }
        true
    }

    fn organization(&mut self, slug: String, object: Document) {
        if !self.organizations.iter().any(|(known, _)| *known == slug) {
            self.organizations.push((slug, object));
        }
    }

    /// The first object of a pipeline counts: a list shows more fields than a build.
    fn pipeline(&mut self, key: (String, String), object: Document) {
        if !self.pipelines.iter().any(|(known, _)| *known == key) {
            self.pipelines.push((key, object));
        }
    }

    fn build(&mut self, file: &str, text: &str) -> bool {
        let Ok(build) = BuildDocument::parse(text) else {
            return false;
        };
        let snapshot = Snapshot {
            latest: latest_time(&build),
            file: file.to_owned(),
            build,
        };
        let id = snapshot.build.fields().text("id").unwrap_or_default();
        let is_newer = |known: &Snapshot| snapshot.is_later_than(known);
        if self.builds.get(&id).is_none_or(is_newer) {
            self.builds.insert(id, snapshot);
        }
        true
    }

    fn into_world(mut self) -> World {
        let mut builds: Vec<_> = std::mem::take(&mut self.builds).into_values().collect();
        builds.sort_by(|a, b| (&a.file, a.latest).cmp(&(&b.file, b.latest)));
        for snapshot in &builds {
            self.learn_place(&snapshot.build);
        }
        let of_pipelines = self.pipelines.iter().map(|(key, _)| key.0.clone());
        let of_lists = self.listed.iter().filter_map(Listed::organization);
        for slug in of_pipelines.chain(of_lists).collect::<Vec<_>>() {
            let object = super::pipeline::organization_object(&slug, 0);
            self.organization(slug, object);
        }
        let mut world = World::empty();
        let last = builds
            .iter()
            .map(|snapshot| snapshot.latest)
            .max()
            .unwrap_or(0);
        world.clock = Clock::manual(to_chrono(last + 60_000));
        world.ignored = self.ignored;
        for (slug, object) in self.organizations {
            world.organizations.push(Organization { slug, object });
        }
        for ((organization, _), object) in self.pipelines {
            let owner = world.organization(&organization).unwrap_or_default();
            world.pipelines.push(Pipeline::recorded(owner, object));
        }
        for Snapshot { build, .. } in builds {
            if let Some(pipeline) = pipeline_of(&world, &build) {
                world.insert_recorded(build, pipeline);
            }
        }
        world.sort();
        for listed in self.listed {
            listed.put(&mut world);
        }
        world
    }

    /// Learns the pipeline of a build from the object inside the build.
    fn learn_place(&mut self, build: &BuildDocument) {
        let Some(place) = place_of(build) else {
            return;
        };
        let key = place.key();
        let embedded = build.fields().raw("pipeline").map(Document::parse);
        let object = match embedded {
            Some(Ok(object)) if object.raw("slug").is_some() => object,
            _ => super::pipeline::pipeline_object(&key.0, &key.1, 0),
        };
        self.pipeline(key, object);
    }
}

/// Where an object lives, read from its address.
struct ResourcePath {
    organization: String,
    pipeline: Option<String>,
}

impl ResourcePath {
    fn of_url(url: &str) -> Option<Self> {
        let (_, path) = url.split_once("/organizations/")?;
        let mut parts = path.split('/');
        let organization = parts.next().filter(|slug| !slug.is_empty())?.to_owned();
        let pipeline = match parts.next() {
            Some("pipelines") => parts.next().map(str::to_owned),
            _ => None,
        };
        Some(Self {
            organization,
            pipeline,
        })
    }

    fn key(self) -> (String, String) {
        (self.organization, self.pipeline.unwrap_or_default())
    }
}

fn place_of(build: &BuildDocument) -> Option<ResourcePath> {
    ResourcePath::of_url(&build.fields().text("url")?)
}

fn pipeline_of(world: &World, build: &BuildDocument) -> Option<usize> {
    let (organization, slug) = place_of(build)?.key();
    world.pipeline(world.organization(&organization)?, &slug)
}
