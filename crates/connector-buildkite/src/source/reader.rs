//! Reads streams: sweeps over the builds, trees of lists, and the plain streams.

use std::sync::Arc;

use buildkite_client::Client;
use connector_core::{
    Catalog, Error, ErrorKind, Event, Message, Observer, ReadRequest, Result, State, Status,
    Stream, StreamName,
};
use futures::future::{self, TryFutureExt};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::lists::Refusals;
use super::lists::children::ChildReader;
use super::lists::tree::{Tree, TreeReader};
use super::plain::{organizations, pipelines};
use super::plan::Plan;
use super::read_ledger::ReadLedger;
use super::scope::Scope;
use super::state::{CHECKPOINT_VERSION, SweepState};
use super::sweep::Sweep;
use crate::config::Config;
use crate::connection::{client, forward};
use crate::mask::{Mask, Sensitive};
use crate::streams::{ListStream, ORGANIZATIONS, Parent, catalog};

pub(super) type Messages = BoxStream<'static, Result<Message>>;

/// What is said when everything that can be read has been read.
pub(super) struct End {
    /// The first stream of the read.
    pub(super) first: Option<StreamName>,
    pub(super) scope: Arc<Scope>,
    pub(super) refusals: Refusals,
}

impl End {
    /// The error that ends the read. Of an absent organization the observer hears, unless none is
    /// left.
    fn error(self, observer: &dyn Observer) -> Option<Error> {
        let nothing = self.scope.first_absent().filter(|_| self.scope.lacks_all());
        if let Some(error) = nothing {
            let stream = self.first.into_iter();
            return Some(stream.fold(error, |error, stream| error.with_context("stream", stream)));
        }
        for message in self.scope.absences() {
            let stream = None;
            observer.observe(Event::Notice { stream, message });
        }
        self.refusals.into_error()
    }
}

/// What all streams of a source share.
pub(crate) struct Reader {
    client: Client,
    pub(super) config: Config,
    pub(super) declared: Vec<Arc<ListStream>>,
    mask: Mask,
    observer: Arc<dyn Observer>,
}

impl Reader {
    /// Nothing is requested yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for settings that cannot be used.
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Result<Self> {
        Ok(Self {
            client: client(&config)?,
            declared: config.streams()?.into_iter().map(Arc::new).collect(),
            mask: Mask::new(&config.include_sensitive)?,
            config,
            observer,
        })
    }

    /// All streams.
    pub(crate) fn catalog(&self) -> Catalog {
        catalog(self.declared.iter().map(AsRef::as_ref))
    }

    /// What `request` asks for.
    ///
    /// # Errors
    /// Those of [`Plan::new`].
    pub(crate) fn plan(&self, request: &ReadRequest) -> Result<Plan> {
        let mut plan = Plan::new(request, &self.catalog(), &self.declared, &self.config)?;
        self.report_version_1(request);
        self.report_shown(&mut plan);
        Ok(plan)
    }

    /// What is masked is masked when it is read: rows that are not read again stay as they are.
    fn report_shown(&self, plan: &mut Plan) {
        let shown = Sensitive::list(&self.config.include_sensitive);
        let mut others: Vec<_> = (plan.sweeps.iter_mut())
            .flat_map(|sweep| sweep.show(&shown))
            .map(|other| format!("[{other}]"))
            .collect();
        others.sort();
        others.dedup();
        if others.is_empty() {
            return;
        }
        let message = format!(
            "include_sensitive is [{shown}] now and was {} when earlier rows of builds and jobs \
             were read: rows that do not change stay as they are; a sync from the beginning \
             (`sync --restart`) reads all of them again",
            others.join(" and ")
        );
        self.notice(None, message);
    }

    fn report_version_1(&self, request: &ReadRequest) {
        let is_old = |state: &&State| {
            state.version() < CHECKPOINT_VERSION && state.streams().next().is_some()
        };
        if request.state.as_ref().filter(is_old).is_some() {
            let message = "an older version made the saved state and did not note which builds were \
                           running; everything is read again, and rows are updated in place";
            self.notice(None, message.to_owned());
        }
    }

    /// The messages of a read.
    pub(crate) fn read(self: Arc<Self>, plan: Plan) -> Messages {
        let mut ledger = ReadLedger::default();
        let first = plan.first_stream();
        for sweep in &plan.sweeps {
            if let Err(error) = sweep.to_state().map(|state| ledger.enter(state)) {
                return stream::once(async { Err(error) }).boxed();
            }
        }
        let scope = Arc::new(self.scope(&plan.sweeps));
        let refusals = Refusals::default();
        let (reader, at, refused) = (Arc::clone(&self), Arc::clone(&scope), refusals.clone());
        let plain = stream::iter(plan.plain)
            .flat_map(move |name| reader.plain(name, Arc::clone(&at), &refused));
        let (reader, at, refused) = (Arc::clone(&self), Arc::clone(&scope), refusals.clone());
        let sweeps = stream::iter(plan.sweeps)
            .flat_map(move |sweep| reader.sweep(sweep, Arc::clone(&at), &refused));
        let (reader, refused) = (Arc::clone(&self), refusals.clone());
        let at = Arc::clone(&scope);
        let trees = stream::iter(plan.trees)
            .flat_map(move |tree| reader.tree(tree, Arc::clone(&at), &refused));
        let messages = plain.chain(sweeps).chain(trees).boxed();
        let end = End {
            first,
            scope,
            refusals,
        };
        self.finish(messages, end, ledger)
    }

    /// The messages as the host gets them: masked, with the states of all streams, and followed by
    /// what could not be read, because the rest has been read then.
    pub(super) fn finish(
        self: Arc<Self>,
        messages: Messages,
        end: End,
        mut ledger: ReadLedger,
    ) -> Messages {
        let observer = Arc::clone(&self.observer);
        let end = stream::once(async move { end.error(&*observer).map_or(Ok(None), Err) })
            .try_filter_map(|none| async move { Ok(none) });
        let messages = messages.chain(end).map(move |message| match message? {
            Message::Checkpoint(state) => Ok(Message::Checkpoint(ledger.enter(state))),
            Message::Record(record) => self.mask.apply(record).map(Message::Record),
            message => Ok(message),
        });
        until_error(messages)
    }

    pub(super) fn plain(
        &self,
        name: StreamName,
        scope: Arc<Scope>,
        refusals: &Refusals,
    ) -> Messages {
        let client = self.client_for(Some(&name));
        let records = match name.as_str() {
            ORGANIZATIONS => organizations(client, Arc::clone(&scope)),
            _ => pipelines(client, Arc::clone(&scope)),
        };
        let body = records.map_ok(Message::Record).boxed();
        self.bracketed(vec![name], body, Some(scope), refusals)
    }

    pub(super) fn tree(&self, tree: Tree, scope: Arc<Scope>, refusals: &Refusals) -> Messages {
        let streams = tree.streams();
        let is_of_organizations = tree.list.parent != Parent::Token;
        let of_organizations = is_of_organizations.then(|| Arc::clone(&scope));
        let reader = TreeReader {
            client: self.client_for(Some(&tree.list.stream.name)),
            scope,
            refusals: refusals.clone(),
            observer: Arc::clone(&self.observer),
            max_concurrency: self.max_concurrency(),
        };
        let body = reader.read(tree).map_ok(Message::Record).boxed();
        self.bracketed(streams, body, of_organizations, refusals)
    }

    /// A sweep, and after a full refresh the news that there is nothing to resume from.
    fn sweep(&self, state: SweepState, scope: Arc<Scope>, refusals: &Refusals) -> Messages {
        let streams = state.streams().to_vec();
        let end = state.end();
        let stream = streams[0].clone();
        let sweep = self.new_sweep(state, Arc::clone(&scope), refusals);
        let body = async move {
            let messages = sweep.read().await;
            messages.map_err(|error| error.with_context("stream", stream))
        };
        let end = stream::iter(end.map(|state| Ok(Message::Checkpoint(state))));
        let body = body.try_flatten_stream().boxed();
        self.bracketed(streams, body, Some(scope), refusals)
            .chain(end)
            .boxed()
    }

    /// A sweep that nobody reads yet.
    pub(super) fn new_sweep(
        &self,
        state: SweepState,
        scope: Arc<Scope>,
        refusals: &Refusals,
    ) -> Sweep {
        Sweep {
            client: self.client_for(Some(&state.streams()[0])),
            scope,
            state,
            max_concurrency: self.max_concurrency(),
            observer: Arc::clone(&self.observer),
            children: self.children(refusals),
        }
    }

    /// Adds when the streams of `body` begin and end. A missing scope ends them, but not the read.
    /// Those of organizations are not complete if one of these is absent from their scope.
    pub(super) fn bracketed(
        &self,
        streams: Vec<StreamName>,
        body: Messages,
        scope: Option<Arc<Scope>>,
        refusals: &Refusals,
    ) -> Messages {
        let of_body: Vec<_> = (self.catalog().streams.into_iter())
            .filter(|stream| streams.contains(&stream.name))
            .collect();
        let (refused, observer) = (refusals.clone(), Arc::clone(&self.observer));
        let body = until_error(body).filter_map(move |message| {
            future::ready(match message {
                Err(error) if error.kind() == ErrorKind::Permission => {
                    for Stream { name, scopes, .. } in &of_body {
                        refused.note(name, scopes, &error, &*observer);
                    }
                    None
                }
                message => Some(message),
            })
        });
        let refused = refusals.clone();
        let started = stream::iter(streams.clone()).map(|name| status(name, Status::Started));
        let complete = stream::once(async move {
            let lacks_any = scope.is_some_and(|scope| scope.lacks_any());
            let complete = streams.into_iter();
            let complete = complete.filter(move |name| !lacks_any && refused.is_complete(name));
            stream::iter(complete.map(|name| status(name, Status::Complete)))
        });
        started.chain(body.chain(complete.flatten())).boxed()
    }

    /// Reads the lists of builds and jobs. They have request slots of their own: the sweep waits
    /// for them.
    fn children(&self, refusals: &Refusals) -> ChildReader {
        ChildReader {
            client: self.client_for(None).with_own_slots(self.max_concurrency()),
            refusals: refusals.clone(),
            observer: Arc::clone(&self.observer),
            max_bytes: usize::try_from(self.config.log_limit_bytes).unwrap_or(usize::MAX),
        }
    }

    /// What is read, and the pipelines that the copy knows of it.
    pub(crate) fn scope(&self, sweeps: &[SweepState]) -> Scope {
        let known = sweeps.iter().flat_map(SweepState::pipelines).collect();
        Scope::new(&self.config, self.declared.clone()).with_known_pipelines(known)
    }

    /// The client; the observer hears what it does for a stream.
    pub(crate) fn client_for(&self, stream: Option<&StreamName>) -> Client {
        self.client.with_observer(forward(&self.observer, stream))
    }

    pub(crate) fn max_concurrency(&self) -> usize {
        self.config.max_concurrency as usize
    }

    pub(crate) fn mask(&self) -> &Mask {
        &self.mask
    }

    pub(crate) fn observer(&self) -> &Arc<dyn Observer> {
        &self.observer
    }

    /// Whether a stream is a declared list.
    pub(crate) fn is_declared(&self, name: &StreamName) -> bool {
        let mut declared = self.declared.iter();
        declared.any(|list| list.stream.name == *name)
    }

    pub(crate) fn notice(&self, stream: Option<StreamName>, message: String) {
        self.observer.observe(Event::Notice { stream, message });
    }
}

/// Ends a stream after its first error, without polling it again.
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

fn status(stream: StreamName, status: Status) -> Result<Message, Error> {
    Ok(Message::Status(stream, status))
}
