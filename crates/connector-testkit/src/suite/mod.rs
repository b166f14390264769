//! The suite: a connector, and what it is given.

mod opening;
mod reads;
mod results;
mod sync_run;

use std::fmt;
use std::time::Duration;

use connector_core::{Connector, JsonObject, Record, SettingsSchema, StreamName};

use crate::given::{Access, Reading, Webhooks, Writing};
use crate::report::{Unproven, Verdict};

pub(crate) use opening::Role;
pub(crate) use reads::{last_state, read, read_some};
pub(crate) use results::Results;
pub(crate) use sync_run::{SYNC, SyncRun, count, expect_rows, state};

/// How long a check may take unless something else is set.
const LIMIT: Duration = Duration::from_secs(120);

/// A connector under test, and what it is given.
pub struct Suite<'c> {
    pub(crate) connector: &'c dyn Connector,
    reading: Option<Reading>,
    writing: Option<Writing>,
    pub(crate) webhooks: Vec<Webhooks>,
    pub(crate) links: Vec<(StreamName, JsonObject, Option<String>)>,
    pub(crate) revocable: Option<Box<dyn Fn() -> Access + Send + Sync>>,
    pub(crate) outputs: Vec<Output>,
    secrets: Vec<String>,
    pub(crate) limit: Duration,
}

/// A text that is searched for secrets, made after all calls.
pub(crate) type Output = Box<dyn Fn() -> String + Send + Sync>;

impl<'c> Suite<'c> {
    /// Nothing to read and nothing to write is given yet.
    pub fn new(connector: &'c dyn Connector) -> Self {
        Self {
            connector,
            reading: None,
            writing: None,
            webhooks: Vec::new(),
            links: Vec::new(),
            revocable: None,
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

    /// A webhook that the verifier must accept. Add one for each way in which the remote signs them.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: Webhooks) -> Self {
        self.webhooks.push(webhooks);
        self
    }

    /// The expected link of a record; `None` if it has none.
    #[must_use]
    pub fn with_link(mut self, record: &Record, address: Option<&str>) -> Self {
        let (stream, data) = (record.stream.clone(), record.data.clone());
        self.links.push((stream, data, address.map(str::to_owned)));
        self
    }

    /// Makes a working credential that may be revoked.
    #[must_use]
    pub fn with_revocable(mut self, fresh: impl Fn() -> Access + Send + Sync + 'static) -> Self {
        self.revocable = Some(Box::new(fresh));
        self
    }

    /// Another text that must not appear anywhere, at least 8 characters long. Credentials and the
    /// values of secret settings are always looked for.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Another text to search for secrets: a captured log, the `Debug` form of a type. The suite
    /// asks for it after all other calls.
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

    /// What is read by a connector that is a source.
    pub(crate) fn reading(&self) -> Verdict<&Reading> {
        if self.connector.source().is_none() {
            return Err(Unproven::Absent);
        }
        let why = "nothing to read was given: use `Suite::with_reading`";
        let reading = self.reading.as_ref();
        reading.ok_or_else(|| Unproven::Skipped(why.to_owned()))
    }

    /// What is written by a connector that is a destination.
    pub(crate) fn writing(&self) -> Verdict<&Writing> {
        if self.connector.destination().is_none() {
            return Err(Unproven::Absent);
        }
        let why = "nothing to write was given: use `Suite::with_writing`";
        let writing = self.writing.as_ref();
        writing.ok_or_else(|| Unproven::Skipped(why.to_owned()))
    }

    /// What the connector is opened with in each role for which something was given.
    pub(crate) fn accesses(&self) -> Vec<(Role, Access)> {
        let reading = self.reading().ok();
        let reading = reading.map(|reading| (Role::Source, reading.access.clone()));
        let writing = self.writing().ok();
        let writing = writing.map(|writing| (Role::Destination, writing.fresh()));
        reading.into_iter().chain(writing).collect()
    }

    /// The same, and every access that must be refused.
    pub(crate) fn all_accesses(&self) -> Vec<(Role, Access)> {
        let mut all = self.accesses();
        if let Ok(reading) = self.reading() {
            let limited = reading.limited.iter().map(|limited| &limited.access);
            let others = reading.wrong.iter().chain(limited).cloned();
            let failing = reading.failures.iter().map(|failure| (failure.prepare)());
            all.extend(others.chain(failing).map(|access| (Role::Source, access)));
        }
        if let Ok(writing) = self.writing() {
            let wrong = writing.wrong.iter().cloned();
            all.extend(wrong.map(|access| (Role::Destination, access)));
        }
        all
    }

    /// The settings of each role that the connector has.
    pub(crate) fn settings(&self) -> Vec<(Role, SettingsSchema)> {
        let source = self.connector.source();
        let source = source.map(|role| (Role::Source, role.settings()));
        let destination = self.connector.destination();
        let destination = destination.map(|role| (Role::Destination, role.settings()));
        source.into_iter().chain(destination).collect()
    }

    /// All secrets there are, each once.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let (settings, mut secrets) = (self.settings(), self.secrets.clone());
        for (role, access) in self.all_accesses() {
            let of_role = settings.iter().filter(|(of, _)| *of == role);
            secrets.extend(of_role.flat_map(|(_, settings)| access.secrets(settings)));
        }
        secrets.sort_unstable();
        secrets.dedup();
        secrets
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
