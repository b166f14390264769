//! The run of all checks.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::Suite;
use crate::check::Check;
use crate::checks::checks;
use crate::report::{Ending, Line, Report, Unproven};

impl Suite<'_> {
    /// Runs all checks of what the connector has, one after the other.
    pub async fn run(&self) -> Report {
        let secrets = self.secrets();
        let mut lines = Vec::new();
        for check in checks() {
            let ending = self.run_one(check).await;
            lines.extend(ending.map(|ending| Line {
                check: check.name,
                capability: check.capability,
                ending: without_secrets(ending, &secrets),
            }));
        }
        Report { lines }
    }

    /// How a check ended; `None` if the connector does not have what it is about.
    async fn run_one(&self, check: &Check) -> Option<Ending> {
        let run = AssertUnwindSafe((check.run)(self)).catch_unwind();
        Some(match tokio::time::timeout(self.limit, run).await {
            Ok(Ok(Ok(()))) => Ending::Passed,
            Ok(Ok(Err(Unproven::Failed(why)))) => Ending::Failed(why),
            Ok(Ok(Err(Unproven::Skipped(why)))) => Ending::Skipped(why),
            Ok(Ok(Err(Unproven::Absent))) => return None,
            Ok(Err(_panic)) => Ending::Failed("it panicked".to_owned()),
            Err(_) => Ending::Failed(format!("it did not end within {:?}", self.limit)),
        })
    }
}

/// Reports appear in logs: a leaked secret must not leak again.
fn without_secrets(ending: Ending, secrets: &[String]) -> Ending {
    let masked = |why: String| {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        secrets.fold(why, |why, secret| why.replace(secret, "[secret]"))
    };
    match ending {
        Ending::Passed => Ending::Passed,
        Ending::Failed(why) => Ending::Failed(masked(why)),
        Ending::Skipped(why) => Ending::Skipped(masked(why)),
    }
}
