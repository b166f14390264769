//! Which keys the builds of a pipeline have already.
//!
//! Every build that is triggered here says so in its `meta_data`. One list shows them all, a
//! hundred per request, where asking by key takes one request per record. What the list shows goes
//! into the journal: the next run reads only what is newer.

use std::collections::HashMap;
use std::pin::pin;

use buildkite_client::{BuildQuery, Error, Listed, RawBuild};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::api_request::PipelineKey;
use super::idempotency::{KEY, MARK};
use super::journal::{Done, Journal};
use super::remote::Remote;

/// The clocks of two machines may differ by this much.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// A build with a key: the key, and which build it is.
type KeyedBuild = Option<(String, Done)>;

/// Where builds are looked for.
#[derive(Clone, Copy)]
pub(crate) struct BuildsOf<'a> {
    pub(crate) remote: &'a Remote,
    pub(crate) journal: &'a Journal,
    /// Their place in the journal.
    pub(crate) place: &'a str,
    pub(crate) pipeline: &'a PipelineKey,
}

/// What is known of the builds of one pipeline.
#[derive(Default)]
pub(crate) struct ExistingBuilds {
    by_key: HashMap<String, Done>,
    /// The list of builds that were triggered here, read as far as it was needed.
    listing: Option<BoxStream<'static, Result<Listed<KeyedBuild>, Error>>>,
    server_time: Option<DateTime<Utc>>,
    is_complete: bool,
}

impl ExistingBuilds {
    /// The build that has this key, if any.
    ///
    /// Until the list has been read to its end, each call reads one more page of it and asks for
    /// the one key as well. However long the list is, and however few records there are, that
    /// costs at most twice what the cheaper way costs.
    ///
    /// # Errors
    /// Those of the client.
    pub(crate) async fn find(
        &mut self,
        builds: BuildsOf<'_>,
        key: &str,
    ) -> Result<Option<Done>, Error> {
        loop {
            if !self.is_complete && !self.by_key.contains_key(key) {
                self.read_page(builds).await?;
            }
            if let Some(done) = self.by_key.get(key) {
                return Ok(Some(done.clone()));
            }
            if self.is_complete {
                return Ok(None);
            }
            match by_key(builds.remote, builds.pipeline, key, Unfiltered::Report).await? {
                ByKey::Found(done) => return Ok(Some(done)),
                ByKey::Nothing => return Ok(None),
                // Then only the whole list can tell.
                ByKey::Unfiltered => self.read_all(builds).await?,
            }
        }
    }

    async fn read_all(&mut self, builds: BuildsOf<'_>) -> Result<(), Error> {
        while !self.is_complete {
            self.read_page(builds).await?;
        }
        Ok(())
    }

    async fn read_page(&mut self, builds: BuildsOf<'_>) -> Result<(), Error> {
        if self.listing.is_none() {
            self.listing = Some(list(builds).await);
        }
        let Some(listing) = &mut self.listing else {
            return Ok(());
        };
        loop {
            let listed = match listing.try_next().await {
                Ok(Some(listed)) => listed,
                // A list that has failed yields nothing more: the next call begins anew.
                Ok(None) => {
                    self.listing = None;
                    break;
                }
                Err(error) => {
                    (self.listing, self.server_time) = (None, None);
                    return Err(error);
                }
            };
            match listed {
                Listed::Build(build) => self.by_key.extend(build),
                Listed::Unusable(unusable) => return Err(unusable.into_error()),
                Listed::Page(progress) => {
                    // The time of the first answer: what was created later may be missing.
                    self.server_time = self.server_time.or(progress.server_time);
                    self.is_complete = progress.is_end;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Once the list is complete: writes what the journal does not know yet, and until when it
    /// knows everything.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn keep(&mut self, builds: BuildsOf<'_>) -> connector_core::Result<()> {
        if !self.is_complete || self.listing.take().is_none() {
            return Ok(());
        }
        let BuildsOf { journal, place, .. } = builds;
        let is_new = |key: &str| journal.entry(place, key).is_none();
        let found: Vec<_> = self.by_key.drain().filter(|(key, _)| is_new(key)).collect();
        journal.cover(place, found, self.server_time).await
    }
}

/// Begins the list of builds that were triggered here, as far as the journal does not know them.
async fn list(builds: BuildsOf<'_>) -> BoxStream<'static, Result<Listed<KeyedBuild>, Error>> {
    let covered = builds.journal.covered(builds.place);
    if covered.is_none() {
        builds.remote.wait_until_settled("builds").await;
    }
    let query = BuildQuery {
        created_from: covered.map(|until| until - OVERLAP),
        ..query(builds.pipeline, MARK.0, MARK.1)
    };
    builds.remote.client.builds(query, keyed_build).boxed()
}

/// What to do if the server shows other builds too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfiltered {
    /// Stop after a page, and report it.
    Report,
    /// Look through all builds.
    ReadOn,
}

/// What the list by key shows.
pub(crate) enum ByKey {
    /// The build that has it.
    Found(Done),
    /// No build has it.
    Nothing,
    /// The server shows other builds too, so its filter tells nothing. None of the newest has it.
    Unfiltered,
}

/// The build that has this key, asked for by the key. Takes one request, or one for each hundred
/// builds that have the same key.
///
/// # Errors
/// Those of the client.
pub(crate) async fn by_key(
    remote: &Remote,
    pipeline: &PipelineKey,
    key: &str,
    unfiltered: Unfiltered,
) -> Result<ByKey, Error> {
    let mut listing = pin!(remote.client.builds(query(pipeline, KEY, key), keyed_build));
    let (mut found, mut others) = (Vec::new(), false);
    while let Some(listed) = listing.try_next().await? {
        match listed {
            Listed::Build(Some((one, done))) if one == key => found.push(done),
            Listed::Build(_) => others = true,
            Listed::Unusable(unusable) => return Err(unusable.into_error()),
            Listed::Page(_) if others && unfiltered == Unfiltered::Report => break,
            Listed::Page(_) => {}
        }
    }
    if found.len() > 1 {
        let numbers: Vec<_> = found.iter().filter_map(|done| done.number).collect();
        let message =
            format!("several builds have the key {key}: {numbers:?}; none of them is new");
        remote.notice("builds", message);
    }
    // The oldest: lists have the newest first.
    Ok(match found.pop() {
        Some(done) => ByKey::Found(done),
        None if others && unfiltered == Unfiltered::Report => ByKey::Unfiltered,
        None => ByKey::Nothing,
    })
}

fn query(pipeline: &PipelineKey, key: &'static str, value: &str) -> BuildQuery {
    BuildQuery {
        organization: pipeline.organization.clone(),
        pipeline: Some(pipeline.pipeline.clone()),
        meta_data: Some((key, value.to_owned())),
        ..BuildQuery::default()
    }
}

/// A server that does not know the filter shows builds without a key too.
fn keyed_build(build: RawBuild<'_>) -> KeyedBuild {
    #[derive(Deserialize)]
    struct MetaData {
        #[serde(rename = "idempotency-key")]
        key: String,
    }
    let meta_data = build.field("meta_data")?.get();
    let MetaData { key } = serde_json::from_str(meta_data).ok()?;
    let url = build.field("web_url");
    let url = url.and_then(|url| serde_json::from_str(url.get()).ok());
    let created_at = build.field("created_at");
    let done = Done {
        number: Some(build.number),
        url,
        created_at: created_at.and_then(|at| serde_json::from_str(at.get()).ok()),
    };
    Some((key, done))
}
