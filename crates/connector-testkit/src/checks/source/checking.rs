//! `check`.

use crate::check::Check;
use crate::checks::refusal::expect_refusal;
use crate::report::{Verdict, skipped};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "check_passes",
        claim: "`check` passes with what works.",
        mutants: &["refuses a token that works"],
        capability: Capability::Source,
        run: |suite| Box::pin(check_passes(suite)),
    },
    Check {
        name: "check_fails",
        claim: "`check` fails with what does not work, and does not ask for another try.",
        mutants: &[
            "passes a token of nobody",
            "asks for another try with a token of nobody",
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
        return skipped("nothing wrong was given to read with");
    }
    for access in wrong {
        let source = suite.source_of(access).await?;
        expect_refusal(source.check().await)?;
    }
    Ok(())
}
