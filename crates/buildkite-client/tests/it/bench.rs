//! A fake, a client that points at it, and a clock that moves both without waiting.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use buildkite_client::{
    BuildQuery, Client, Clock, Credential, Error, Event, Listed, ListingProgress, Options,
};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use mock_buildkite::{Builder, MockBuildkite, SeenRequest, World};
use tokio::time::timeout;

use crate::expected::Build;

/// No listing of these tests takes longer unless it hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Sleeping moves this clock and the fake's clock forward at once.
pub(crate) struct TestClock {
    start: Instant,
    passed: Mutex<Duration>,
    server: mock_buildkite::Clock,
}

impl TestClock {
    /// How long the client has slept.
    pub(crate) fn passed(&self) -> Duration {
        *self
            .passed
            .lock()
            .expect("no test panics while it holds it")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self
            .passed
            .lock()
            .expect("no test panics while it holds it") += duration;
        self.server.advance(duration);
        Box::pin(ready(()))
    }
}

/// What a test needs.
pub(crate) struct Bench {
    pub(crate) server: MockBuildkite,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) client: Client,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Bench {
    pub(crate) async fn new(world: World) -> Self {
        Self::with(MockBuildkite::builder(world), |_| {}).await
    }

    pub(crate) async fn with(builder: Builder, set: impl FnOnce(&mut Options)) -> Self {
        let server = builder.start().await.expect("a free port");
        let clock = Arc::new(TestClock {
            start: Instant::now(),
            passed: Mutex::default(),
            server: server.clock(),
        });
        let mut options = Options::new(Credential::ApiKey(server.token().into()));
        options.base_url = server.uri().to_owned();
        options.clock = Arc::<TestClock>::clone(&clock);
        set(&mut options);
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let client = Client::new(options).expect("the options are sound");
        let client = client.with_observer(Arc::new(move |event| {
            seen.lock().expect("nothing panics here").push(event);
        }));
        Self {
            server,
            clock,
            client,
            events,
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.events.lock();
        events.expect("no test panics while it holds it").clone()
    }

    /// How long the client has said it waits for rate limits.
    pub(crate) fn announced(&self) -> Duration {
        let wait = |event: &Event| match event {
            Event::RateLimitWait { duration, .. } => *duration,
            _ => Duration::ZERO,
        };
        self.events().iter().map(wait).sum()
    }

    /// Requests answered with 429.
    pub(crate) fn refusals(&self) -> usize {
        let is_refusal = |request: &&SeenRequest| request.status == 429;
        self.server.requests().iter().filter(is_refusal).count()
    }

    /// The requested page sizes, in order.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        let requests = self.server.requests();
        requests
            .iter()
            .filter_map(|one| parameter(one, "per_page"))
            .collect()
    }

    /// The whole listing of a query.
    pub(crate) async fn read(&self, query: BuildQuery) -> Result<Vec<Build>, Error> {
        self.read_with(query, |_, _| {}).await
    }

    /// The whole listing of a query. `on_page` is called after each page, with its number from 1.
    pub(crate) async fn read_with(
        &self,
        query: BuildQuery,
        mut on_page: impl FnMut(usize, ListingProgress),
    ) -> Result<Vec<Build>, Error> {
        let mut listing = Box::pin(self.client.builds(query, |build| Build::of(&build)));
        let mut builds: Vec<Build> = Vec::new();
        let mut pages = 0;
        while let Some(listed) = next(&mut listing).await {
            match listed? {
                Listed::Build(build) => builds.push(build),
                Listed::Unusable(unusable) => panic!("{unusable:?}"),
                Listed::Page(progress) => {
                    pages += 1;
                    on_page(pages, progress);
                }
            }
        }
        assert_eq!(self.server.unknown_requests(), []);
        Ok(builds)
    }
}

/// The next item, in time.
pub(crate) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    timeout(LIMIT, stream.next())
        .await
        .expect("an item in time")
}

/// All builds of an organization, with their jobs.
pub(crate) fn all(organization: &str) -> BuildQuery {
    BuildQuery {
        organization: organization.to_owned(),
        with_jobs: true,
        ..BuildQuery::default()
    }
}

/// A number out of the query of a request.
pub(crate) fn parameter(request: &SeenRequest, key: &str) -> Option<u32> {
    let mut pairs = request
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    value.parse().ok()
}
