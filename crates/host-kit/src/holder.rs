//! Who holds a claim: this process.

use chrono::{DateTime, SecondsFormat, Utc};
use connector_core::Holder;

/// A run of `program` in this process on this machine, beginning now.
#[must_use]
pub fn this_process(program: &str) -> Holder {
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    Holder::new(
        program,
        std::process::id(),
        gethostname::gethostname().to_string_lossy(),
        now.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}
