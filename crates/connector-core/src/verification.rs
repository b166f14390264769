//! What a comparison of source and copy found.

use crate::StreamName;

/// The outcome of comparing what a destination holds with its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// What was compared, in a sentence each.
    pub compared: Vec<String>,
    /// What is not as it should be, and what only looks so.
    pub findings: Vec<Finding>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// The stream.
    pub stream: StreamName,
    /// Which record or records: `acme/web #12`.
    pub at: String,
    /// A sentence on what is the matter.
    pub message: String,
}

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// The source has it, the copy does not.
    Missing,
    /// The copy has it, in a version that the source no longer has.
    Stale,
    /// The copy has it, the source does not: not an error, the copy keeps what the source forgets.
    Gone,
    /// It looks like an error and is none, such as a number that the source never gave out.
    Harmless,
}

impl Verification {
    /// Whether something of this kind was found.
    pub fn has(&self, kind: FindingKind) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }
}
