//! What became of one record.

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Stored, or acted on.
    Accepted,
    /// Refused for good; the reason is a sentence without the record's values. The host keeps the
    /// record.
    Rejected(String),
    /// Not tried, because the destination was asked to stop. No state that covers it may be
    /// committed.
    NotAttempted,
}
