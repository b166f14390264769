//! The fake with a runtime of its own, so that tests are plain functions.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::time::Duration;

use mock_buildkite::{Builder, MockBuildkite, Seed, World};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use super::expected::expected;
use super::json::{Records, fields, items, string};

/// A running fake.
pub(crate) struct Fake {
    server: MockBuildkite,
    runtime: Runtime,
}

/// A made-up world.
pub(crate) fn world(builds: usize, jobs_per_build: usize, organizations: usize) -> World {
    World::seeded(&Seed {
        builds,
        jobs_per_build,
        organizations,
        ..Seed::default()
    })
}

impl Fake {
    /// Without rate limits.
    pub(crate) fn start(world: World) -> Self {
        Self::with(MockBuildkite::builder(world))
    }

    /// With more set.
    pub(crate) fn with(builder: Builder) -> Self {
        let runtime = RuntimeBuilder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(builder.start()).unwrap();
        Self { server, runtime }
    }

    /// Where programs that are started for it run.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The builds and jobs that a sync must write.
    pub(crate) fn expected_builds(&self) -> Records {
        expected(&self.with_world(|world| world.builds_json()))
    }

    /// Everything that a sync of all four streams must write.
    pub(crate) fn expected(&self) -> Records {
        let mut records = self.expected_builds();
        for organization in items(&self.get("/v2/organizations?per_page=100")) {
            let organization = fields(&organization);
            let slug = organization["slug"].clone();
            let key = ("organizations".to_owned(), organization["id"].clone());
            records.insert(key, organization);
            let path = format!("/v2/organizations/{}/pipelines?per_page=100", string(&slug));
            for pipeline in items(&self.get(&path)) {
                let mut pipeline = fields(&pipeline);
                pipeline.insert("organization_slug".to_owned(), slug.clone());
                let key = ("pipelines".to_owned(), pipeline["id"].clone());
                records.insert(key, pipeline);
            }
        }
        records
    }

    /// The body of an answer, by the plainest client there can be.
    fn get(&self, path_and_query: &str) -> String {
        let address = self.uri().strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let token = self.token();
        write!(
            connection,
            "GET {path_and_query} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        assert!(!head.contains("rel=\"next\""), "one page: {head}");
        body.to_owned()
    }
}

impl Deref for Fake {
    type Target = MockBuildkite;

    fn deref(&self) -> &MockBuildkite {
        &self.server
    }
}
