//! Webhooks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector_core::{ErrorKind, Result, VerifiedWebhook, WebhookRequest, WebhookVerifier};
use secrecy::SecretString;

use crate::check::Check;
use crate::given::Webhooks;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "genuine_webhooks_pass",
        claim: "A webhook signed with the secret passes, with its event type and its unchanged body.",
        mutants: &["refuses genuine webhooks", "an event of another type"],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(genuine_webhooks_pass(suite)),
    },
    Check {
        name: "forged_bodies_are_refused",
        claim: "A body other than the signed one is refused: changed, truncated, extended or empty.",
        mutants: &["does not verify the body"],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(forged_bodies_are_refused(suite)),
    },
    Check {
        name: "wrong_secrets_are_refused",
        claim: "A webhook that is unsigned, or signed with another secret, is refused. So is every webhook if the only secret is empty.",
        mutants: &[
            "accepts any signature",
            "accepts unsigned webhooks",
            "accepts an empty secret",
        ],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(wrong_secrets_are_refused(suite)),
    },
    Check {
        name: "old_webhooks_are_refused",
        claim: "A webhook from the distant past or future is refused.",
        mutants: &["accepts webhooks of any age"],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(old_webhooks_are_refused(suite)),
    },
    Check {
        name: "two_secrets_are_accepted",
        claim: "With two secrets, a webhook signed with either passes.",
        mutants: &["uses only the first secret"],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(two_secrets_are_accepted(suite)),
    },
    Check {
        name: "other_bodies_are_no_events",
        claim: "A signed body that is not an event is a data error.",
        mutants: &["an event out of anything"],
        capability: Capability::Webhooks,
        run: |suite| Box::pin(other_bodies_are_no_events(suite)),
    },
];

const SECRET: &str = "a secret of the testkit";
const OTHER: &str = "another secret of the testkit";

/// When all webhooks arrive: in the year 2026.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_000_000)
}

fn given<'s>(suite: &'s Suite<'_>) -> Verdict<(&'s dyn WebhookVerifier, &'s [Webhooks])> {
    let verifier = suite.connector.webhook_verifier().ok_or(Unproven::Absent)?;
    if suite.webhooks.is_empty() {
        return skipped("no webhook was given: use `Suite::with_webhooks`");
    }
    Ok((verifier, &suite.webhooks))
}

/// A webhook on its way.
struct Sent<'w> {
    secret: &'w str,
    at: SystemTime,
    signed: &'w [u8],
    body: &'w [u8],
}

impl<'w> Sent<'w> {
    fn genuine(webhooks: &'w Webhooks) -> Self {
        Self {
            secret: SECRET,
            at: now(),
            signed: &webhooks.body,
            body: &webhooks.body,
        }
    }

    fn verify(
        &self,
        webhooks: &Webhooks,
        verifier: &dyn WebhookVerifier,
        secrets: &[&str],
    ) -> Result<VerifiedWebhook> {
        let headers = (webhooks.sign)(self.secret, self.at, self.signed);
        verify(verifier, &headers, self.body, secrets)
    }
}

fn verify(
    verifier: &dyn WebhookVerifier,
    headers: &[(String, String)],
    body: &[u8],
    secrets: &[&str],
) -> Result<VerifiedWebhook> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers.collect();
    let secrets = secrets.iter().map(|secret| SecretString::from(*secret));
    let secrets: Vec<_> = secrets.collect();
    verifier.verify(&WebhookRequest::new(&headers, body), &secrets, now())
}

fn expect_refused(result: Result<VerifiedWebhook>, kind: ErrorKind, what: &str) -> Verdict {
    match result {
        Ok(_) => failed(format!("{what} passed")),
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => failed(format!("{what} caused an error of kind {:?}", error.kind())),
    }
}

async fn genuine_webhooks_pass(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    for webhooks in given {
        let verified = Sent::genuine(webhooks).verify(webhooks, verifier, &[SECRET])?;
        if verified.event != webhooks.event {
            return failed(format!("the event type is `{}`", verified.event));
        }
        if verified.body.as_str().as_bytes() != webhooks.body.trim_ascii() {
            return failed("the body was changed");
        }
    }
    Ok(())
}

async fn forged_bodies_are_refused(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    let mut tried = 0;
    for webhooks in given.iter().filter(|webhooks| webhooks.is_body_signed) {
        let body = &webhooks.body;
        for forged in forgeries(body) {
            tried += 1;
            let sent = Sent {
                body: &forged,
                ..Sent::genuine(webhooks)
            };
            let result = sent.verify(webhooks, verifier, &[SECRET]);
            expect_refused(result, ErrorKind::Auth, "a forged body")?;
        }
    }
    if tried == 0 {
        return absent();
    }
    Ok(())
}

/// Bodies that are still JSON where that is possible.
fn forgeries(body: &[u8]) -> Vec<Vec<u8>> {
    let mut changed = body.to_vec();
    if let Some(letter) = changed.iter_mut().find(|byte| byte.is_ascii_lowercase()) {
        *letter = if *letter == b'x' { b'y' } else { b'x' };
    }
    let longer = [body, b" "].concat();
    let cut = body[..body.len() / 2].to_vec();
    vec![changed, longer, cut, Vec::new()]
}

async fn wrong_secrets_are_refused(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    for webhooks in given {
        let genuine = Sent::genuine(webhooks);
        let secrets: [&[&str]; 3] = [&[OTHER], &[], &[""]];
        for secrets in secrets {
            let result = genuine.verify(webhooks, verifier, secrets);
            expect_refused(
                result,
                ErrorKind::Auth,
                "a webhook signed with another secret",
            )?;
            let result = verify(verifier, &[], &webhooks.body, secrets);
            expect_refused(result, ErrorKind::Auth, "a webhook without headers")?;
        }
        let unsigned = Sent {
            secret: "",
            ..genuine
        };
        for secrets in [&[""][..], &[SECRET, ""][..]] {
            let result = unsigned.verify(webhooks, verifier, secrets);
            expect_refused(
                result,
                ErrorKind::Auth,
                "a webhook signed with an empty secret",
            )?;
        }
        let result = verify(verifier, &[], &webhooks.body, &[SECRET]);
        expect_refused(result, ErrorKind::Auth, "a webhook without headers")?;
    }
    Ok(())
}

async fn old_webhooks_are_refused(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    let mut tried = 0;
    for webhooks in given {
        let Some(oldest) = webhooks.oldest else {
            continue;
        };
        tried += 1;
        for at in [now() - oldest, UNIX_EPOCH, now() + oldest] {
            let sent = Sent {
                at,
                ..Sent::genuine(webhooks)
            };
            let result = sent.verify(webhooks, verifier, &[SECRET]);
            expect_refused(result, ErrorKind::Auth, "a webhook of another time")?;
        }
    }
    if tried == 0 {
        return absent();
    }
    Ok(())
}

async fn two_secrets_are_accepted(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    for webhooks in given {
        for secrets in [[SECRET, OTHER], [OTHER, SECRET]] {
            let sent = Sent::genuine(webhooks);
            if sent.verify(webhooks, verifier, &secrets).is_err() {
                return failed("a webhook signed with one of two secrets was refused");
            }
        }
    }
    Ok(())
}

async fn other_bodies_are_no_events(suite: &Suite<'_>) -> Verdict {
    let (verifier, given) = given(suite)?;
    let bodies: [&[u8]; 4] = [b"", b"testkit", b"[1]", b"\xff"];
    for webhooks in given {
        for body in bodies {
            let sent = Sent {
                signed: body,
                body,
                ..Sent::genuine(webhooks)
            };
            let result = sent.verify(webhooks, verifier, &[SECRET]);
            expect_refused(result, ErrorKind::Data, "a body that is not an event")?;
        }
    }
    Ok(())
}
