//! A fake, a copy of what it holds, and what a comparison finds.

use std::sync::Arc;
use std::time::Duration;

use connector_core::FindingKind::{Harmless, Missing, Stale};
use connector_core::{Finding, FindingKind, ReadRequest, Selection, Source, State, Verification};
use futures::TryStreamExt;
use mock_buildkite::{MockBuildkite, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, checkpoints};
use crate::copy::Copy;

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
        };
        synced.sync().await;
        pass(&synced.bench.server, 60);
        synced
    }

    pub(crate) async fn sync(&mut self) {
        let reading = self.source.read(request(&STREAMS, self.state.clone()));
        let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
        self.copy.write(&messages);
        let last = checkpoints(&messages).pop().map(|(_, state)| state);
        self.state = last.or(self.state.take());
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
