//! The fake of Buildkite inside this program, for `sync --demo`.

use std::time::SystemTime;

use connector_core::{Credential, Error, ErrorKind, Result};
use mock_buildkite::{MockBuildkite, Seed, World};

use crate::output;
use crate::settings::Side;

/// Buildkite's default limits, so that a demo shows what a real sync would meet.
const REQUESTS_A_MINUTE: (u32, u32) = (50, 200);

/// A fake that answers as long as this lives.
pub(crate) struct Demo {
    server: MockBuildkite,
}

impl Demo {
    /// Starts the fake, says so, and points `source` at it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if this machine has no free loopback port.
    pub(crate) async fn start(source: &mut Side) -> Result<Self> {
        let (user, organization) = REQUESTS_A_MINUTE;
        let server = MockBuildkite::builder(World::seeded(&seed()))
            .rate_limit_user(user)
            .rate_limit_organization(organization)
            .record_requests(false)
            .running_clock()
            .start()
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the demo could not be started").with_source(error)
            })?;
        output::say(format_args!(
            "Demo: made-up data from a fake of Buildkite at {}; nothing leaves this machine.",
            server.uri()
        ));
        source.set_text("base_url", Some(server.uri()));
        Ok(Self { server })
    }

    /// The token that the fake accepts; it opens nothing else.
    pub(crate) fn credential(&self) -> Credential {
        Credential::ApiKey(self.server.token().into())
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
