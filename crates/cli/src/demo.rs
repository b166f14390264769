//! The fake of Buildkite inside this program, for `--demo`.

use std::time::SystemTime;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_cli::{Demo, RunningDemo};
use connector_core::{Credential, Error, ErrorKind, Result, State};
use mock_buildkite::{MockBuildkite, Seed, World};

/// Buildkite's default limits, so that a demo shows what a real sync would meet.
const REQUESTS_PER_MINUTE: (u32, u32) = (50, 200);
/// What states name as the remote, followed by the moment at which the demo began.
const STATE_ID: &str = "demo:";

/// The fake of Buildkite.
pub(crate) struct Fake;

#[async_trait]
impl Demo for Fake {
    fn help(&self) -> String {
        "Sync made-up data from a fake of Buildkite inside this program: no account, no token"
            .to_owned()
    }

    async fn start(&self, previous: Option<&State>) -> Result<RunningDemo> {
        let (user, organization) = REQUESTS_PER_MINUTE;
        let now = DateTime::<Utc>::from(SystemTime::now());
        let begun = previous.and_then(beginning).unwrap_or(now);
        let server = MockBuildkite::builder(World::seeded(&seed(begun)))
            .rate_limit_user(user)
            .rate_limit_organization(organization)
            .record_requests(false)
            .running_clock()
            .start()
            .await;
        let server = server.map_err(|error| {
            Error::new(ErrorKind::Io, "the demo could not be started").with_source(error)
        })?;
        // What has happened in the made-up organizations since the last demo.
        let elapsed = (now - begun).to_std().unwrap_or_default();
        server.clock().advance(elapsed);
        let uri = server.uri().to_owned();
        // It opens nothing but this fake.
        let token = Credential::ApiKey(server.token().into());
        let notice = format!(
            "Demo: made-up data from a fake of Buildkite at {uri}; nothing leaves this machine."
        );
        let running = RunningDemo::new(notice, server);
        Ok(running
            .with_setting("base_url", uri)
            .with_setting(
                "state_id",
                format!("{STATE_ID}{}", begun.timestamp_millis()),
            )
            .with_credential(token))
    }
}

/// When the demo of a state began: every demo into one copy has the same made-up data.
fn beginning(state: &State) -> Option<DateTime<Utc>> {
    let (_, state) = state.streams().next()?;
    let millis = state["base_url"].as_str()?.strip_prefix(STATE_ID)?;
    DateTime::from_timestamp_millis(millis.parse().ok()?)
}

/// Enough for queries to show something, in a few requests.
fn seed(now: DateTime<Utc>) -> Seed {
    Seed {
        organizations: 2,
        pipelines: 12,
        builds: 1_000,
        jobs_per_build: 10,
        now,
        ..Seed::default()
    }
}
