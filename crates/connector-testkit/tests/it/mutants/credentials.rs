//! Credentials, webhooks and links.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector_core::{
    CredentialReport, ErrorKind, JsonObject, MissingScopes, Result, VerifiedWebhook,
    WebhookRequest, WebhookVerifier,
};
use connector_testkit::memory::{PEOPLE, TASKS, sign};
use secrecy::{ExposeSecret, SecretString};

use super::error;
use super::reading::is_of_nobody;
use crate::flaw::Mutant;
use crate::worlds::WEBHOOK;

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = reports();
    mutants.extend(webhooks());
    mutants.extend(secrets());
    mutants.extend(links());
    mutants
}

fn reports() -> Vec<Mutant> {
    vec![
        Mutant::new("lists a stream that is not in the catalog").report(|_, report| {
            if let Ok(report) = report {
                report.readable.push("others".into());
            }
        }),
        Mutant::new("lists a stream as readable and unreadable").report(|_, report| {
            if let Ok(report) = report
                && report.unreadable.is_empty()
            {
                let missing = MissingScopes::new(PEOPLE, vec!["read_people".to_owned()]);
                report.unreadable.push(missing);
            }
        }),
        Mutant::new("does not name the missing right").report(|_, report| {
            if let Ok(report) = report {
                report
                    .unreadable
                    .iter_mut()
                    .for_each(|missing| missing.scopes.clear());
            }
        }),
        Mutant::new("describes a token that nobody has").report(|setup, report| {
            if is_of_nobody(setup) {
                *report = Ok(CredentialReport::default());
            }
        }),
        Mutant::new("revokes nothing").revokes(|| false),
    ]
}

/// An event out of any body.
fn anything(body: &[u8]) -> VerifiedWebhook {
    let text = str::from_utf8(body).unwrap_or_default();
    let body = JsonObject::parse(text).or_else(|_| JsonObject::parse("{}"));
    VerifiedWebhook::new("task.done", None, body.unwrap())
}

/// When a webhook says that it was sent.
fn sent_at(request: &WebhookRequest<'_>) -> SystemTime {
    let seconds = request.header("x-memory-time").unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(seconds.parse().unwrap_or(0))
}

/// Whether a webhook is signed with this secret.
fn is_signed(request: &WebhookRequest<'_>, body: &[u8], secret: &str) -> bool {
    let headers = sign(secret, sent_at(request), body);
    let mut headers = headers.iter();
    headers.all(|(name, value)| request.header(name) == Some(value.as_str()))
}

type Verified = Result<VerifiedWebhook>;

fn webhooks() -> Vec<Mutant> {
    vec![
        Mutant::new("refuses genuine webhooks").webhook(|inner, request, secrets, now| {
            let verified = inner.verify(request, secrets, now)?;
            if secrets.len() == 1 {
                return Err(error(ErrorKind::Auth));
            }
            Ok(verified)
        }),
        Mutant::new("an event of another type").webhook(|inner, request, secrets, now| {
            let mut verified = inner.verify(request, secrets, now)?;
            verified.event = "task.begun".to_owned();
            Ok(verified)
        }),
        Mutant::new("does not verify the body").webhook(|inner, request, secrets, now| {
            let verified = inner.verify(request, secrets, now);
            let genuine = WebhookRequest::new(request.headers, WEBHOOK.as_bytes());
            if is_auth(&verified) && inner.verify(&genuine, secrets, now).is_ok() {
                return Ok(anything(request.body));
            }
            verified
        }),
        Mutant::new("accepts webhooks of any age")
            .webhook(|inner, request, secrets, _| inner.verify(request, secrets, sent_at(request))),
        Mutant::new("an event out of anything").webhook(|inner, request, secrets, now| match inner
            .verify(request, secrets, now)
        {
            Err(error) if error.kind() == ErrorKind::Data => Ok(anything(request.body)),
            other => other,
        }),
    ]
}

fn is_auth(verified: &Verified) -> bool {
    verified
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::Auth)
}

fn secrets() -> Vec<Mutant> {
    vec![
        Mutant::new("accepts any signature")
            .besides(&["forged_bodies_are_refused"])
            .webhook(|inner, request, secrets, now| {
                let verified = inner.verify(request, secrets, now);
                let is_recent = now
                    .duration_since(sent_at(request))
                    .is_ok_and(|age| age.is_zero());
                if is_auth(&verified) && is_recent {
                    return Ok(anything(request.body));
                }
                verified
            }),
        Mutant::new("accepts unsigned webhooks").webhook(|inner, request, secrets, now| {
            if request.headers.is_empty() {
                return Ok(anything(request.body));
            }
            inner.verify(request, secrets, now)
        }),
        Mutant::new("accepts an empty secret").webhook(
            |inner: &dyn WebhookVerifier, request, secrets: &[SecretString], now| {
                let has_empty = secrets
                    .iter()
                    .any(|secret| secret.expose_secret().is_empty());
                if has_empty && is_signed(request, request.body, "") {
                    return Ok(anything(request.body));
                }
                inner.verify(request, secrets, now)
            },
        ),
        Mutant::new("uses only the first secret").webhook(|inner, request, secrets, now| {
            inner.verify(request, &secrets[..secrets.len().min(1)], now)
        }),
    ]
}

fn links() -> Vec<Mutant> {
    vec![
        Mutant::new("a link to another record").link(|stream, _, link| {
            if *stream == TASKS {
                *link = link.take().map(|link| link + "0");
            }
        }),
        Mutant::new("a link that is not a URL").link(|_, record, link| {
            if record.as_str().contains("Grace") {
                *link = Some("people/Grace".to_owned());
            }
        }),
        Mutant::new("a link for an unknown stream").link(|stream, _, link| {
            if *stream != TASKS && *stream != PEOPLE {
                *link = Some("https://example.com".to_owned());
            }
        }),
    ]
}
