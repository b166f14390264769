//! Opening the connector under test.

use std::fmt;
use std::sync::Arc;

use connector_core::{Capabilities, Destination, Result, Setup, Source};

use super::Suite;
use super::sync_run::count;
use crate::given::{Access, Writing};
use crate::report::{Verdict, absent};
use crate::watcher::Watcher;

/// The two roles that have settings of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Source,
    Destination,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

impl Suite<'_> {
    /// Checks settings without opening anything.
    pub(crate) fn validate(&self, role: Role, setup: &Setup) -> Result<()> {
        match role {
            Role::Source => self.connector.expect_source()?.validate(setup),
            Role::Destination => self.connector.expect_destination()?.validate(setup),
        }
    }

    /// Opens the connector, to see whether that works.
    pub(crate) async fn open(&self, role: Role, setup: Setup) -> Result<()> {
        match role {
            Role::Source => self
                .connector
                .expect_source()?
                .open(setup)
                .await
                .map(|_| ()),
            Role::Destination => {
                let role = self.connector.expect_destination()?;
                role.open(setup).await.map(|_| ())
            }
        }
    }

    /// The source of what is given to read.
    pub(crate) async fn source(&self) -> Verdict<Arc<dyn Source>> {
        Ok(self.source_of(&self.reading()?.access).await?)
    }

    pub(crate) async fn source_of(&self, access: &Access) -> Result<Arc<dyn Source>> {
        self.connector.expect_source()?.open(access.setup()?).await
    }

    /// A source whose events are kept.
    pub(crate) async fn watched(&self, access: &Access) -> Result<(Arc<dyn Source>, Arc<Watcher>)> {
        let watcher = Arc::new(Watcher::default());
        let setup = access.watched(watcher.clone())?;
        let source = self.connector.expect_source()?.open(setup).await?;
        Ok((source, watcher))
    }

    pub(crate) async fn destination_of(&self, access: &Access) -> Result<Box<dyn Destination>> {
        let role = self.connector.expect_destination()?;
        role.open(access.setup()?).await
    }

    /// What the destination declares.
    pub(crate) fn declared(&self) -> Verdict<Capabilities> {
        match self.connector.destination() {
            Some(role) => Ok(role.capabilities()),
            None => absent(),
        }
    }

    /// What is written by a destination that stores records.
    pub(crate) fn storing(&self) -> Verdict<&Writing> {
        if self.declared()?.acts {
            return absent();
        }
        self.writing()
    }

    /// What is written by a destination that acts on records.
    pub(crate) fn acting(&self) -> Verdict<&Writing> {
        if !self.declared()?.acts {
            return absent();
        }
        self.writing()
    }

    /// What is written by a destination that keeps states.
    pub(crate) fn keeping(&self) -> Verdict<&Writing> {
        if !self.declared()?.keeps_state {
            return absent();
        }
        self.writing()
    }
}

impl Suite<'_> {
    /// A text that differs after any effect: the author's snapshot, or what can be read back.
    pub(crate) async fn snapshot(&self, role: Role, access: &Access) -> String {
        if role == Role::Source {
            let requests = self
                .reading()
                .ok()
                .and_then(|reading| reading.requests.as_ref());
            return requests.map_or_else(String::new, |count| count().to_string());
        }
        let Ok(writing) = self.writing() else {
            return String::new();
        };
        if let Some(snapshot) = &writing.snapshot {
            return snapshot(access);
        }
        let effects = writing
            .acting
            .effects
            .as_ref()
            .map(|effects| effects(access));
        format!("{effects:?} {:?}", self.rows_at(access).await)
    }

    /// How many rows each stream has at a place; `None` if that cannot be read.
    async fn rows_at(&self, access: &Access) -> Option<Vec<usize>> {
        let replica = self.stored(access).await.ok()?;
        let mut rows = Vec::new();
        for stream in self.writing().ok()?.streams() {
            rows.push(count(&*replica, stream).await.ok()?);
        }
        Some(rows)
    }
}
