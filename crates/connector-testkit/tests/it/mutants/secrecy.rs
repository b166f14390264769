//! Connectors that give a secret away.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector_core::{Error, Event, Finding, FindingKind, JsonObject, Message, Outcome};
use connector_testkit::memory::TOKEN;
use serde_json::Value;

use crate::flaw::{Mutant, divide};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = reads();
    mutants.extend(capabilities());
    mutants.extend(others());
    mutants
}

/// The token, each byte as `write` writes it.
fn encoded(write: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for byte in TOKEN.bytes() {
        write(&mut text, byte).unwrap();
    }
    text
}

fn reads() -> Vec<Mutant> {
    vec![
        Mutant::new("the token in a notice").reads(|reader| {
            let notice = Event::notice(format!("reads with {TOKEN}"));
            reader.setup.observer.observe(notice);
        }),
        Mutant::new("the token in a state, in base64").messages(|_, _, messages| {
            for message in messages {
                if let Ok(Message::Checkpoint(state)) = message {
                    // Of a stream that nobody reads.
                    let secret = STANDARD.encode(format!("me:{TOKEN}"));
                    state.set_stream("others".into(), secret.into());
                }
            }
        }),
        Mutant::new("the token in an error, in hex").messages(|_, _, messages| {
            for message in messages {
                if let Err(error) = message {
                    let hex = encoded(|text, byte| write!(text, "{byte:02x}"));
                    let mut leaking =
                        Error::new(error.kind(), format!("{} {hex}", error.message()));
                    for (key, value) in error.context() {
                        leaking = leaking.with_context(key, value);
                    }
                    *message = Err(leaking);
                }
            }
        }),
        Mutant::new("the token in a record, percent-encoded")
            .reading_only()
            .record(|_, record| {
                record["by"] = encoded(|text, byte| write!(text, "%{byte:02X}")).into();
            }),
    ]
}

fn capabilities() -> Vec<Mutant> {
    vec![
        Mutant::new("the token in a part")
            .divide(|reader, request, at_most, end| {
                Box::pin(async move {
                    let mut partitions = divide(reader, &request, at_most, end).await?;
                    for part in &mut partitions.parts {
                        part.partition.as_mut().unwrap()["by"] = TOKEN.into();
                    }
                    Ok(partitions)
                })
            })
            .request(|_, request| {
                if let Some(part) = request.partition.as_mut().and_then(Value::as_object_mut) {
                    part.shift_remove("by");
                }
            }),
        Mutant::new("the token in a forecast").forecast(|reader, request| {
            Box::pin(async move {
                let forecasting = reader.inner.forecasting().unwrap();
                let forecast = forecasting.forecast(request).await?;
                Ok(forecast.with_limits(vec![format!("the limit of {TOKEN}")]))
            })
        }),
        Mutant::new("the token in a finding").verified(|_, found| {
            if let Ok(found) = found {
                let at = format!("/people?token={TOKEN}");
                found
                    .findings
                    .push(Finding::new(FindingKind::Harmless, "people", at, "seen"));
            }
        }),
        Mutant::new("the token in the report on a credential").report(|_, report| {
            if let Ok(report) = report {
                report.description = Some(TOKEN.to_owned());
            }
        }),
    ]
}

fn others() -> Vec<Mutant> {
    vec![
        Mutant::new("a wrong setting repeated in its error").validate(|setup, result| {
            if let Err(error) = result
                && let Some(page_size) = setup.configuration.get("page_size")
            {
                *error = Error::new(error.kind(), format!("`{page_size}` is no number"));
            }
        }),
        Mutant::new("the secret of a webhook in an error").webhook(
            |inner, request, secrets, now| {
                let verified = inner.verify(request, secrets, now);
                verified.map_err(|error| {
                    use secrecy::ExposeSecret;
                    let secrets = secrets.iter().map(|secret| secret.expose_secret());
                    let secrets: Vec<_> = secrets.collect();
                    Error::new(error.kind(), format!("none of {secrets:?} has signed it"))
                })
            },
        ),
        Mutant::new("the token in a link").link(|_, record, link| {
            if record.as_str().contains("Grace") {
                *link = Some(format!("https://example.com/people?token={TOKEN}"));
            }
        }),
        Mutant::new("the token in the reason of a rejection").outcomes(|_, _, outcomes| {
            for outcome in outcomes {
                if let Outcome::Rejected(reason) = outcome {
                    reason.push_str(TOKEN);
                }
            }
        }),
    ]
}

pub(super) fn acting_mutants() -> Vec<Mutant> {
    vec![Mutant::new("the token in a result").results(|_, results| {
        for result in results {
            let text = result
                .as_str()
                .replacen('{', &format!(r#"{{"by":"{TOKEN}","#), 1);
            *result = JsonObject::parse(&text).unwrap();
        }
    })]
}
