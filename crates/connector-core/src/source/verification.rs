//! What a comparison of source and copy found.

use serde::{Deserialize, Serialize};

use crate::StreamName;

/// The outcome of comparing what a destination holds with its source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// What was compared, in a sentence each.
    pub compared: Vec<String>,
    /// Differences, and things that only look like differences.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// This was compared, and this was found.
    pub fn new(compared: Vec<String>, findings: Vec<Finding>) -> Self {
        Self { compared, findings }
    }

    /// Whether something of this kind was found.
    #[must_use]
    pub fn has(&self, kind: FindingKind) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// The stream.
    pub stream: StreamName,
    /// Which record or records: `acme/web #12`.
    pub at: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

impl Finding {
    /// Something of this kind was found at this place.
    pub fn new(
        kind: FindingKind,
        stream: impl Into<StreamName>,
        at: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            stream: stream.into(),
            at: at.into(),
            message: message.into(),
        }
    }
}

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The source has it, and the copy does not.
    Missing,
    /// The copy has it, in a version that the source no longer has.
    Stale,
    /// The copy has it, and the source does not. This is not an error: the copy keeps what the
    /// source forgets.
    Removed,
    /// It looks like an error but is not one, such as a number that the source never assigned.
    Harmless,
}
