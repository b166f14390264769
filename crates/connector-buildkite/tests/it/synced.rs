//! A fake, a copy of what it holds, and what a comparison finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connector_core::FindingKind::{Harmless, Missing, Stale};
use connector_core::{
    Event, Finding, FindingKind, Message, ReadRequest, Selection, Source, State, Status,
    StreamName, Verification,
};
use futures::TryStreamExt;
use mock_buildkite::{MockBuildkite, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, checkpoints};
use crate::copy::Copy;
use crate::model::falsify;

pub(crate) fn request(streams: &[&str], state: Option<State>) -> ReadRequest {
    let selection = |name: &&str| match *name {
        "builds" | "jobs" => Selection::incremental(*name),
        _ => Selection::full_refresh(*name),
    };
    ReadRequest::new(streams.iter().map(selection)).with_state(state)
}

/// A fake, a copy of it, and the state of the copy.
pub(crate) struct Synced {
    pub(crate) bench: Bench,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) copy: Arc<Copy>,
    pub(crate) state: Option<State>,
    /// Tombstones of all syncs.
    pub(crate) tombstones: usize,
    /// The streams that the last sync did not read to their end.
    pub(crate) incomplete: BTreeSet<String>,
}

impl Synced {
    pub(crate) async fn new(world: World) -> Self {
        Self::with(world, json!({})).await
    }

    pub(crate) async fn with(world: World, settings: Value) -> Self {
        Self::of(Bench::with(world, settings).await).await
    }

    pub(crate) async fn of(bench: Bench) -> Self {
        let mut synced = Self {
            source: Arc::clone(&bench.source),
            bench,
            copy: Arc::default(),
            state: None,
            tombstones: 0,
            incomplete: BTreeSet::new(),
        };
        synced.sync().await;
        pass(&synced.bench.server, 60);
        synced
    }

    pub(crate) async fn sync(&mut self) {
        self.read(request(&STREAMS, self.state.clone())).await;
    }

    /// As a host does that has the copy at hand.
    pub(crate) async fn sync_with_open_rows(&mut self) {
        let catalog = self.source.discover().await.expect("a catalog");
        let mut all = BTreeMap::new();
        for stream in catalog.streams {
            if let Some(open) = stream.open_rows {
                let rows = self.copy.open_rows(stream.name.as_str(), &open);
                all.insert(StreamName::from(stream.name.as_str()), rows);
            }
        }
        let request = request(&STREAMS, self.state.clone());
        self.read(request.with_open_rows(all)).await;
    }

    async fn read(&mut self, request: ReadRequest) {
        let reading = self.source.read(request);
        let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
        self.copy.write(&messages);
        let is_removed =
            |message: &&Message| matches!(message, Message::Record(record) if record.is_removed());
        self.tombstones += messages.iter().filter(is_removed).count();
        let is_complete = |stream: &&str| {
            let complete = Message::Status(StreamName::from(*stream), Status::Complete);
            messages.contains(&complete)
        };
        let incomplete = STREAMS.iter().filter(|stream| !is_complete(stream));
        self.incomplete = incomplete.map(|stream| (*stream).to_owned()).collect();
        let last = checkpoints(&messages).pop().map(|(_, state)| state);
        self.state = last.or(self.state.take());
    }

    /// The state loses the builds that are open.
    pub(crate) fn forget_open_builds(&mut self) {
        let state = self.state.as_ref().expect("a state");
        self.state = Some(falsify(state, |partition| {
            let partition = partition.as_object_mut().expect("an object");
            partition.retain(|field, _| !["open", "jobs"].contains(&field.as_str()));
        }));
    }

    /// What the user was told.
    pub(crate) fn notices(&self) -> Vec<String> {
        let told = self.bench.events().into_iter();
        let told = told.filter_map(|event| match event {
            Event::Notice { message, .. } => Some(message),
            _ => None,
        });
        told.collect()
    }

    pub(crate) async fn verify(&self, samples: u32) -> Verification {
        let request = request(&STREAMS, self.state.clone());
        let verification = self
            .source
            .verifiable()
            .expect("it has the capability")
            .verify(request, self.copy.clone(), samples)
            .await;
        let verification = verification.expect("a comparison");
        assert_eq!(self.bench.server.unknown_requests(), []);
        assert!(!verification.compared.is_empty());
        verification
    }

    pub(crate) async fn assert_nothing(&self, samples: u32) {
        let mut verification = self.verify(samples).await;
        verification
            .findings
            .retain(|finding| finding.kind != Harmless);
        assert_eq!(verification.findings, [], "{:#?}", verification.compared);
    }

    /// The only findings of a kind; there must be none of an error of another kind.
    pub(crate) async fn assert_only(&self, kind: FindingKind, samples: u32) -> Vec<Finding> {
        let verification = self.verify(samples).await;
        let is_other =
            |finding: &&Finding| finding.kind != kind && [Missing, Stale].contains(&finding.kind);
        let others: Vec<_> = verification.findings.iter().filter(is_other).collect();
        assert!(others.is_empty(), "{others:#?}");
        let findings = verification.findings.into_iter();
        let findings: Vec<_> = findings.filter(|finding| finding.kind == kind).collect();
        assert!(!findings.is_empty(), "{:#?}", verification.compared);
        findings
    }

    /// Ids of all builds, newest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.bench.server.with_world(|world| world.build_ids())
    }

    /// The place of a build: `acme-inc/web #12`.
    pub(crate) fn place(&self, id: &str) -> String {
        let text = self.bench.server.with_world(|world| world.build_json(id));
        let build: Value = serde_json::from_str(&text.expect("a build")).expect("JSON");
        let slug = build["pipeline"]["slug"].as_str().expect("a slug");
        format!("acme-inc/{slug} #{}", build["number"])
    }
}

/// Time passes at the fake.
pub(crate) fn pass(server: &MockBuildkite, minutes: u64) {
    server.clock().advance(Duration::from_secs(60 * minutes));
}
