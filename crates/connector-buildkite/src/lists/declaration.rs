//! A stream that is a list of the API, declared as data.

use connector_core::{Stream, SyncMode};
use schemars::JsonSchema;

/// How an endpoint gives its records (API facts 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An array, paged by number through the `Link` header.
    Pages,
    /// An object of `items` and `links`.
    Cursor,
    /// An array in one answer. A `Link` header that is there all the same is followed.
    Whole,
    /// One object, which is the record.
    Object,
}

/// Whose lists they are: one list for each parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The token's own: one list in all.
    Token,
    /// Each organization.
    Organization,
    /// Each pipeline.
    Pipeline,
    /// Each build that a pass over the builds reads.
    Build,
    /// Each script job of such a build.
    Job,
    /// Each record of another declared stream. Its fields become keys of the child:
    /// `(key, field)`.
    Of(&'static str, &'static [(&'static str, &'static str)]),
}

/// A list of the API as a stream.
///
/// `path` names the keys of its parents in braces: `organization_slug`, `pipeline_slug`,
/// `pipeline_id`, `build_id`, `build_number`, `job_id`, and what [`Parent::Of`] adds. Each record
/// carries all keys of its parents that it has no field for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListStream {
    pub(crate) stream: Stream,
    pub(crate) parent: Parent,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, &'static str)>,
    pub(crate) shape: Shape,
    /// The dated version of the answers, if there are several.
    pub(crate) version: Option<&'static str>,
    /// Where in an answer the records lie, if not where the shape says: a JSON pointer.
    pub(crate) records: Option<String>,
}

impl ListStream {
    /// A paged list with records of the type `T`, which have an `id`.
    pub(crate) fn new<T: JsonSchema>(
        name: &str,
        description: &str,
        parent: Parent,
        path: &str,
    ) -> Self {
        let sync_modes = match parent {
            Parent::Build | Parent::Job => vec![SyncMode::FullRefresh, SyncMode::Incremental],
            _ => vec![SyncMode::FullRefresh],
        };
        Self {
            stream: crate::streams::stream::<T>(name, description)
                .with_sync_modes(sync_modes)
                .with_default(false),
            parent,
            path: path.to_owned(),
            query: Vec::new(),
            shape: Shape::Pages,
            version: None,
            records: None,
        }
    }

    /// Sets how the answers look.
    pub(crate) fn shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Sets the dated version of the answers.
    pub(crate) fn version(self, version: &'static str) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    /// Sets the scope that reading takes.
    pub(crate) fn scope(mut self, scope: &str) -> Self {
        self.stream.scopes = vec![scope.to_owned()];
        self
    }

    /// Sets the fields that identify a record, those of parents included.
    pub(crate) fn key(mut self, key: &[&str]) -> Self {
        self.stream.primary_key = key.iter().map(|&field| field.to_owned()).collect();
        self
    }

    /// Adds a query pair to each request.
    pub(crate) fn query(mut self, key: &'static str, value: &'static str) -> Self {
        self.query.push((key, value));
        self
    }

    /// The same lists, each with the scopes that reading its parents takes, too.
    pub(crate) fn with_scopes_of_parents(streams: Vec<Self>) -> Vec<Self> {
        let known = streams.clone();
        let with_parents = |mut list: Self| {
            let mut parent = list.parent;
            loop {
                let scopes = match parent {
                    Parent::Pipeline => vec!["read_pipelines".to_owned()],
                    Parent::Build | Parent::Job => vec!["read_builds".to_owned()],
                    Parent::Of(name, _) => {
                        let Some(of) = known.iter().find(|one| one.name() == name) else {
                            break;
                        };
                        parent = of.parent;
                        list.add_scopes(of.stream.scopes.clone());
                        continue;
                    }
                    Parent::Token | Parent::Organization => Vec::new(),
                };
                list.add_scopes(scopes);
                break;
            }
            list
        };
        streams.into_iter().map(with_parents).collect()
    }

    fn add_scopes(&mut self, scopes: Vec<String>) {
        for scope in scopes {
            if !self.stream.scopes.contains(&scope) {
                self.stream.scopes.push(scope);
            }
        }
    }

    /// The name of the stream.
    pub(crate) fn name(&self) -> &str {
        self.stream.name.as_str()
    }
}
