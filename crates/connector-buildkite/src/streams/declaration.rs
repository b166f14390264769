//! A stream that is a list of the API, declared as data.

use connector_core::Stream;
use schemars::JsonSchema;

use super::schema::{incremental, stream as stream_of};

/// How an endpoint returns its records (API facts 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An array, paged by number through the `Link` header.
    Pages,
    /// An object of `items` and `links`.
    Cursor,
    /// An array in one answer. If there is a `Link` header all the same, it is followed.
    Whole,
    /// One object, which is the record.
    Object,
}

/// Whose lists they are: one list for each parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The token itself: one list in all.
    Token,
    /// Each organization.
    Organization,
    /// Each pipeline.
    Pipeline,
    /// Each build that the sweep over the builds reads.
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
/// carries those keys of its parents for which it has no field of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListStream {
    pub(crate) stream: Stream,
    pub(crate) parent: Parent,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, &'static str)>,
    pub(crate) shape: Shape,
    /// The dated version of the answers to ask for, if there are several.
    pub(crate) version: Option<&'static str>,
    /// Where the records are in an answer, if not where the shape says: a JSON pointer.
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
        let stream = stream_of::<T>(name, description).with_default(false);
        let is_below_builds = matches!(parent, Parent::Build | Parent::Job);
        Self {
            stream: if is_below_builds {
                incremental(stream)
            } else {
                stream
            },
            parent,
            path: path.to_owned(),
            query: Vec::new(),
            shape: Shape::Pages,
            version: None,
            records: None,
        }
    }

    /// Sets the shape of the answers.
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

    /// The same lists, each also with the scopes that reading its parents takes.
    pub(crate) fn with_scopes_of_parents(streams: Vec<Self>) -> Vec<Self> {
        let known = streams.clone();
        let with_parents = |mut list: Self| {
            list.add_scopes(scopes_of(list.parent, &known));
            list
        };
        streams.into_iter().map(with_parents).collect()
    }

    /// Whether its lists belong to builds or jobs: the sweep over the builds reads them.
    pub(crate) fn is_below_builds(&self) -> bool {
        matches!(self.parent, Parent::Build | Parent::Job)
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

/// The scopes that reading these parents takes.
fn scopes_of(parent: Parent, known: &[ListStream]) -> Vec<String> {
    match parent {
        Parent::Token | Parent::Organization => Vec::new(),
        Parent::Pipeline => vec!["read_pipelines".to_owned()],
        Parent::Build | Parent::Job => vec!["read_builds".to_owned()],
        Parent::Of(name, _) => {
            let of = known.iter().find(|list| list.name() == name);
            let scopes = |list: &ListStream| {
                let own = list.stream.scopes.iter().cloned();
                own.chain(scopes_of(list.parent, known)).collect()
            };
            of.map(scopes).unwrap_or_default()
        }
    }
}
