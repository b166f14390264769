//! The source: what is read, in which order, from which state.

use std::sync::Arc;

use async_trait::async_trait;
use buildkite_client::Client;
use connector_core::{
    Catalog, Error, ErrorKind, Event, Forecast, Message, Observer, ReadRequest, Replica, Result,
    Source, State, Status, Stream, StreamName, SyncMode, Verification,
};
use futures::future::{self, TryFutureExt};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::config::Config;
use crate::connector::client;
use crate::error::explain;
use crate::forecast::forecast;
use crate::inquiry::Inquiry;
use crate::ledger::Ledger;
use crate::listener::forward;
use crate::lists::children::ChildReader;
use crate::lists::tree::{Tree, TreeReader};
use crate::lists::{ListStream, Parent, Refusals};
use crate::mask::{Mask, MaskedReplica};
use crate::pass::Pass;
use crate::pipelines::pipelines_of;
use crate::rules::Rules;
use crate::scope::{Scope, Selected};
use crate::state::{CONNECTOR, PassState, VERSION};
use crate::streams::{
    BUILDS, JOBS, ORGANIZATIONS, PIPELINES, catalog, organization_record, pipeline_record,
};
use crate::verify::verify;

/// The scopes that the default streams take, each with the streams that it opens.
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
    declared: Vec<ListStream>,
    mask: Mask,
    rules: Rules,
    observer: Arc<dyn Observer>,
}

impl BuildkiteSource {
    pub(crate) fn new(config: Config, rules: Rules, observer: Arc<dyn Observer>) -> Result<Self> {
        let client = client(&config)?;
        let reader = Reader {
            client,
            declared: config.streams()?,
            mask: Mask::new(&config.include_sensitive)?,
            config,
            rules,
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
        let client = reader.client(None).without_connection_retries();
        let token = client.access_token().await.map_err(explain)?;
        if let Some(scopes) = &token.scopes {
            reader.check_scopes(scopes)?;
        }
        let scope = Scope::new(&reader.config, Vec::new());
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
        Ok(catalog(&self.reader.declared))
    }

    async fn mark_readable(&self, catalog: Catalog) -> Result<Catalog> {
        let client = self.reader.client(None);
        let token = client.access_token().await.map_err(explain)?;
        let Some(granted) = token.scopes else {
            return Ok(catalog);
        };
        let mark = |stream: Stream| Stream {
            is_readable: Some(stream.scopes.iter().all(|scope| granted.contains(scope))),
            ..stream
        };
        Ok(Catalog {
            streams: catalog.streams.into_iter().map(mark).collect(),
        })
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let reader = Arc::clone(&self.reader);
        match reader.plan(&request) {
            Ok(plan) => until_error(reader.read(plan)),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        let Plan { plain, passes, .. } = self.reader.plan(&self.reader.comparable(request))?;
        forecast(self.reader.inquiry(&passes), plain, passes).await
    }

    async fn verify(
        &self,
        request: ReadRequest,
        replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        let Plan { plain, passes, .. } = self.reader.plan(&self.reader.comparable(request))?;
        let replica = Arc::new(MaskedReplica {
            replica,
            mask: self.reader.mask.clone(),
        });
        verify(self.reader.inquiry(&[]), plain, passes, replica, samples).await
    }
}

/// What a read reads, in its order.
struct Plan {
    /// `organizations` and `pipelines`.
    plain: Vec<StreamName>,
    /// Lists that are declared, and what is below them.
    trees: Vec<Tree>,
    /// Passes over the builds: one, unless `builds` and `jobs` are read in different modes.
    passes: Vec<PassState>,
}

impl Reader {
    fn plan(&self, request: &ReadRequest) -> Result<Plan> {
        let catalog = catalog(&self.declared);
        for selection in &request.streams {
            let stream = catalog.stream(selection.stream.as_str())?;
            if !stream.sync_modes.contains(&selection.mode) {
                let message = "this stream is read in full only: full_refresh";
                return Err(Error::new(ErrorKind::Config, message)
                    .with_context("stream", &selection.stream));
            }
        }
        // Also where no stream that is read has a state: it is another's, or was made by a newer
        // program.
        if let Some(state) = &request.state {
            state.expect(CONNECTOR, VERSION)?;
        }
        let mode_of = |name: &StreamName| {
            let mut selections = request.streams.iter();
            selections.find(|s| s.stream == *name).map(|s| s.mode)
        };
        let names = catalog.streams.into_iter().map(|stream| stream.name);
        let asked: Vec<_> = names
            .filter_map(|name| Some((mode_of(&name)?, name)))
            .collect();
        let (passed, others): (Vec<_>, Vec<_>) =
            (asked.into_iter()).partition(|(_, name)| self.is_of_pass(name));
        self.tell_of_version_1(request);
        let mut passes = Vec::new();
        for mode in [SyncMode::Incremental, SyncMode::FullRefresh] {
            let of_mode = passed.iter().filter(|(of, _)| *of == mode);
            let streams: Vec<_> = of_mode.map(|(_, name)| name.clone()).collect();
            if !streams.is_empty() {
                let config = &self.config;
                let pass = PassState::new(&config.base_url, mode, streams, config.created_from()?);
                passes.push(pass.resume(request.state.as_ref(), self.rules.overlap)?);
            }
        }
        let (plain, listed): (Vec<_>, Vec<_>) = (others.into_iter().map(|(_, name)| name))
            .partition(|name| *name == ORGANIZATIONS || *name == PIPELINES);
        let trees = Tree::all(&self.declared, &listed);
        Ok(Plan {
            plain,
            trees,
            passes,
        })
    }

    /// Builds and jobs are read together, and so are the lists below them.
    fn is_of_pass(&self, name: &StreamName) -> bool {
        let is_below = |list: &&ListStream| {
            list.stream.name == *name && matches!(list.parent, Parent::Build | Parent::Job)
        };
        *name == BUILDS || *name == JOBS || self.declared.iter().any(|list| is_below(&list))
    }

    /// The streams of a request that can be forecast and compared; the others are told.
    fn comparable(&self, mut request: ReadRequest) -> ReadRequest {
        let is_declared = |name: &StreamName| self.declared.iter().any(|l| l.stream.name == *name);
        let (left_out, kept) = (request.streams.into_iter())
            .partition::<Vec<_>, _>(|selection| is_declared(&selection.stream));
        for selection in left_out {
            let message = "neither forecast nor compared: that is done for organizations, \
                           pipelines, builds and jobs";
            self.notice(Some(selection.stream), message.to_owned());
        }
        request.streams = kept;
        request
    }

    fn tell_of_version_1(&self, request: &ReadRequest) {
        let is_old = |state: &&State| state.version() < VERSION && state.streams().next().is_some();
        if request.state.as_ref().filter(is_old).is_some() {
            let message = "the saved state is of an older version, which did not note what was \
                           still running; everything is read again, and rows are updated in place";
            self.notice(None, message.to_owned());
        }
    }

    fn read(self: Arc<Self>, plan: Plan) -> BoxStream<'static, Result<Message>> {
        let scope = Arc::new(self.scope(&plan.passes));
        let mut ledger = Ledger::default();
        for pass in &plan.passes {
            if let Err(error) = pass.to_state().map(|state| ledger.enter(state)) {
                return stream::once(async { Err(error) }).boxed();
            }
        }
        let refusals = Refusals::default();
        let (reader, at, refused) = (Arc::clone(&self), Arc::clone(&scope), refusals.clone());
        let plain = stream::iter(plan.plain).flat_map(move |name| {
            let body = match name.as_str() {
                ORGANIZATIONS => Arc::clone(&reader).organizations(Arc::clone(&at)),
                _ => Arc::clone(&reader).pipelines(Arc::clone(&at)),
            };
            reader.bracketed(vec![name], body, &refused)
        });
        let (reader, at, refused) = (Arc::clone(&self), Arc::clone(&scope), refusals.clone());
        let passes = stream::iter(plan.passes).flat_map(move |pass| {
            let (reader, at) = (Arc::clone(&reader), Arc::clone(&at));
            reader.pass(pass, at, refused.clone())
        });
        let (reader, refused) = (Arc::clone(&self), refusals.clone());
        let trees = stream::iter(plan.trees)
            .flat_map(move |tree| reader.tree(tree, Arc::clone(&scope), &refused));
        // What was refused is told last: the rest has been read then.
        let end = stream::once(async move { refusals.into_error().map_or(Ok(None), Err) })
            .try_filter_map(|none| async move { Ok(none) });
        let messages = plain.chain(passes).chain(trees).chain(end);
        messages
            .map_ok(move |message| match message {
                Message::Checkpoint(state) => Message::Checkpoint(ledger.enter(state)),
                Message::Record(record) => Message::Record(self.mask.apply(record)),
                message => message,
            })
            .boxed()
    }

    /// The lists of a tree.
    fn tree(
        &self,
        tree: Tree,
        scope: Arc<Scope>,
        refusals: &Refusals,
    ) -> BoxStream<'static, Result<Message>> {
        let streams = tree.streams();
        let reader = TreeReader {
            client: self.client(Some(&tree.list.stream.name)),
            scope,
            refusals: refusals.clone(),
            observer: Arc::clone(&self.observer),
            max_concurrency: self.config.max_concurrency as usize,
            max_bytes: usize::MAX,
        };
        let body = reader.read(tree).map_ok(Message::Record).boxed();
        self.bracketed(streams, body, refusals)
    }

    /// Says when the streams of `body` begin and end. A right that is missing ends them, and not
    /// the read.
    fn bracketed(
        &self,
        streams: Vec<StreamName>,
        body: BoxStream<'static, Result<Message>>,
        refusals: &Refusals,
    ) -> BoxStream<'static, Result<Message>> {
        let all = catalog(&self.declared).streams.into_iter();
        let named: Vec<_> = (all.filter(|stream| streams.contains(&stream.name))).collect();
        let (refused, observer) = (refusals.clone(), Arc::clone(&self.observer));
        let body = until_error(body).filter_map(move |message| {
            let message = match message {
                Err(error) if error.kind() == ErrorKind::Permission => {
                    for Stream { name, scopes, .. } in &named {
                        refused.note(name, scopes, &error, &*observer);
                    }
                    None
                }
                message => Some(message),
            };
            future::ready(message)
        });
        let refused = refusals.clone();
        let started = stream::iter(streams.clone().into_iter().map(started));
        let complete = stream::once(async move {
            let complete = streams.into_iter().filter(move |name| !refused.has(name));
            stream::iter(complete.map(|name| Ok(Message::Status(name, Status::Complete))))
        });
        started.chain(body.chain(complete.flatten())).boxed()
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

    /// A pass, and behind a full refresh the news that there is nothing to go on from.
    fn pass(
        self: Arc<Self>,
        state: PassState,
        scope: Arc<Scope>,
        refusals: Refusals,
    ) -> BoxStream<'static, Result<Message>> {
        let streams = state.streams().to_vec();
        let end = state.end();
        let stream = streams[0].clone();
        let pass = Pass {
            client: self.client(Some(&stream)),
            scope,
            state,
            rules: self.rules,
            max_concurrency: self.config.max_concurrency as usize,
            observer: Arc::clone(&self.observer),
            children: self.children(&refusals),
        };
        let body = async move {
            let messages = pass.read().await;
            messages.map_err(|error| error.with_context("stream", stream))
        };
        let end = stream::iter(end.map(|state| Ok(Message::Checkpoint(state))));
        let body = body.try_flatten_stream().boxed();
        self.bracketed(streams, body, &refusals).chain(end).boxed()
    }

    /// Reads the lists of builds and jobs. They have slots of their own: the pass stands still
    /// while it waits for them.
    fn children(&self, refusals: &Refusals) -> ChildReader {
        let at_once = self.config.max_concurrency as usize;
        ChildReader {
            client: self.client(None).with_own_slots(at_once),
            refusals: refusals.clone(),
            observer: Arc::clone(&self.observer),
            max_bytes: usize::try_from(self.config.log_limit_bytes).unwrap_or(usize::MAX),
        }
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

    /// What is read, and the pipelines that the copy knows of it.
    fn scope(&self, passes: &[PassState]) -> Scope {
        let known = passes.iter().flat_map(PassState::pipelines).collect();
        Scope::new(&self.config, self.declared.clone()).with_known_pipelines(known)
    }

    /// What forecasts and comparisons ask with, knowing what these passes know.
    fn inquiry(&self, passes: &[PassState]) -> Inquiry {
        let scope = self.scope(passes);
        let at_once = self.config.max_concurrency;
        Inquiry::new(&self.client, scope, self.rules, at_once, &self.observer)
    }

    /// The client, telling the observer what it does for a stream.
    fn client(&self, stream: Option<&StreamName>) -> Client {
        self.client.with_observer(forward(&self.observer, stream))
    }

    fn notice(&self, stream: Option<StreamName>, message: String) {
        self.observer.observe(Event::Notice { stream, message });
    }
}

/// Ends a stream behind its first error, without asking it for more.
fn until_error<T: Send + 'static>(
    stream: impl futures::Stream<Item = Result<T>> + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let stream = Box::pin(stream);
    stream::try_unfold(stream, |mut stream| async move {
        let item = stream.try_next().await?;
        Ok(item.map(|item| (item, stream)))
    })
    .boxed()
}

fn started(stream: StreamName) -> Result<Message> {
    Ok(Message::Status(stream, Status::Started))
}
