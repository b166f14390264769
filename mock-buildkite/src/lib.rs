//! A stateful fake of Buildkite's REST API, for offline tests.
//!
//! One [`World`] of organizations, pipelines, builds, jobs and all that hangs off them behind a
//! real HTTP server on a free loopback port; the content of artifacts lies behind a second one. It
//! answers as Buildkite documents and as recorded answers show: scopes, both rate limits, `Link`
//! headers and cursors, the filters of the lists, gzip. It takes the writes of builds, jobs,
//! annotations and pipelines; builds made so move on by its clock. It changes data while a client
//! pages, and breaks on command: also after a write was done.
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
//! Also a program: `mock-buildkite --help`.

mod clock;
mod dice;
mod document;
mod fixture;
mod routes;
mod seed;
mod server;
mod time;
mod world;

pub use clock::Clock;
pub use document::Document;
pub use fixture::{BuildFixture, JobFixture};
pub use seed::Seed;
pub use server::{
    Builder, Fault, LimitHeaders, LimitScope, LinkStyle, MockBuildkite, SeenDownload, SeenRequest,
    StartError, When,
};
pub use world::{
    BuildDocument, CreatedBuild, DEMO_TOKEN, Ignored, LoadError, StoredObject, Token, User, World,
};
