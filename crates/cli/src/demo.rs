//! The fake of Buildkite inside this program, for `--demo`.

use std::time::SystemTime;

use async_trait::async_trait;
use connector_cli::{Demo, RunningDemo};
use connector_core::{Credential, Error, ErrorKind, Result};
use mock_buildkite::{MockBuildkite, Seed, World};

/// Buildkite's default limits, so that a demo shows what a real sync would meet.
const REQUESTS_PER_MINUTE: (u32, u32) = (50, 200);

/// The fake of Buildkite.
pub(crate) struct Fake;

#[async_trait]
impl Demo for Fake {
    fn help(&self) -> String {
        "Sync made-up data from a fake of Buildkite inside this program: no account, no token"
            .to_owned()
    }

    async fn start(&self) -> Result<RunningDemo> {
        let (user, organization) = REQUESTS_PER_MINUTE;
        let server = MockBuildkite::builder(World::seeded(&seed()))
            .rate_limit_user(user)
            .rate_limit_organization(organization)
            .record_requests(false)
            .running_clock()
            .start()
            .await;
        let server = server.map_err(|error| {
            Error::new(ErrorKind::Io, "the demo could not be started").with_source(error)
        })?;
        let uri = server.uri().to_owned();
        // It opens nothing but this fake.
        let token = Credential::ApiKey(server.token().into());
        let notice = format!(
            "Demo: made-up data from a fake of Buildkite at {uri}; nothing leaves this machine."
        );
        let running = RunningDemo::new(notice, server);
        Ok(running.with_setting("base_url", uri).with_credential(token))
    }
}

/// Enough for queries to show something, in a few requests.
fn seed() -> Seed {
    Seed {
        organizations: 2,
        pipelines: 12,
        builds: 1_000,
        jobs_per_build: 10,
        now: SystemTime::now().into(),
        ..Seed::default()
    }
}
