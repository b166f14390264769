//! What a credential is and what it opens.

use std::collections::BTreeSet;

use connector_core::{CredentialInspector, CredentialReport, ErrorKind, MissingScopes, StreamName};

use crate::check::Check;
use crate::given::Access;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "inspection_agrees_with_reading",
        claim: "No stream that the credential reads is listed as unreadable. Only streams of the catalog are listed, each once.",
        mutants: &[
            "lists a stream that is not in the catalog",
            "lists a stream as readable and unreadable",
        ],
        capability: Capability::CredentialInspection,
        run: |suite| Box::pin(inspection_agrees_with_reading(suite)),
    },
    Check {
        name: "inspection_finds_what_is_missing",
        claim: "For a limited credential, exactly the streams that it cannot read are listed, each with the missing rights.",
        mutants: &["does not name the missing right"],
        capability: Capability::CredentialInspection,
        run: |suite| Box::pin(inspection_finds_what_is_missing(suite)),
    },
    Check {
        name: "inspection_refuses_what_does_not_work",
        claim: "Inspecting a credential that the remote rejects is an error.",
        mutants: &["describes a token that nobody has"],
        capability: Capability::CredentialInspection,
        run: |suite| Box::pin(inspection_refuses_what_does_not_work(suite)),
    },
    Check {
        name: "revoked_credentials_open_nothing",
        claim: "After it is revoked, a credential fails inspection and `check` with an authentication error.",
        mutants: &["revokes nothing"],
        capability: Capability::CredentialInspection,
        run: |suite| Box::pin(revoked_credentials_open_nothing(suite)),
    },
];

fn inspector<'s>(suite: &Suite<'s>) -> Verdict<&'s dyn CredentialInspector> {
    suite
        .connector
        .credential_inspector()
        .ok_or(Unproven::Absent)
}

/// A working access, for reading or else for writing.
fn working(suite: &Suite<'_>) -> Verdict<Access> {
    match suite.accesses().into_iter().next() {
        Some((_, access)) => Ok(access),
        None => skipped("nothing to read or write was given"),
    }
}

async fn inspection_agrees_with_reading(suite: &Suite<'_>) -> Verdict {
    let report = inspector(suite)?.inspect(working(suite)?.setup()?).await?;
    let unreadable = report.unreadable.iter().map(|missing| &missing.stream);
    let listed: Vec<&StreamName> = report.readable.iter().chain(unreadable).collect();
    let mut seen = BTreeSet::new();
    if let Some(name) = listed.iter().find(|name| !seen.insert(**name)) {
        return failed(format!("`{name}` is listed twice"));
    }
    if suite.connector.source().is_none() {
        return Ok(());
    }
    let catalog = suite.source().await?.discover().await?;
    for name in listed {
        catalog.stream(name.as_str())?;
    }
    for stream in suite.reading()?.streams(&catalog)? {
        if report
            .unreadable
            .iter()
            .any(|missing| missing.stream == stream.name)
        {
            return failed(format!(
                "`{}` can be read, and is marked unreadable",
                stream.name
            ));
        }
    }
    Ok(())
}

async fn inspection_finds_what_is_missing(suite: &Suite<'_>) -> Verdict {
    let inspector = inspector(suite)?;
    let limited = &suite.reading()?.limited;
    if limited.is_empty() {
        return skipped("no limited credential was given: use `Reading::with_limited`");
    }
    for limited in limited {
        let report = inspector.inspect(limited.access.setup()?).await?;
        let CredentialReport { unreadable, .. } = &report;
        let listed: BTreeSet<_> = unreadable.iter().map(|missing| &missing.stream).collect();
        let expected: BTreeSet<_> = limited.unreadable.iter().collect();
        if listed != expected {
            return failed(format!(
                "{listed:?} are listed as unreadable, not {expected:?}"
            ));
        }
        let has_none = |missing: &&MissingScopes| missing.scopes.is_empty();
        if let Some(missing) = unreadable.iter().find(has_none) {
            return failed(format!(
                "no missing right is listed for `{}`",
                missing.stream
            ));
        }
    }
    Ok(())
}

async fn inspection_refuses_what_does_not_work(suite: &Suite<'_>) -> Verdict {
    let inspector = inspector(suite)?;
    let mut tried = 0;
    for access in &suite.reading()?.wrong {
        // Other wrong settings do not concern the credential.
        let checked = suite.source_of(access).await?.check().await;
        if checked.is_err_and(|error| error.kind() == ErrorKind::Auth) {
            tried += 1;
            if inspector.inspect(access.setup()?).await.is_ok() {
                return failed("a credential that `check` refuses was described");
            }
        }
    }
    if tried == 0 {
        return skipped("no rejected credential was given: use `Reading::with_wrong`");
    }
    Ok(())
}

async fn revoked_credentials_open_nothing(suite: &Suite<'_>) -> Verdict {
    let inspector = inspector(suite)?;
    let Some(fresh) = &suite.revocable else {
        return skipped("no revocable credential was given: use `Suite::with_revocable`");
    };
    let access = fresh();
    inspector.inspect(access.setup()?).await?;
    inspector.revoke(access.setup()?).await?;
    expect_rejected(inspector.inspect(access.setup()?).await)?;
    if suite.connector.source().is_some() {
        expect_rejected(suite.source_of(&access).await?.check().await)?;
    }
    Ok(())
}

fn expect_rejected<T>(result: connector_core::Result<T>) -> Verdict {
    match result {
        Ok(_) => failed("a revoked credential still works"),
        Err(error) if error.kind() == ErrorKind::Auth => Ok(()),
        Err(error) => failed(format!("the error has kind {:?}: {error}", error.kind())),
    }
}
