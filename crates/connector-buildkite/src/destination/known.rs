//! Which keys the builds of a pipeline have already.
//!
//! Every build that is triggered here says so in its `meta_data`, so that one list shows them all,
//! a hundred per request, where asking by key takes a request for each record. What the list shows
//! goes into the journal: the next run reads only what is newer.

use std::collections::HashMap;
use std::pin::pin;

use buildkite_client::{BuildQuery, Error, Listed, RawBuild};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::action::Lane;
use super::desk::Desk;
use super::journal::Done;

/// Where the key of a record is in the `meta_data` of its build.
pub(crate) const KEY: &str = "idempotency-key";
/// What says in `meta_data` that a build was triggered here.
pub(crate) const MARK: (&str, &str) = ("triggered-by", "buildkite-connector");

/// The clocks of two machines may differ by this.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// A build of ours: the key it has, and what it is.
type Ours = Option<(String, Done)>;

/// What is known of one pipeline.
#[derive(Default)]
pub(crate) struct Known {
    keys: HashMap<String, Done>,
    /// The list of our builds, read as far as it was needed.
    listing: Option<BoxStream<'static, Result<Listed<Ours>, Error>>>,
    server_time: Option<DateTime<Utc>>,
    is_complete: bool,
}

impl Known {
    /// The build that has this key, if one has.
    ///
    /// As long as the list is not read to its end, each call reads one page more of it and asks
    /// for the one key besides: however long the list is, and however few records there are, that
    /// is at most twice what the cheaper way takes.
    ///
    /// # Errors
    /// Those of the client.
    pub(crate) async fn find(
        &mut self,
        desk: &Desk,
        place: &str,
        lane: &Lane,
        key: &str,
    ) -> Result<Option<Done>, Error> {
        loop {
            if !self.is_complete && !self.keys.contains_key(key) {
                self.read_page(desk, place, lane).await?;
            }
            if let Some(done) = self.keys.get(key) {
                return Ok(Some(done.clone()));
            }
            if self.is_complete {
                return Ok(None);
            }
            match by_key(desk, lane, key, Unfiltered::Tell).await? {
                ByKey::Found(done) => return Ok(Some(done)),
                ByKey::Nothing => return Ok(None),
                // Then only the whole list tells.
                ByKey::Unfiltered => self.read_all(desk, place, lane).await?,
            }
        }
    }

    async fn read_all(&mut self, desk: &Desk, place: &str, lane: &Lane) -> Result<(), Error> {
        while !self.is_complete {
            self.read_page(desk, place, lane).await?;
        }
        Ok(())
    }

    async fn read_page(&mut self, desk: &Desk, place: &str, lane: &Lane) -> Result<(), Error> {
        if self.listing.is_none() {
            let covered = desk.journal.covered(place);
            if covered.is_none() {
                desk.settled("builds").await;
            }
            let query = BuildQuery {
                created_from: covered.map(|until| until - OVERLAP),
                ..query(lane, MARK.0, MARK.1)
            };
            self.listing = Some(desk.client.builds(query, ours).boxed());
        }
        let Some(listing) = &mut self.listing else {
            return Ok(());
        };
        loop {
            let listed = match listing.try_next().await {
                Ok(Some(listed)) => listed,
                // A list that has failed yields nothing more: the next look begins anew.
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
                Listed::Build(build) => self.keys.extend(build),
                Listed::Unusable(unusable) => return Err(unusable.into_error()),
                Listed::Page(progress) => {
                    // The first answer's time: what came later may be missing.
                    self.server_time = self.server_time.or(progress.server_time);
                    self.is_complete = progress.is_end;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Once it is complete: what the journal does not know yet, and until when it then knows all.
    pub(crate) async fn keep(&mut self, desk: &Desk, place: &str) -> connector_core::Result<()> {
        if !self.is_complete || self.listing.take().is_none() {
            return Ok(());
        }
        let is_new = |key: &str| desk.journal.entry(place, key).is_none();
        let found: Vec<_> = self.keys.drain().filter(|(key, _)| is_new(key)).collect();
        desk.journal.cover(place, found, self.server_time).await
    }
}

/// What is done about a server that shows other builds too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfiltered {
    /// It is told after a page.
    Tell,
    /// All builds are looked through.
    ReadOn,
}

/// What the list by key shows.
pub(crate) enum ByKey {
    /// The build that has it.
    Found(Done),
    /// No build has it.
    Nothing,
    /// The server shows other builds too: its filter tells nothing. None of the newest has it.
    Unfiltered,
}

/// The build of this key, asked for by the key: one request, or one for each hundred builds that
/// have the same.
///
/// # Errors
/// Those of the client.
pub(crate) async fn by_key(
    desk: &Desk,
    lane: &Lane,
    key: &str,
    unfiltered: Unfiltered,
) -> Result<ByKey, Error> {
    let mut listing = pin!(desk.client.builds(query(lane, KEY, key), ours));
    let (mut found, mut others) = (Vec::new(), false);
    while let Some(listed) = listing.try_next().await? {
        match listed {
            Listed::Build(Some((one, done))) if one == key => found.push(done),
            Listed::Build(_) => others = true,
            Listed::Unusable(unusable) => return Err(unusable.into_error()),
            Listed::Page(_) if others && unfiltered == Unfiltered::Tell => break,
            Listed::Page(_) => {}
        }
    }
    if found.len() > 1 {
        let numbers: Vec<_> = found.iter().filter_map(|done| done.number).collect();
        desk.notice(
            "builds",
            format!("several builds have the key {key}: {numbers:?}; none of them is new"),
        );
    }
    // The oldest: lists have the newest first.
    Ok(match found.pop() {
        Some(done) => ByKey::Found(done),
        None if others && unfiltered == Unfiltered::Tell => ByKey::Unfiltered,
        None => ByKey::Nothing,
    })
}

fn query(lane: &Lane, key: &'static str, value: &str) -> BuildQuery {
    BuildQuery {
        organization: lane.organization.clone(),
        pipeline: Some(lane.pipeline.clone()),
        meta_data: Some((key, value.to_owned())),
        ..BuildQuery::default()
    }
}

/// A server that does not know the filter shows builds of others too.
fn ours(build: RawBuild<'_>) -> Ours {
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
