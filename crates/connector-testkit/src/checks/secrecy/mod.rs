//! Searches everything that a connector returns for secrets.

mod heard;
mod reading;
mod writing;

use std::sync::Arc;

use secrecy::SecretString;

use crate::check::Check;
use crate::forms::{SHORTEST, forms, found};
use crate::given::Access;
use crate::report::{Verdict, failed, skipped};
use crate::suite::Role;
use crate::{Capability, Suite};
use heard::Heard;

pub(super) const CHECKS: &[Check] = &[Check {
    name: "secrets_stay_secret",
    claim: "No record, state, part, catalog, outcome, result, event or error contains a secret: plain, escaped, in base64, hex or percent-encoded.",
    mutants: &[
        "the token in a notice",
        "the token in a state, in base64",
        "the token in an error, in hex",
        "the token in a record, percent-encoded",
        "the token in a part",
        "the token in a forecast",
        "the token in a finding",
        "the token in the report on a credential",
        "a wrong setting repeated in its error",
        "the secret of a webhook in an error",
        "the token in a link",
        "the token in the reason of a rejection",
        "the token in a result",
    ],
    capability: Capability::Connector,
    run: |suite| Box::pin(secrets_stay_secret(suite)),
}];

/// How many characters of a text with a secret are shown.
const SHOWN: usize = 300;
/// A webhook secret that must not be repeated.
const WEBHOOK_SECRET: &str = "whs_0123456789abcdef";

async fn secrets_stay_secret(suite: &Suite<'_>) -> Verdict {
    let mut secrets = suite.secrets();
    if secrets.is_empty() {
        return skipped("no secret was given: use `Suite::with_secret`");
    }
    if secrets.iter().any(|secret| secret.len() < SHORTEST) {
        return failed(format!(
            "a secret of less than {SHORTEST} bytes cannot be looked for"
        ));
    }
    let mut heard = Heard::default();
    heard.values("the identity", &suite.connector.identity());
    for (_, settings) in suite.settings() {
        heard.values("the settings", &settings);
    }
    misplace(suite, &secrets, &mut heard).await?;
    for (role, access) in suite.all_accesses() {
        inspect(suite, &access, &mut heard).await?;
        match role {
            Role::Source => reading::read(suite, &access, None, &mut heard).await?,
            Role::Destination => writing::write(suite, &access, &mut heard).await?,
        }
    }
    reading::fail(suite, &mut heard).await?;
    writing::fail(suite, &mut heard).await?;
    webhooks(suite, &mut heard);
    secrets.push(WEBHOOK_SECRET.to_owned());
    for output in &suite.outputs {
        heard.text("an output", output());
    }
    search(&secrets, &heard)
}

fn search(secrets: &[String], heard: &Heard) -> Verdict {
    let forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    for (place, text) in heard.texts() {
        if let Some((name, form)) = found(text, &forms) {
            let text = text.replace(form, "[secret]");
            let start: String = text.chars().take(SHOWN).collect();
            return failed(format!("{place} contains a secret, {name}: {start}"));
        }
    }
    Ok(())
}

/// Puts secrets in the wrong settings: errors must not repeat what a user typed.
async fn misplace(suite: &Suite<'_>, secrets: &[String], heard: &mut Heard) -> Verdict {
    let settings = suite.settings();
    for (role, access) in suite.accesses() {
        let of_role = settings.iter().filter(|(of, _)| *of == role);
        for (_, settings) in of_role {
            let marked: Vec<_> = settings.secret_keys().collect();
            for secret in secrets {
                let plain = settings.keys().filter(|key| !marked.contains(key));
                let plain = plain.map(|key| access.with(key, secret.as_str()));
                let lists = marked
                    .iter()
                    .map(|key| access.with(key, vec![secret.as_str()]));
                let misplaced = plain.chain(lists).chain([access.with(secret, true)]);
                for access in misplaced {
                    let validated = suite.validate(role, &access.setup()?);
                    heard.result("a validation", validated);
                    heard.result("an opening", suite.open(role, access.setup()?).await);
                }
            }
        }
    }
    Ok(())
}

async fn inspect(suite: &Suite<'_>, access: &Access, heard: &mut Heard) -> Verdict {
    if let Some(inspector) = suite.connector.credential_inspector() {
        let report = inspector.inspect(access.setup()?).await;
        heard.result("the report on a credential", report);
    }
    let watcher = Arc::new(crate::watcher::Watcher::default());
    heard.values("the setup", &access.watched(watcher)?);
    Ok(())
}

/// A webhook that is not genuine.
fn webhooks(suite: &Suite<'_>, heard: &mut Heard) {
    let Some(verifier) = suite.connector.webhook_verifier() else {
        return;
    };
    for webhooks in &suite.webhooks {
        let secrets = [SecretString::from(WEBHOOK_SECRET)];
        let request = connector_core::WebhookRequest::new(&[], &webhooks.body);
        let verified = verifier.verify(&request, &secrets, std::time::UNIX_EPOCH);
        heard.result("a webhook", verified);
    }
}
