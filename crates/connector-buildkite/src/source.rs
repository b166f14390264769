//! The source: what is read, in which order, from which state.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use buildkite_client::{Client, Error as ClientError, Options, Paging};
use connector_core::{
    Catalog, Error, ErrorKind, Event, Message, Observer, ReadRequest, Record, Result, Source,
    State, Status, StreamName, SyncMode,
};
use futures::future::TryFutureExt;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::Config;
use crate::error::{explain, in_stream};
use crate::listener::forward;
use crate::pass::{Pass, until_error};
use crate::scope::{Scope, Selected};
use crate::state::{CONNECTOR, PassState, VERSION};
use crate::streams::{
    BUILDS, JOBS, ORGANIZATIONS, PIPELINES, catalog, organization_record, pipeline_record,
};

/// The scopes that reading takes, each with the streams that it opens.
const SCOPES: [(&str, &[&str]); 3] = [
    ("read_organizations", &[ORGANIZATIONS]),
    ("read_pipelines", &[PIPELINES]),
    ("read_builds", &[BUILDS, JOBS]),
];

/// Reads Buildkite.
pub(crate) struct BuildkiteSource {
    reader: Arc<Reader>,
}

/// What all streams of a source share.
struct Reader {
    client: Client,
    config: Config,
    observer: Arc<dyn Observer>,
}

impl BuildkiteSource {
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Result<Self> {
        let mut options = Options::new(config.token()?);
        options.base_url.clone_from(&config.base_url);
        options.reserve = config.rate_limit_reserve / 100.0;
        options.max_concurrency = config.max_concurrency as usize;
        let client = Client::new(options).map_err(explain)?;
        let reader = Reader {
            client,
            config,
            observer,
        };
        Ok(Self {
            reader: Arc::new(reader),
        })
    }
}

#[async_trait]
impl Source for BuildkiteSource {
    async fn check(&self) -> Result<()> {
        let reader = &self.reader;
        let client = reader.client(None);
        let token = client.access_token().await.map_err(explain)?;
        if let Some(scopes) = &token.scopes {
            reader.check_scopes(scopes)?;
        }
        let scope = Scope::new(&reader.config);
        match scope.organization_objects(&client).await {
            Ok(_) => {}
            // Organizations that are named can be read without being seen as objects.
            Err(error)
                if error.kind() == ErrorKind::Permission
                    && reader.config.organizations.is_some() =>
            {
                reader.notice(None, format!("organizations were not checked: {error}"));
            }
            Err(error) => return Err(error),
        }
        scope.selected(&client).await.map(drop)
    }

    async fn discover(&self) -> Result<Catalog> {
        Ok(catalog())
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let reader = Arc::clone(&self.reader);
        match Reader::plan(&reader.config, &request) {
            Ok((streams, pass)) => until_error(reader.read(streams, pass)),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }
}

impl Reader {
    /// The streams asked for, in the order in which they are read, and where their pass stands.
    fn plan(config: &Config, request: &ReadRequest) -> Result<(Vec<StreamName>, PassState)> {
        let catalog = catalog();
        for selection in &request.streams {
            catalog.stream(selection.stream.as_str())?;
            if selection.mode != SyncMode::FullRefresh {
                return Err(Error::new(
                    ErrorKind::Config,
                    "this stream is read in full only: full_refresh",
                )
                .with_context("stream", &selection.stream));
            }
        }
        let is_asked = |name: &StreamName| request.streams.iter().any(|s| s.stream == *name);
        let streams: Vec<_> = catalog
            .streams
            .into_iter()
            .map(|stream| stream.name)
            .filter(is_asked)
            .collect();
        let passed: Vec<_> = streams
            .iter()
            .filter(|name| is_of_pass(name))
            .cloned()
            .collect();
        let pass = PassState::new(&config.base_url, config.created_from()?)
            .resume(request.state.as_ref(), &passed)?;
        Ok((streams, pass))
    }

    fn read(
        self: Arc<Self>,
        streams: Vec<StreamName>,
        state: PassState,
    ) -> impl futures::Stream<Item = Result<Message>> + Send + 'static {
        let scope = Arc::new(Scope::new(&self.config));
        let (passed, plain): (Vec<_>, Vec<_>) = streams.into_iter().partition(is_of_pass);
        let reader = Arc::clone(&self);
        let plain_scope = Arc::clone(&scope);
        let plain = stream::iter(plain).flat_map(move |name| {
            let reader = Arc::clone(&reader);
            let body = match name.as_str() {
                ORGANIZATIONS => reader.organizations(Arc::clone(&plain_scope)),
                _ => reader.pipelines(Arc::clone(&plain_scope)),
            };
            bracketed(vec![name], body)
        });
        let pass = match passed.is_empty() {
            true => stream::empty().boxed(),
            false => {
                let body = self.pass(passed.clone(), scope, state);
                let end = stream::once(async { Ok(Message::Checkpoint(nothing_left())) });
                bracketed(passed, body).chain(end).boxed()
            }
        };
        plain.chain(pass)
    }

    fn organizations(self: Arc<Self>, scope: Arc<Scope>) -> BoxStream<'static, Result<Message>> {
        let name = StreamName::from(ORGANIZATIONS);
        let client = self.client(Some(&name));
        let objects = async move {
            let objects = scope.organization_objects(&client).await;
            let objects = objects.map_err(|error| error.with_context("stream", name))?;
            let records = objects
                .into_iter()
                .map(|named| organization_record(&named.raw));
            Ok(stream::iter(records).map_ok(Message::Record))
        };
        objects.try_flatten_stream().boxed()
    }

    fn pipelines(self: Arc<Self>, scope: Arc<Scope>) -> BoxStream<'static, Result<Message>> {
        let name = StreamName::from(PIPELINES);
        let client = self.client(Some(&name));
        let listed = async move {
            let in_pipelines = |error: Error| error.with_context("stream", PIPELINES);
            if let Some(selected) = scope.selected(&client).await.map_err(in_pipelines)? {
                let record = |s: &Selected| pipeline_record(&s.pipeline.raw, &s.organization);
                let records: Vec<_> = selected.iter().map(record).collect();
                return Ok(stream::iter(records).boxed());
            }
            let organizations = scope.organizations(&client).await.map_err(in_pipelines)?;
            let lists = stream::iter(organizations.into_iter().map(Ok))
                .map_ok(move |organization| pipelines_of(&client, &scope, organization));
            Ok(lists.try_flatten().boxed())
        };
        listed.try_flatten_stream().map_ok(Message::Record).boxed()
    }

    fn pass(
        self: Arc<Self>,
        streams: Vec<StreamName>,
        scope: Arc<Scope>,
        state: PassState,
    ) -> BoxStream<'static, Result<Message>> {
        let stream = streams[0].clone();
        let pass = Pass {
            client: self.client(Some(&stream)),
            streams,
            scope,
            state,
            max_concurrency: self.config.max_concurrency as usize,
            observer: Arc::clone(&self.observer),
        };
        async move {
            let messages = pass.read().await;
            messages.map_err(|error| error.with_context("stream", stream))
        }
        .try_flatten_stream()
        .boxed()
    }

    /// Organizations that are named can be read without being seen as objects.
    fn check_scopes(&self, granted: &[String]) -> Result<()> {
        let lacks = |(scope, _): &(&str, _)| !granted.iter().any(|one| one == scope);
        let missing: Vec<_> = SCOPES.into_iter().filter(lacks).collect();
        let needs: Vec<_> = missing
            .iter()
            .map(|(scope, streams)| format!("{scope} (streams: {})", streams.join(", ")))
            .collect();
        let message = format!("the token lacks the scopes: {}", needs.join("; "));
        let is_spared = |(_, streams): &(_, &[&str])| {
            *streams == [ORGANIZATIONS] && self.config.organizations.is_some()
        };
        if !missing.iter().all(is_spared) {
            return Err(Error::new(ErrorKind::Permission, message));
        }
        if !missing.is_empty() {
            self.notice(None, message);
        }
        Ok(())
    }

    /// The client, telling the observer what it does for a stream.
    fn client(&self, stream: Option<&StreamName>) -> Client {
        self.client.with_listener(forward(&self.observer, stream))
    }

    fn notice(&self, stream: Option<StreamName>, message: String) {
        self.observer.observe(Event::Notice { stream, message });
    }
}

/// Each pipeline of an organization once: pages shift while pipelines come and go.
fn pipelines_of(
    client: &Client,
    scope: &Arc<Scope>,
    organization: String,
) -> BoxStream<'static, Result<Record>> {
    let path = ["v2", "organizations", &organization, "pipelines"];
    let list = client.list(&path, &[], Paging::Number);
    let (client, scope) = (client.clone(), Arc::clone(scope));
    let of = organization.clone();
    let mut seen = HashSet::new();
    list.or_else(move |error| {
        let (client, scope, of) = (client.clone(), Arc::clone(&scope), of.clone());
        async move {
            let stream = StreamName::from(PIPELINES);
            Err(match error {
                ClientError::NotFound { .. } => scope
                    .unknown(&client, &of)
                    .await
                    .with_context("stream", stream),
                error => in_stream(&stream)(error),
            })
        }
    })
    .try_filter_map(move |raw| {
        let is_new = seen.insert(id_of(&raw));
        let record = is_new.then(|| pipeline_record(&raw, &organization));
        futures::future::ready(record.transpose())
    })
    .boxed()
}

fn id_of(raw: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    serde_json::from_str(raw.get()).map_or_else(|_| raw.get().to_owned(), |Id { id }| id)
}

/// Builds and jobs are read together.
fn is_of_pass(name: &StreamName) -> bool {
    *name == BUILDS || *name == JOBS
}

/// A full refresh that came to its end leaves nothing to go on from.
fn nothing_left() -> State {
    State::new(CONNECTOR, VERSION)
}

/// Says when the streams of `body` begin and end.
fn bracketed(
    streams: Vec<StreamName>,
    body: BoxStream<'static, Result<Message>>,
) -> BoxStream<'static, Result<Message>> {
    let status = |status: Status| {
        let streams = streams.clone();
        stream::iter(
            streams
                .into_iter()
                .map(move |name| Ok(Message::Status(name, status))),
        )
    };
    let (started, complete) = (status(Status::Started), status(Status::Complete));
    started.chain(until_error(body).chain(complete)).boxed()
}
