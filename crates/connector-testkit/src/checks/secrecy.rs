//! Everything that a connector gives out, searched for secrets.

use std::error::Error as _;
use std::fmt::Debug;
use std::sync::Arc;

use connector_core::{Error, Message, Result};
use futures::StreamExt;

use crate::check::Role;
use crate::forms::{SHORTEST, forms, found};
use crate::reading::Failure;
use crate::report::{Verdict, failed, skipped};
use crate::watcher::Watcher;
use crate::{Access, Suite};

/// How many characters of a text with a secret are shown.
const SHOWN: usize = 300;

pub(crate) async fn secrets_stay_secret(suite: &Suite<'_>) -> Verdict {
    let secrets = suite.secrets();
    if secrets.is_empty() {
        return skipped("no secret was given");
    }
    if secrets.iter().any(|secret| secret.len() < SHORTEST) {
        return failed(format!(
            "a secret of less than {SHORTEST} bytes is found everywhere"
        ));
    }
    let mut heard = Heard::default();
    heard.values("the identity or the schema", &suite.connector.identity());
    for role in [Role::Source, Role::Destination] {
        heard.values("the identity or the schema", &suite.settings(role));
    }
    for (role, access) in suite.accesses() {
        misplaced(suite, role, &access, &secrets, &mut heard).await;
    }
    if let Ok(reading) = suite.reading() {
        read_all(suite, &reading.access, None, &mut heard).await?;
        for access in &reading.wrong {
            read_all(suite, access, None, &mut heard).await?;
        }
        for failure in &reading.failures {
            read_all(suite, &(failure.prepare)(), Some(failure), &mut heard).await?;
        }
    }
    if let Ok(writing) = suite.writing() {
        for access in [&[writing.fresh()], &writing.wrong[..]].concat() {
            write_all(suite, &access, &mut heard).await;
        }
    }
    for output in &suite.outputs {
        heard.text("an output", output());
    }
    let forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    for (place, text) in &heard.0 {
        if let Some((name, form)) = found(text, &forms) {
            let text = text.replace(form, "[secret]");
            let start: String = text.chars().take(SHOWN).collect();
            return failed(format!("{place} holds a secret, {name}: {start}"));
        }
    }
    Ok(())
}

/// Texts, and where they were found.
#[derive(Default)]
struct Heard(Vec<(&'static str, String)>);

impl Heard {
    fn text(&mut self, place: &'static str, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    fn values(&mut self, place: &'static str, value: &impl Debug) {
        self.text(place, format!("{value:?}"));
    }

    fn error(&mut self, error: &Error) {
        self.text("an error", error.to_string());
        self.values("an error", error);
        let mut cause = error.source();
        while let Some(error) = cause {
            self.text("the cause of an error", error.to_string());
            cause = error.source();
        }
    }

    /// What a call gave, and its value, if it gave one.
    fn result<T: Debug>(&mut self, place: &'static str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.values(place, &value);
                Some(value)
            }
            Err(error) => {
                self.error(&error);
                None
            }
        }
    }

    fn message(&mut self, message: &Message) {
        match message {
            Message::Record(record) => self.text("a record", record.data.as_str()),
            Message::Checkpoint(state) => self.values("a state", state),
            other => self.values("a status", other),
        }
    }
}

/// What the user types is not repeated: it may be a secret in the wrong place.
async fn misplaced(
    suite: &Suite<'_>,
    role: Role,
    access: &Access,
    secrets: &[String],
    heard: &mut Heard,
) {
    let settings = suite.settings(role);
    let marked: Vec<_> = settings.secret_keys().collect();
    for secret in secrets {
        for key in settings.keys().filter(|key| !marked.contains(key)) {
            let open = suite.open(role, &access.with(key, secret.as_str())).await;
            heard.result("an opening", open);
        }
        for key in &marked {
            let open = suite
                .open(role, &access.with(key, vec![secret.as_str()]))
                .await;
            heard.result("an opening", open);
        }
        let open = suite.open(role, &access.with(secret, true)).await;
        heard.result("an opening", open);
    }
}

/// Calls all there is of a source, whatever comes of it.
async fn read_all(
    suite: &Suite<'_>,
    access: &Access,
    failure: Option<&Failure>,
    heard: &mut Heard,
) -> Verdict {
    let watcher = Arc::new(Watcher::default());
    let source = suite.source_of(access, watcher.clone()).await?;
    heard.values("the setup", &access.setup(watcher.clone())?);
    heard.result("a check", source.check().await);
    if let Some(catalog) = heard.result("the catalog", source.discover().await) {
        if let Some(source) = source.permission_aware() {
            heard.result("the catalog", source.mark_readable(catalog.clone()).await);
        }
        for request in suite.reading()?.requests(&catalog)? {
            if let Some(source) = source.forecasting() {
                heard.result("a forecast", source.forecast(request.clone()).await);
            }
            let armed = failure.map(Failure::arm);
            let mut messages = source.read(request);
            while let Some(message) = messages.next().await {
                match message {
                    Ok(message) => heard.message(&message),
                    Err(error) => heard.error(&error),
                }
            }
            drop(armed);
        }
    }
    heard.values("an event", &watcher.events());
    Ok(())
}

/// Calls all there is of a destination, whatever comes of it.
async fn write_all(suite: &Suite<'_>, access: &Access, heard: &mut Heard) {
    let Ok(writing) = suite.writing() else { return };
    let watcher = Arc::new(Watcher::default());
    let opened = match access.setup(watcher.clone()) {
        Ok(setup) => match suite.connector.expect_destination() {
            Ok(role) => role.open(setup).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let Some(mut destination) = opened.map_err(|error| heard.error(&error)).ok() else {
        return;
    };
    heard.result("a check", destination.check().await);
    heard.result(
        "the streams that are taken",
        destination.accepted_streams().await,
    );
    if let Ok(plan) = suite.plan() {
        heard.result("a state", destination.start(&plan).await);
    }
    heard.result("an outcome", destination.write(writing.batch()).await);
    heard.result("a commit", destination.commit(None).await);
    heard.values("an event", &watcher.events());
}
