//! The suite: a connector, what it is given, and the run of all checks.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use connector_core::{Connector, SettingsSchema};
use futures::FutureExt;
use serde_json::json;

use crate::check::{Check, Role, checks};
use crate::report::{Ending, Halt, Line, Report, Verdict};
use crate::{Access, Reading, Writing};

/// How long a check may take unless something else is set.
const LIMIT: Duration = Duration::from_secs(120);

/// A connector under test.
pub struct Suite<'c> {
    pub(crate) connector: &'c dyn Connector,
    pub(crate) reading: Option<Reading>,
    pub(crate) writing: Option<Writing>,
    pub(crate) outputs: Vec<Output>,
    secrets: Vec<String>,
    limit: Duration,
}

/// A text that is searched for secrets, made once all calls have been made.
pub(crate) type Output = Box<dyn Fn() -> String + Send + Sync>;

impl<'c> Suite<'c> {
    /// Nothing to read and nothing to write is given yet.
    pub fn new(connector: &'c dyn Connector) -> Self {
        Self {
            connector,
            reading: None,
            writing: None,
            outputs: Vec::new(),
            secrets: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Sets what is read. Without it, the checks of a source are skipped.
    #[must_use]
    pub fn with_reading(mut self, reading: Reading) -> Self {
        self.reading = Some(reading);
        self
    }

    /// Sets what is written. Without it, the checks of a destination are skipped.
    #[must_use]
    pub fn with_writing(mut self, writing: Writing) -> Self {
        self.writing = Some(writing);
        self
    }

    /// One more text that must be seen nowhere, of 8 characters at least. Credentials, and values
    /// of keys that the schema marks, are secrets anyway.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// One more text to search for secrets: a log that was collected, how a type prints itself.
    /// It is asked for when everything else has been called.
    #[must_use]
    pub fn with_output(mut self, output: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.outputs.push(Box::new(output));
        self
    }

    /// How long each check may take; two minutes unless set.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs all checks of the roles that the connector has, one after the other.
    pub async fn run(&self) -> Report {
        let secrets = self.secrets();
        let mut lines = Vec::new();
        for check in checks().iter().filter(|check| self.has_role(check.role)) {
            lines.extend(self.run_one(check).await.map(|ending| Line {
                check: check.name,
                ending: without_secrets(ending, &secrets),
            }));
        }
        Report { lines }
    }

    /// How a check ended; `None` if it is about something that the connector does not have.
    async fn run_one(&self, check: &Check) -> Option<Ending> {
        let run = AssertUnwindSafe((check.run)(self)).catch_unwind();
        Some(match tokio::time::timeout(self.limit, run).await {
            Ok(Ok(Ok(()))) => Ending::Passed,
            Ok(Ok(Err(Halt::Failed(why)))) => Ending::Failed(why),
            Ok(Ok(Err(Halt::Skipped(why)))) => Ending::Skipped(why),
            Ok(Ok(Err(Halt::Absent))) => return None,
            Ok(Err(_panic)) => Ending::Failed("it panicked".to_owned()),
            Err(_) => Ending::Failed(format!("it did not end within {:?}", self.limit)),
        })
    }

    fn has_role(&self, role: Role) -> bool {
        match role {
            Role::Any => true,
            Role::Source => self.connector.source().is_some(),
            Role::Destination => self.connector.destination().is_some(),
        }
    }

    pub(crate) fn reading(&self) -> Verdict<&Reading> {
        let why = "nothing to read was given";
        let reading = self.reading.as_ref();
        reading.ok_or_else(|| Halt::Skipped(why.to_owned()))
    }

    pub(crate) fn writing(&self) -> Verdict<&Writing> {
        let why = "nothing to write was given";
        let writing = self.writing.as_ref();
        writing.ok_or_else(|| Halt::Skipped(why.to_owned()))
    }

    /// What the connector is opened with in each role that something was given for.
    pub(crate) fn accesses(&self) -> Vec<(Role, Access)> {
        let reading = self.reading.iter();
        let reading = reading.map(|reading| (Role::Source, reading.access.clone()));
        let writing = self.writing.iter();
        let writing = writing.map(|writing| (Role::Destination, writing.fresh()));
        reading.chain(writing).collect()
    }

    /// The settings of a role; none if the connector does not have it.
    pub(crate) fn settings(&self, role: Role) -> SettingsSchema {
        let settings = match role {
            Role::Destination => self.connector.destination().map(|role| role.settings()),
            Role::Source | Role::Any => self.connector.source().map(|role| role.settings()),
        };
        settings.unwrap_or_else(|| SettingsSchema::new(json!({"type": "object"})))
    }

    /// All secrets there are, each once.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.secrets.clone();
        for (role, access) in self.accesses() {
            secrets.extend(access.secrets(&self.settings(role)));
        }
        let schema = self.settings(Role::Source);
        if let Some(reading) = &self.reading {
            let failing = reading.failures.iter().map(|failure| (failure.prepare)());
            let others = reading.wrong.iter().cloned().chain(failing);
            secrets.extend(others.flat_map(|access| access.secrets(&schema)));
        }
        if let Some(writing) = &self.writing {
            let schema = self.settings(Role::Destination);
            let wrong = writing.wrong.iter();
            secrets.extend(wrong.flat_map(|access| access.secrets(&schema)));
        }
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }
}

/// A report is shown in logs: what leaked is not to leak once more.
fn without_secrets(ending: Ending, secrets: &[String]) -> Ending {
    let masked = |why: String| {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        secrets.fold(why, |why, secret| why.replace(secret, "[secret]"))
    };
    match ending {
        Ending::Passed => Ending::Passed,
        Ending::Failed(why) => Ending::Failed(masked(why)),
        Ending::Skipped(why) => Ending::Skipped(masked(why)),
    }
}

impl fmt::Debug for Suite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("connector", &self.connector.identity().name)
            .field("reading", &self.reading)
            .field("writing", &self.writing)
            .finish_non_exhaustive()
    }
}
