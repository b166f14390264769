//! Lists of the token, of organizations and pipelines, and the lists below their records.
//!
//! A list that several streams need is read once: `clusters` for itself, its queues and its
//! secrets. A list that is refused does not stop the others.

use std::collections::HashSet;
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Client, Error as ClientError};
use connector_core::{Error, ErrorKind, Observer, Record, Result, Stream, StreamName};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::Keys;
use super::refusals::{Refusals, is_of_one_stream};
use crate::connection::forward;
use crate::error::in_stream;
use crate::source::scope::Scope;
use crate::streams::{ListStream, Parent};

/// A list that is read, and the lists below it.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) list: Arc<ListStream>,
    /// Whether its own records are wanted, or only those below it.
    is_wanted: bool,
    below: Vec<Arc<Tree>>,
    /// Only the parents of this shard are read, of so many.
    shard: (u32, u32),
}

impl Tree {
    /// The trees that hold the wanted streams, in the order of the declarations.
    pub(crate) fn all(declared: &[Arc<ListStream>], wanted: &[StreamName]) -> Vec<Self> {
        let is_root = |list: &&Arc<ListStream>| {
            matches!(
                list.parent,
                Parent::Token | Parent::Organization | Parent::Pipeline
            )
        };
        let roots = declared.iter().filter(is_root);
        roots
            .filter_map(|list| Self::new(list, declared, wanted))
            .collect()
    }

    fn new(
        list: &Arc<ListStream>,
        declared: &[Arc<ListStream>],
        wanted: &[StreamName],
    ) -> Option<Self> {
        let is_below = |one: &&Arc<ListStream>| matches!(one.parent, Parent::Of(name, _) if name == list.name());
        let below = declared.iter().filter(is_below);
        let below: Vec<_> = below
            .filter_map(|one| Self::new(one, declared, wanted).map(Arc::new))
            .collect();
        let is_wanted = wanted.contains(&list.stream.name);
        (is_wanted || !below.is_empty()).then(|| Self {
            list: Arc::clone(list),
            is_wanted,
            below,
            shard: (0, 1),
        })
    }

    /// The same tree, of which only one shard of several is read.
    pub(crate) fn with_shard(mut self, shard: u32, shards: u32) -> Self {
        self.shard = (shard, shards.max(1));
        self
    }

    /// Whether the lists of a parent are read.
    fn has_parent(&self, keys: &Keys) -> bool {
        let (shard, shards) = self.shard;
        keys.hash() % shards == shard
    }

    /// The tree's own stream, if it is wanted, and then those below it, each with the stream whose
    /// records are its parents.
    pub(crate) fn parents_of_streams(&self) -> Vec<(StreamName, Option<StreamName>)> {
        let own = (self.list.stream.name.clone(), None);
        let own = self.is_wanted.then_some(own).into_iter();
        let below = self.below.iter().flat_map(|tree| {
            let parent = &self.list.stream.name;
            let streams = tree.parents_of_streams().into_iter();
            streams.map(move |(stream, of)| (stream, of.or_else(|| Some(parent.clone()))))
        });
        own.chain(below).collect()
    }

    /// The wanted streams of the tree.
    pub(crate) fn streams(&self) -> Vec<StreamName> {
        let own = self.is_wanted.then(|| self.list.stream.name.clone());
        let below = self.below.iter().flat_map(|tree| tree.streams());
        own.into_iter().chain(below).collect()
    }
}

/// Reads trees of lists.
#[derive(Clone)]
pub(crate) struct TreeReader {
    pub(crate) client: Client,
    pub(crate) scope: Arc<Scope>,
    pub(crate) refusals: Refusals,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) max_concurrency: usize,
}

impl TreeReader {
    /// All records of a tree.
    pub(crate) fn read(self, tree: Tree) -> BoxStream<'static, Result<Record>> {
        let records = try_stream! {
            let mut parents = self.parents(&tree).await?;
            parents.retain(|keys| tree.has_parent(keys));
            let at_once = self.max_concurrency;
            let tree = Arc::new(tree);
            let mut lists = stream::iter(parents)
                .map(move |keys| self.clone().read_below(Arc::clone(&tree), keys))
                .flatten_unordered(at_once);
            while let Some(record) = lists.next().await {
                yield record?;
            }
        };
        records.boxed()
    }

    /// How many lists the root of a tree has: one for each of its parents.
    ///
    /// # Errors
    /// Those of a read.
    pub(crate) async fn count_lists(&self, tree: &Tree) -> Result<u64> {
        Ok(self.parents(tree).await?.len() as u64)
    }

    /// The keys of each parent of a root.
    async fn parents(&self, tree: &Tree) -> Result<Vec<Keys>> {
        let stream = &tree.list.stream.name;
        if tree.list.parent == Parent::Token {
            return Ok(vec![Keys::default()]);
        }
        let in_stream = |error: Error| error.with_context("stream", stream);
        let organizations = self.scope.organizations(&self.client).await;
        let organizations = organizations.map_err(in_stream)?;
        if tree.list.parent == Parent::Organization {
            let keys = organizations.iter().map(|slug| Keys::organization(slug));
            return Ok(keys.collect());
        }
        let mut parents = Vec::new();
        for organization in organizations {
            let pipelines = match self.scope.pipelines(&self.client, &organization).await {
                Ok(pipelines) => pipelines,
                Err(error) if is_of_one_stream(&error) => {
                    self.refuse(tree, &error);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.scope.unknown(&self.client, &organization).await;
                    continue;
                }
                Err(error) => return Err(in_stream(error)),
            };
            parents.extend(pipelines.into_iter().map(|pipeline| {
                Keys::organization(&organization)
                    .with("pipeline_slug", &pipeline.slug)
                    .with("pipeline_id", &pipeline.id)
            }));
        }
        Ok(parents)
    }

    /// The records of one parent, and those below them.
    fn read_below(self, tree: Arc<Tree>, keys: Keys) -> BoxStream<'static, Result<Record>> {
        let records = try_stream! {
            let stream = &tree.list.stream.name;
            let client = (self.client).with_observer(forward(&self.observer, Some(stream)));
            let mut items = Arc::clone(&tree.list).read(&client, &keys, usize::MAX);
            let mut seen = HashSet::new();
            while let Some(item) = items.next().await {
                let (raw, record) = match item {
                    Ok(item) => item,
                    Err(error) => {
                        self.stop_or_refuse(&tree, &keys, error).await?;
                        break;
                    }
                };
                let record = Record::new(stream.clone(), record);
                // Pages shift while objects come and go.
                let has_key = !tree.list.stream.primary_key.is_empty();
                if has_key && !seen.insert(identity(&tree.list, &record)) {
                    continue;
                }
                if tree.is_wanted {
                    yield record;
                }
                for child in &tree.below {
                    if self.refusals.has(&child.list.stream.name) {
                        continue;
                    }
                    let keys = child_keys(&child.list, &keys, &raw)?;
                    let mut records = self.clone().read_below(Arc::clone(child), keys);
                    while let Some(record) = records.next().await {
                        yield record?;
                    }
                }
            }
        };
        records.boxed()
    }

    /// A list failed: an error if that stops the read.
    async fn stop_or_refuse(&self, tree: &Tree, keys: &Keys, error: ClientError) -> Result<()> {
        let is_missing = matches!(error, ClientError::NotFound { .. });
        let is_unknown_organization = matches!(
            &error, ClientError::NotFound { message, .. } if message.contains("organization")
        );
        if is_unknown_organization {
            let slugs = keys.fill("{organization_slug}").unwrap_or_default();
            for slug in slugs {
                self.scope.unknown(&self.client, &slug).await;
            }
            return Ok(());
        }
        let is_of_organization = tree.list.parent == Parent::Organization;
        let error = in_stream(&tree.list.stream.name)(error);
        if is_missing && is_of_organization {
            let message = format!("{}; the feature is not enabled", error.message());
            self.refuse(tree, &Error::new(ErrorKind::Permission, message));
            return Ok(());
        }
        // The parent was removed meanwhile, or has no such feature.
        if is_missing && !is_of_organization {
            return Ok(());
        }
        if !is_of_one_stream(&error) {
            return Err(error);
        }
        self.refuse(tree, &error);
        Ok(())
    }

    /// What is below a refused list cannot be read either.
    fn refuse(&self, tree: &Tree, error: &Error) {
        if tree.is_wanted {
            let Stream { name, scopes, .. } = &tree.list.stream;
            self.refusals.note(name, scopes, error, &*self.observer);
        }
        tree.below
            .iter()
            .for_each(|child| self.refuse(child, error));
    }
}

/// The texts of the fields that identify a record.
fn identity(list: &ListStream, record: &Record) -> Vec<String> {
    let fields = record.data.fields().unwrap_or_default();
    let value = |key: &String| {
        let mut fields = fields.iter();
        let field = fields.find(|(name, _)| name == key);
        field.map_or_else(String::new, |(_, value)| value.get().to_owned())
    };
    list.stream.primary_key.iter().map(value).collect()
}

/// The keys of a record, for a list below it.
fn child_keys(child: &ListStream, keys: &Keys, raw: &RawValue) -> Result<Keys> {
    let Parent::Of(_, fields) = child.parent else {
        return Ok(keys.clone());
    };
    let lacks = |field: &str| {
        let message = format!("a parent of its lists has no text `{field}`");
        Error::new(ErrorKind::Protocol, message).with_context("stream", &child.stream.name)
    };
    let object = serde_json::Value::deserialize(raw).map_err(|_| lacks("at all"))?;
    let mut keys = keys.clone();
    for &(key, field) in fields {
        let value = object.get(field).and_then(|value| value.as_str());
        keys = keys.with(key, value.ok_or_else(|| lacks(field))?);
    }
    Ok(keys)
}
