//! Forecasts, comparisons with a copy, and permissions.

use std::time::Duration;

use connector_core::{
    ErrorKind, Finding, FindingKind, Forecast, Message, ReadRequest, Result, Setup, State,
    StreamForecast, StreamName, Verification,
};
use connector_testkit::memory::{LIMITED_TOKEN, PEOPLE, TASKS, TOKEN};
use futures::StreamExt;
use serde_json::Value;

use super::error;
use super::reading::is_of_nobody;
use super::states::position;
use crate::flaw::{Mutant, Reader};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = forecasts();
    mutants.extend(comparisons());
    mutants.extend(permissions());
    mutants
}

/// Forecasts as the correct source does.
async fn forecast(reader: &Reader, request: ReadRequest) -> Result<Forecast> {
    reader.inner.forecasting().unwrap().forecast(request).await
}

/// What the flaw does to the forecast of a read from the beginning.
fn edited(flaw: &'static str, edit: impl Fn(&mut Forecast) + Send + Sync + 'static) -> Mutant {
    let edit = std::sync::Arc::new(edit);
    Mutant::new(flaw).forecast(move |reader, request| {
        let edit = std::sync::Arc::clone(&edit);
        Box::pin(async move {
            let is_first = request.state.is_none();
            let mut forecast = forecast(reader, request).await?;
            if is_first {
                edit(&mut forecast);
            }
            Ok(forecast)
        })
    })
}

fn forecasts() -> Vec<Mutant> {
    vec![
        edited("a forecast that omits a stream", |forecast| {
            forecast.streams.pop();
        }),
        edited(
            "a forecast of a stream that was not requested",
            |forecast| {
                forecast.streams.push(StreamForecast::new("others"));
            },
        ),
        edited("a forecast of twice the records", |forecast| {
            forecast
                .streams
                .iter_mut()
                .for_each(|stream| stream.records *= 2);
        }),
        edited("a forecast without bytes", |forecast| {
            forecast
                .streams
                .iter_mut()
                .for_each(|stream| stream.bytes = 0);
        }),
        edited("a forecast of ten times the requests", |forecast| {
            forecast
                .streams
                .iter_mut()
                .for_each(|stream| stream.requests *= 10);
        }),
        edited("a forecast of a year", |forecast| {
            forecast.duration = Duration::from_secs(365 * 24 * 3600);
        }),
        Mutant::new("a forecast from the beginning, whatever the state").forecast(
            |reader, mut request| {
                request.state = None;
                Box::pin(forecast(reader, request))
            },
        ),
        Mutant::new("a forecast that reads everything twice").forecast(|reader, request| {
            Box::pin(async move {
                for _ in 0..2 {
                    reader.inner.read(request.clone()).count().await;
                }
                forecast(reader, request).await
            })
        }),
        Mutant::new("forecasts nothing with an unknown token").forecast(|reader, request| {
            Box::pin(async move {
                match forecast(reader, request).await {
                    Err(_) if is_of_nobody(&reader.setup) => Ok(Forecast::default()),
                    other => other,
                }
            })
        }),
    ]
}

/// What the flaw does to a comparison that came to its end.
fn found(flaw: &'static str, edit: impl Fn(&mut Verification) + Send + Sync + 'static) -> Mutant {
    Mutant::new(flaw).verified(move |_, found| {
        if let Ok(found) = found {
            edit(found);
        }
    })
}

fn comparisons() -> Vec<Mutant> {
    let missing = |stream: &str| Finding::new(FindingKind::Missing, stream, "all", "not there");
    vec![
        found("reports every row as missing", move |found| {
            if found.findings.is_empty() {
                found.findings.push(missing(TASKS));
            }
        })
        .besides(&["later_changes_are_not_missed"]),
        found("does not say what it compared", |found| {
            found.compared.clear()
        }),
        found("finds nothing", |found| {
            found
                .findings
                .retain(|finding| finding.kind != FindingKind::Missing);
        }),
        found("reports a missing row in another stream", |found| {
            for finding in &mut found.findings {
                if finding.kind == FindingKind::Missing {
                    finding.stream = StreamName::from("others");
                }
            }
        }),
        found("compares only keys", |found| {
            found
                .findings
                .retain(|finding| finding.kind != FindingKind::Stale);
        }),
        found("reports a removed row as stale", |found| {
            for finding in &mut found.findings {
                if finding.kind == FindingKind::Removed {
                    finding.kind = FindingKind::Stale;
                }
            }
        }),
        Mutant::new("reports later changes as missing").verifies(|request| {
            let mut state = State::new("memory", 1);
            for selection in &request.streams {
                state.set_stream(selection.stream.clone(), position(1000));
            }
            request.state = Some(state);
        }),
        Mutant::new("reports an unreadable copy as sound").verified(|_, found| {
            if found.is_err() {
                *found = Ok(Verification::new(vec!["everything".to_owned()], Vec::new()));
            }
        }),
    ]
}

fn has_token(setup: &Setup, token: &str) -> bool {
    setup.configuration.get("token").and_then(Value::as_str) == Some(token)
}

fn permissions() -> Vec<Mutant> {
    vec![
        Mutant::new("permissions omit a stream").permissions(|_, marked| {
            if let Ok(catalog) = marked {
                catalog.streams.retain(|stream| stream.name == PEOPLE);
            }
        }),
        Mutant::new("marks every stream as unreadable").permissions(|setup, marked| {
            if let Ok(catalog) = marked
                && has_token(setup, TOKEN)
            {
                let streams = &mut catalog.streams;
                streams
                    .iter_mut()
                    .for_each(|stream| stream.is_readable = Some(false));
            }
        }),
        Mutant::new("marks every stream as readable").permissions(|setup, marked| {
            if let Ok(catalog) = marked
                && has_token(setup, LIMITED_TOKEN)
            {
                let streams = &mut catalog.streams;
                streams
                    .iter_mut()
                    .for_each(|stream| stream.is_readable = Some(true));
            }
        }),
        Mutant::new("the wrong kind of error for a missing right").messages(|_, _, messages| {
            for message in messages {
                let is_permission = |one: &Result<Message>| {
                    one.as_ref()
                        .is_err_and(|error| error.kind() == ErrorKind::Permission)
                };
                if is_permission(message) {
                    *message = Err(error(ErrorKind::NotFound));
                }
            }
        }),
    ]
}
