//! A toy remote: a source of tickets and users, and a destination that acts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Catalog, Connector, CredentialInspector,
    CredentialReport, Destination, DestinationRole, Error, ErrorKind, FlagSetting, Forecast,
    ForecastingSource, Identity, JsonObject, Message, MissingScopes, Outcome,
    PermissionAwareSource, ReadRequest, Record, Replica, Result, SettingsSchema, Setup, Source,
    SourceRole, State, Status, Stream, StreamForecast, StreamPlan, SyncMode, VerifiableSource,
    Verification, WriteMode, WritePlan,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde::Deserialize;
use serde_json::{Value, json};

/// The connector `tickets`.
#[derive(Clone, Default)]
pub(super) struct Tickets {
    /// The records of the stream `tickets`, as JSON.
    pub(super) records: Arc<Mutex<Vec<String>>>,
    /// The settings that it was opened with last, and the kind of credential.
    pub(super) opened: Arc<Mutex<Vec<Config>>>,
    /// What a comparison finds.
    pub(super) findings: Arc<Mutex<Verification>>,
    /// What the remote says of a credential.
    pub(super) report: Arc<Mutex<CredentialReport>>,
    /// Sent requests of the destination.
    pub(super) sent: Arc<Mutex<Vec<String>>>,
    /// The remote rejects the token.
    pub(super) rejects: Arc<Mutex<bool>>,
}

#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) api_key: Option<String>,
    pub(super) base_url: Option<String>,
    #[serde(default)]
    pub(super) projects: Vec<String>,
    pub(super) project: Option<String>,
    pub(super) start: Option<String>,
    pub(super) page_size: Option<u8>,
    /// Not a setting: whether a credential came beside the settings.
    #[serde(skip)]
    pub(super) has_credential: bool,
}

const HELP: &str = "Create a key at tickets.example, then:\n    export TICKETS_TOKEN=...";

fn schema(own: &str, kind: Value) -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "properties": {
            "api_key": {"type": "string", "writeOnly": true},
            "base_url": text,
            "start": text,
            "page_size": {"type": "integer"},
            own: kind,
        },
        "required": ["api_key"],
    })
}

fn base_url() -> FlagSetting {
    FlagSetting::new("base-url", "base_url", "URL", "Address of the API")
}

fn config(setup: &Setup) -> Result<Config> {
    let mut config: Config = setup.configuration.clone().parse()?;
    config.has_credential = setup.credential.is_some();
    if !config.has_credential && config.api_key.is_none() {
        return Err(Error::new(ErrorKind::Auth, "there is no key"));
    }
    let wrong =
        |key: String, message| Err(Error::new(ErrorKind::Config, message).with_context("key", key));
    for (index, project) in config.projects.iter().enumerate() {
        if project != &project.to_lowercase() {
            return wrong(format!("projects[{index}]"), "must be in lower case");
        }
    }
    if config
        .start
        .as_ref()
        .is_some_and(|start| !start.starts_with('2'))
    {
        return wrong("start".to_owned(), "must be a date");
    }
    Ok(config)
}

impl Connector for Tickets {
    fn identity(&self) -> Identity {
        Identity::new("tickets", "Tickets", "1")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }

    fn credential_inspector(&self) -> Option<&dyn CredentialInspector> {
        Some(self)
    }
}

#[async_trait]
impl CredentialInspector for Tickets {
    async fn inspect(&self, setup: Setup) -> Result<CredentialReport> {
        self.opened.lock().unwrap().push(config(&setup)?);
        Ok(self.report.lock().unwrap().clone())
    }

    async fn revoke(&self, setup: Setup) -> Result<()> {
        config(&setup)?;
        *self.rejects.lock().unwrap() = true;
        Ok(())
    }
}

#[async_trait]
impl SourceRole for Tickets {
    fn settings(&self) -> SettingsSchema {
        let list = json!({"type": "array", "items": {"type": "string"}});
        SettingsSchema::new(schema("projects", list))
            .with_flag(FlagSetting::new("project", "projects", "KEY", "Project to read").repeated())
            .with_flag(FlagSetting::new("since", "start", "DATE", "Skip older tickets").of_date())
            .with_flag(base_url())
            .with_credential("TICKETS_TOKEN", HELP)
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        config(setup).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        self.opened.lock().unwrap().push(config(&setup)?);
        let notice = connector_core::Event::notice("read \u{1b}[31mme\u{202e}");
        setup.observer.observe(notice);
        Ok(Arc::new(self.clone()))
    }
}

fn stream(name: &str) -> Stream {
    let schema = json!({"type": "object", "properties": {"id": {}, "title": {}}});
    Stream::new(name, "Things of this name.", schema)
        .with_primary_key(["id"])
        .with_sync_modes([SyncMode::FullRefresh, SyncMode::Incremental])
        .with_scopes(["read"])
}

#[async_trait]
impl Source for Tickets {
    async fn check(&self) -> Result<()> {
        if *self.rejects.lock().unwrap() {
            return Err(Error::new(ErrorKind::Auth, "the key is rejected"));
        }
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog> {
        let logs = stream("logs").with_default(false);
        Ok(Catalog::new([stream("tickets"), stream("users"), logs]))
    }

    fn read(&self, request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        if *self.rejects.lock().unwrap() {
            let rejected = Error::new(ErrorKind::Auth, "the key is rejected");
            return stream::iter([Err(rejected)]).boxed();
        }
        let records = self.records.lock().unwrap().clone();
        let from = request
            .state
            .as_ref()
            .and_then(|state| state.stream("tickets")?.as_u64());
        let mut messages = Vec::new();
        for selection in &request.streams {
            messages.push(Message::Status(selection.stream.clone(), Status::Started));
            if selection.stream == "tickets" {
                let new = records.iter().skip(from.unwrap_or(0) as usize);
                messages.extend(new.map(|text| {
                    let data = JsonObject::parse(text).unwrap();
                    Message::Record(Record::new("tickets".into(), data))
                }));
            }
            messages.push(Message::Status(selection.stream.clone(), Status::Complete));
        }
        let mut state = State::new("tickets", 1);
        state.set_stream("tickets".into(), records.len().into());
        messages.push(Message::Checkpoint(state));
        stream::iter(messages.into_iter().map(Ok)).boxed()
    }

    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        Some(self)
    }

    fn verifiable(&self) -> Option<&dyn VerifiableSource> {
        Some(self)
    }

    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        Some(self)
    }
}

#[async_trait]
impl ForecastingSource for Tickets {
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        let streams = request.streams.iter().map(|selection| {
            let requests = if request.state.is_some() { 1 } else { 20 };
            StreamForecast::new(selection.stream.clone()).with_numbers(requests, 5, 1_000)
        });
        let forecast = Forecast::new(streams.collect(), Duration::from_millis(65_200));
        Ok(forecast.with_limits(vec!["100 requests a minute".to_owned()]))
    }
}

#[async_trait]
impl VerifiableSource for Tickets {
    async fn verify(
        &self,
        _request: ReadRequest,
        _replica: Arc<dyn Replica>,
        samples: u32,
    ) -> Result<Verification> {
        let mut found = self.findings.lock().unwrap().clone();
        found.compared.push(format!("{samples} samples"));
        Ok(found)
    }
}

#[async_trait]
impl PermissionAwareSource for Tickets {
    async fn mark_readable(&self, mut catalog: Catalog) -> Result<Catalog> {
        for stream in &mut catalog.streams {
            stream.is_readable = Some(stream.name != "users");
        }
        Ok(catalog)
    }
}

#[async_trait]
impl DestinationRole for Tickets {
    fn settings(&self) -> SettingsSchema {
        SettingsSchema::new(schema("project", json!({"type": "string"})))
            .with_flag(FlagSetting::new(
                "project",
                "project",
                "KEY",
                "Project to write to",
            ))
            .with_flag(base_url())
            .with_credential("TICKETS_TOKEN", HELP)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Append])
            .with_results()
            .with_dry_run()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        config(setup).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        self.opened.lock().unwrap().push(config(&setup)?);
        Ok(Box::new(Writer {
            sent: Arc::clone(&self.sent),
            is_dry: setup.dry_run,
            results: Vec::new(),
        }))
    }
}

/// Opens a ticket for each record.
struct Writer {
    sent: Arc<Mutex<Vec<String>>>,
    is_dry: bool,
    results: Vec<JsonObject>,
}

#[async_trait]
impl Destination for Writer {
    fn capabilities(&self) -> Capabilities {
        DestinationRole::capabilities(&Tickets::default())
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, _plan: &WritePlan) -> Result<Option<State>> {
        Ok(None)
    }

    async fn add_stream(&mut self, _stream: &StreamPlan) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        for record in &records {
            let body = record.data.as_str();
            let start = r#"{"stream":"tickets","project":"web","outcome""#;
            let result = if self.is_dry {
                let request = format!(r#"{{"method":"POST","path":"/tickets","body":{body}}}"#);
                format!(r#"{start}:"planned","requests":[{request}]}}"#)
            } else {
                self.sent.lock().unwrap().push(body.to_owned());
                format!(r#"{start}:"created"}}"#)
            };
            self.results.push(JsonObject::parse(&result)?);
        }
        Ok(vec![Outcome::Accepted; records.len()])
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        Some(self)
    }
}

#[async_trait]
impl ActingDestination for Writer {
    fn result_stream(&self) -> Stream {
        Stream::new("results", "What became of each record.", json!({}))
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        std::mem::take(&mut self.results)
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        Vec::new()
    }

    async fn follow(&mut self) -> Result<bool> {
        Ok(false)
    }
}

impl Tickets {
    pub(super) fn set_records(&self, records: &[&str]) {
        let records = records.iter().map(|text| (*text).to_owned()).collect();
        *self.records.lock().unwrap() = records;
    }

    /// The settings of the side that was opened last.
    pub(super) fn last_opened(&self) -> Config {
        self.opened.lock().unwrap().last().unwrap().clone()
    }

    pub(super) fn report_missing(&self) {
        let mut report = self.report.lock().unwrap();
        report.owner = Some("Ada \u{1b}]0;x\u{7}".to_owned());
        report.scopes = Some(vec!["read".to_owned(), "delete".to_owned()]);
        report.readable = vec!["tickets".into()];
        report.unreadable = vec![MissingScopes::new("users", vec!["read_users".to_owned()])];
        report.surplus = vec!["delete".to_owned()];
        report.warnings = vec!["the key expires in 3 days".to_owned()];
    }
}
