//! A stateful fake of Buildkite's REST API, for offline tests.
//!
//! One [`World`] of organizations, pipelines, builds, jobs and everything below them, behind a real
//! HTTP server on a free loopback port. It answers as Buildkite's documentation and recorded
//! answers show: scopes, both rate limits, `Link` headers and cursors, filters, gzip. It takes
//! writes, and builds created over the API run by its clock. It changes data while a client pages,
//! and breaks on command, also after a write was carried out.
//!
//! ```
//! use mock_buildkite::{BuildFixture, Fault, MockBuildkite, World};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let mut world = World::empty();
//! world.create_build(BuildFixture::new("acme-inc", "widgets").state("failed"));
//!
//! let server = MockBuildkite::start(world).await;
//! server.fail_next(Fault::status(502));
//! // Point the client under test at `server.uri()`, with the token `server.token()`.
//! assert!(server.uri().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! The feature `wiremock`, on by default, serves it on a `wiremock::MockServer` beside a test's own
//! mocks: see [`MockBuildkite::mount`].
//!
//! Also a program: `mock-buildkite --help`.

mod address;
mod clock;
mod cron;
mod document;
mod fixture;
mod form;
mod ids;
mod pattern;
mod rng;
mod routes;
mod seed;
mod server;
mod settings;
mod steps;
mod time;
mod webhooks;
mod world;

pub use clock::Clock;
pub use document::{BuildDocument, Document};
pub use fixture::{BuildFixture, JobFixture};
pub use seed::Seed;
#[cfg(feature = "wiremock")]
pub use server::FakeResponder;
pub use server::{
    Builder, Fault, LimitHeaders, LimitScope, MockBuildkite, SeenDownload, SeenRequest, StartError,
    When,
};
pub use settings::LinkStyle;
pub use webhooks::{SentWebhook, Webhook, WebhookFaults, WebhookMode};
pub use world::{
    CreatedBuild, DEMO_TOKEN, Ignored, JobOutcome, JobRule, LoadError, RestoreError, StoredObject,
    Token, User, World,
};
