//! Warns before a sync about streams that the credential cannot read.

use std::time::Duration;

use connector_core::Source;
use sync_runner::StreamChoice;
use tokio::time::timeout;

use crate::terminal::Terminal;

/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Warns about streams that the credential cannot read. The sync reads the others, and reports
/// everything else that is wrong.
pub(super) async fn warn_of_unreadable(
    source: &dyn Source,
    choice: &StreamChoice,
    terminal: &Terminal,
) {
    let Some(aware) = source.permission_aware() else {
        return;
    };
    let marked = async { aware.mark_readable(source.discover().await?).await };
    let Ok(Ok(catalog)) = timeout(PATIENCE, marked).await else {
        return;
    };
    let selections = choice.selections(&catalog).unwrap_or_default();
    let wanted = |name| selections.iter().any(|selection| selection.stream == name);
    let streams = catalog.streams.into_iter();
    for stream in streams.filter(|s| s.is_readable == Some(false) && wanted(s.name.clone())) {
        terminal.warn(format_args!(
            "{} will not be read: the credential lacks one of these scopes: {}",
            stream.name,
            stream.scopes.join(", ")
        ));
    }
}
