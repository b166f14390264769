//! Divides a read, and reads its parts.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;

use connector_core::{
    Error, ErrorKind, Message, Partitions, ReadRequest, Result, State, StreamName, SyncMode,
};
use futures::stream::{self, StreamExt};

use super::lists::Refusals;
use super::lists::tree::Tree;
use super::parts::{Part, PartReader, SweepPiece, TreePiece, divide, plan_end};
use super::plan::Plan;
use super::read_ledger::ReadLedger;
use super::reader::{End, Messages, Reader};
use super::scope::Scope;
use super::state::{CHECKPOINT_VERSION, CONNECTOR, SweepEnd, SweepState, VERSION};

impl Reader {
    /// Divides a read into up to `at_most` parts. With an `end`, nothing is requested.
    ///
    /// # Errors
    /// Those of a read; [`ErrorKind::State`] for an end of another read.
    pub(crate) async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        end: Option<State>,
    ) -> Result<Partitions> {
        request.expect_whole()?;
        let plan = self.plan(request)?;
        let end = match end {
            Some(end) => {
                end.expect(CONNECTOR, VERSION)?;
                end
            }
            None => self.plan_end(&plan, at_most).await?,
        };
        // Also an end that was just planned: its JSON form says a little less.
        let ends = self.ends(&plan, &end)?;
        let parts = divide(request, &plan, &ends, self.config.remote(), at_most)?;
        Ok(Partitions::new(parts, end))
    }

    async fn plan_end(&self, plan: &Plan, at_most: NonZeroUsize) -> Result<State> {
        let scope = Arc::new(self.scope(&plan.sweeps));
        let version = if plan.sweeps.is_empty() {
            CHECKPOINT_VERSION
        } else {
            VERSION
        };
        let mut end = State::new(CONNECTOR, version);
        for sweep in &plan.sweeps {
            let sweep = self.new_sweep(sweep.clone(), Arc::clone(&scope), &Refusals::default());
            let of_sweep = plan_end(sweep, at_most).await?.to_state()?;
            for (stream, value) in of_sweep.streams() {
                end.set_stream(stream.clone(), value.clone());
            }
        }
        Ok(end)
    }

    fn ends(&self, plan: &Plan, end: &State) -> Result<Vec<SweepEnd>> {
        let created_from = self.config.created_from()?;
        let parse = |sweep: &SweepState| {
            let (mode, streams) = (sweep.mode(), sweep.streams().to_vec());
            let fresh = SweepState::new(self.config.remote(), mode, streams, created_from);
            SweepEnd::parse(fresh, end)
        };
        plan.sweeps.iter().map(parse).collect()
    }

    /// The part that a request carries, if it is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if this source did not make it.
    pub(crate) fn part(&self, request: &ReadRequest) -> Result<Option<Part>> {
        let catalog = self.catalog();
        for selection in &request.streams {
            let stream = catalog.stream(selection.stream.as_str())?;
            stream.expect_mode(selection.mode)?;
        }
        Part::of(request, self.config.remote())
    }

    /// The messages of a part.
    pub(crate) fn read_part(self: Arc<Self>, part: Part) -> Messages {
        let known: HashMap<_, _> = part.removed_pipelines.into_iter().collect();
        let scope = Arc::new(self.scope(&[]).with_known_pipelines(known));
        let refusals = Refusals::default();
        let mut bodies = Vec::new();
        for name in part.plain {
            bodies.push(self.plain(name, Arc::clone(&scope), &refusals));
        }
        for pieces in by_sweep(part.sweeps) {
            bodies.push(self.sweep_pieces(pieces, &scope, &refusals));
        }
        for piece in part.trees {
            match self.tree_of(&piece) {
                Ok(tree) => bodies.push(self.tree(tree, Arc::clone(&scope), &refusals)),
                Err(error) => return stream::once(async { Err(error) }).boxed(),
            }
        }
        let messages = stream::iter(bodies).flatten().boxed();
        let first = None;
        let end = End {
            first,
            scope,
            refusals,
        };
        self.finish(messages, end, ReadLedger::default())
    }

    /// The pieces of one sweep.
    fn sweep_pieces(
        &self,
        pieces: Vec<SweepPiece>,
        scope: &Arc<Scope>,
        refusals: &Refusals,
    ) -> Messages {
        let streams: Vec<StreamName> = pieces[0].streams.iter().cloned().collect();
        let (mode, remote) = (pieces[0].mode, self.config.remote());
        let state = SweepState::new(remote, mode, streams.clone(), None);
        let stream = streams[0].clone();
        let sweep = self.new_sweep(state, Arc::clone(scope), refusals);
        let messages = PartReader(Arc::new(sweep)).read(pieces);
        let in_stream = move |message: Result<Message>| {
            message.map_err(|error| error.with_context("stream", &stream))
        };
        let body = messages.map(in_stream).boxed();
        self.bracketed(streams, body, Some(Arc::clone(scope)), refusals)
    }

    /// The tree of a piece.
    fn tree_of(&self, piece: &TreePiece) -> Result<Tree> {
        let trees = Tree::all(&self.declared, &piece.streams).into_iter();
        let mut trees = trees.filter(|tree| tree.list.stream.name == piece.root);
        let tree = trees.next().ok_or_else(|| {
            let message = "a part reads a list that the settings do not declare";
            Error::new(ErrorKind::Config, message).with_context("stream", &piece.root)
        })?;
        Ok(tree.with_shard(piece.shard, piece.shards))
    }
}

/// The pieces of each sweep: those with the same streams in the same mode.
fn by_sweep(pieces: Vec<SweepPiece>) -> impl Iterator<Item = Vec<SweepPiece>> {
    let mut sweeps: BTreeMap<(bool, Vec<StreamName>), Vec<SweepPiece>> = BTreeMap::new();
    for piece in pieces {
        let is_full = piece.mode == SyncMode::FullRefresh;
        let streams = piece.streams.iter().cloned().collect();
        sweeps.entry((is_full, streams)).or_default().push(piece);
    }
    sweeps.into_values()
}
