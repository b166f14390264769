//! The fake behind a `wiremock::MockServer`, beside the mocks of a test.

use std::net::Ipv4Addr;

use hyper::body::Bytes;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use super::request::{Host, Request};
use super::respond::respond;
use super::{MockBuildkite, Shared, lock};

/// Answers the requests of a [`wiremock::MockServer`] as the fake does.
///
/// It answers from the world, faults, limits and journal of the [`MockBuildkite`] that it was made
/// from. Artifacts are still downloaded from [`MockBuildkite::storage_uri`].
///
/// A mock cannot close a connection: where a fault does, the answer is 500 with a text that says
/// so. A slow body is late as a whole. To test a client against these, use
/// [`MockBuildkite::uri`].
pub struct FakeResponder {
    store: Shared,
}

impl Respond for FakeResponder {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let request = Request {
            host: Host::Api,
            peer: Ipv4Addr::LOCALHOST.into(),
            method: request.method.as_str().to_owned(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            headers: request.headers.clone(),
            body: Bytes::copy_from_slice(&request.body),
        };
        respond(&self.store, request).into_template()
    }
}

impl MockBuildkite {
    /// A responder for mocks of [`wiremock`], for a test that decides itself which requests the
    /// fake gets. It can be made many times.
    ///
    /// ```
    /// use mock_buildkite::{MockBuildkite, Seed, World};
    /// use wiremock::matchers::path_regex;
    /// use wiremock::{Mock, MockServer};
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    /// # runtime.block_on(async {
    /// let server = MockServer::start().await;
    /// let fake = MockBuildkite::start(World::seeded(&Seed::default())).await;
    /// Mock::given(path_regex("/builds$"))
    ///     .respond_with(fake.responder())
    ///     .expect(1..)
    ///     .mount(&server)
    ///     .await;
    /// # server.reset().await;
    /// # });
    /// ```
    #[must_use]
    pub fn responder(&self) -> FakeResponder {
        FakeResponder {
            store: self.store.clone(),
        }
    }

    /// Serves the whole fake on a [`wiremock::MockServer`] too. Mocks that the test mounted before
    /// come first. Addresses inside answers lead to this server from now on, unless the builder was
    /// given an [`origin`](super::Builder::origin).
    ///
    /// ```
    /// use mock_buildkite::{MockBuildkite, Seed, World};
    /// use wiremock::matchers::{method, path};
    /// use wiremock::{Mock, MockServer, ResponseTemplate};
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    /// # runtime.block_on(async {
    /// let server = MockServer::start().await;
    /// // One answer of the test's own, the rest from the fake.
    /// Mock::given(method("GET"))
    ///     .and(path("/v2/user"))
    ///     .respond_with(ResponseTemplate::new(418))
    ///     .mount(&server)
    ///     .await;
    /// let fake = MockBuildkite::start(World::seeded(&Seed::default())).await;
    /// fake.mount(&server).await;
    /// // Point the client under test at `server.uri()`, with the token `fake.token()`.
    /// # });
    /// ```
    pub async fn mount(&self, server: &MockServer) {
        {
            let store = &mut *lock(&self.store);
            if store.origin == store.base {
                store.origin = server.uri();
                store.world.set_origin(&store.origin);
            }
        }
        let mock = Mock::given(any()).respond_with(self.responder());
        mock.mount(server).await;
    }
}
