//! What a pass goes by. Tests leave out one of what it relies on to miss nothing, to prove that
//! they would notice.

use chrono::TimeDelta;

/// The rules of a pass; the default is all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Builds may enter a list a little later than their `created_at` says, and the server's
    /// clocks may differ a little.
    pub(crate) overlap: TimeDelta,
    /// The same for `finished_at`. Longer, because a listing takes its time.
    pub(crate) finish_overlap: TimeDelta,
    /// Builds that finished since the last sync are read again.
    pub(crate) finished_since: bool,
    /// Builds that were open are looked for until they are seen.
    pub(crate) open_before: bool,
    /// What is left of an interval is noted before its end is reached.
    pub(crate) notes_what_is_left: bool,
    /// A gap with fewer builds left than this is not cut in two: ten pages.
    pub(crate) worth_cutting: u64,
    /// Lists are read by keyset, not by page numbers.
    pub(crate) keyset: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            overlap: TimeDelta::seconds(60),
            finish_overlap: TimeDelta::minutes(5),
            finished_since: true,
            open_before: true,
            notes_what_is_left: true,
            worth_cutting: 1_000,
            keyset: true,
        }
    }
}
