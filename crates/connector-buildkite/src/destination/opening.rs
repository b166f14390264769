//! What a run needs before its first record: scopes, places that exist, journal, duties.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use buildkite_client::Client;
use connector_core::{Error, ErrorKind, Event, Result, StreamName, WritePlan};

use super::config::Wait;
use super::delivery::{
    BuildWatcher, DeliveryContext, Journal, OutcomeLog, PipelineKey, Remote, missing,
};
use super::journal_place::JournalPlace;
use super::unsettled::Unsettled;
use super::{BuildkiteDestination, Open};
use crate::connection::missing_scopes;
use crate::error::explain;

impl BuildkiteDestination {
    /// Opens the journal, and takes up what earlier runs owe.
    ///
    /// # Errors
    /// Those of the scopes and of the journal.
    pub(super) async fn open(&self, plan: &WritePlan) -> Result<Open> {
        let mut user_email = None;
        if !self.host.is_dry {
            let names = plan.streams.iter().map(|plan| &plan.stream.name);
            user_email = self.expect_scopes(&self.client, names).await?;
        }
        let journal = self.journal().await?;
        let mut watcher = self.watcher();
        if let Some(watcher) = &mut watcher {
            watcher.resume(journal.awaited(&plan.sync));
        }
        let remote = self.remote(&self.client).with_user_email(user_email);
        let context = DeliveryContext::new(remote, journal, &self.base_url);
        Ok(Open {
            sync: plan.sync.clone(),
            context: context.with_safeguards(self.safeguards),
            log: OutcomeLog::new()?,
            watcher,
            unsettled: Unsettled::default(),
        })
    }

    /// Proves that the token may write these streams. Returns the e-mail address of its user.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`], listing the scopes that it lacks; those of the client.
    pub(super) async fn expect_scopes(
        &self,
        client: &Client,
        streams: impl Iterator<Item = &StreamName>,
    ) -> Result<Option<String>> {
        let needed = streams.flat_map(|name| self.routes.of(name).accepted.scopes);
        let needed: BTreeSet<&str> = needed.copied().collect();
        let token = client.access_token().await.map_err(explain)?;
        let email = token.user.and_then(|user| user.email);
        // Older answers do not tell.
        let Some(granted) = token.scopes else {
            return Ok(email);
        };
        let missing = missing_scopes(needed, &granted);
        if missing.is_empty() {
            return Ok(email);
        }
        let message = format!(
            "the token lacks the scopes {}; add them on the token's page at Buildkite",
            missing.join(", ")
        );
        Err(Error::new(ErrorKind::Permission, message))
    }

    fn remote(&self, client: &Client) -> Remote {
        // A dry run does not wait for what others have just sent.
        let settle = if self.host.is_dry {
            Duration::ZERO
        } else {
            self.config.settle()
        };
        let host = (Arc::clone(&self.host.observer), self.host.stop.clone());
        Remote::new(client.clone(), host, Arc::clone(&self.clock), settle)
    }

    /// Proves that the organization and the pipeline of the settings exist.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], with the key; those of the client.
    pub(super) async fn expect_places(&self, client: &Client) -> Result<()> {
        let Some(organization) = self.config.organization.clone() else {
            return Ok(());
        };
        let pipeline = self.config.pipeline.clone().unwrap_or_default();
        let key = if pipeline.is_empty() {
            "organization"
        } else {
            "pipeline"
        };
        let place = PipelineKey {
            organization,
            pipeline,
        };
        match missing(&self.remote(client), &place).await? {
            Some(reason) => Err(Error::new(ErrorKind::NotFound, reason).with_context("key", key)),
            None => Ok(()),
        }
    }

    /// A dry run reads the journal, and neither holds nor changes it.
    async fn journal(&self) -> Result<Journal> {
        let folder = self.host.data_folder.as_deref();
        let place = JournalPlace::of(&self.config, &self.base_url, folder);
        if let Some(notice) = place.notice() {
            self.host.observer.observe(Event::notice(notice));
        }
        match place.path() {
            Some(path) if self.host.is_dry => Journal::read(path.to_owned()).await,
            path => {
                place.make_folder()?;
                Journal::open(path.map(PathBuf::from)).await
            }
        }
    }

    /// Absent in a dry run: it triggers nothing.
    fn watcher(&self) -> Option<BuildWatcher> {
        if self.host.is_dry {
            return None;
        }
        let poll = Duration::from_secs(self.config.poll_seconds.into());
        let watcher = |Wait::Finished| BuildWatcher::new(poll, self.config.wait_minutes);
        self.config.wait.map(watcher)
    }
}
