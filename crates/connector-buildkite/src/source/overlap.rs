//! How far an incremental read goes back behind the last one.

use chrono::TimeDelta;

/// Builds may enter a list a little later than their `created_at` says, and the server's clocks
/// may differ a little.
pub(crate) const CREATED: TimeDelta = TimeDelta::seconds(60);

/// The same for `finished_at`. Longer, because a listing takes time.
pub(crate) const FINISHED: TimeDelta = TimeDelta::minutes(5);
