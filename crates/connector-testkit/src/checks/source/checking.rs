//! `check`.

use crate::check::Check;
use crate::checks::refusal::expect_refusal;
use crate::report::{Verdict, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "check_passes",
        claim: "`check` passes with an access that works.",
        mutants: &["refuses a token that works"],
        capability: Capability::Source,
        run: |suite| Box::pin(check_passes(suite)),
    },
    Check {
        name: "check_fails",
        claim: "`check` fails with an access that does not work, and the error is not retryable.",
        mutants: &[
            "accepts an unknown token",
            "a retryable error for an unknown token",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(check_fails(suite)),
    },
];

async fn check_passes(suite: &Suite<'_>) -> Verdict {
    suite.reading()?;
    Ok(suite.source().await?.check().await?)
}

async fn check_fails(suite: &Suite<'_>) -> Verdict {
    let wrong = &suite.reading()?.wrong;
    if wrong.is_empty() {
        return skipped("no wrong access was given: use `Reading::with_wrong`");
    }
    for access in wrong {
        let source = suite.source_of(access).await?;
        expect_refusal(source.check().await)?;
    }
    Ok(())
}
