//! Whether a copy is complete and up to date.

use std::fmt;

use connector_core::{Finding, FindingKind, Verification};
use indicatif::HumanCount;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::exit::Exit;

/// The text only counts further findings of a kind.
const MOST_PRINTED: usize = 50;
/// The kinds, in the order in which they are printed, with what each means.
const KINDS: [(FindingKind, &str, &str); 4] = [
    (
        FindingKind::Missing,
        "missing",
        "the source has it, the copy does not",
    ),
    (
        FindingKind::Stale,
        "stale",
        "the source has another version",
    ),
    (
        FindingKind::Removed,
        "removed",
        "no longer at the source, kept in the copy",
    ),
    (
        FindingKind::Harmless,
        "harmless",
        "looks like an error but is not one",
    ),
];

/// The findings of a comparison. `Display` lists them and says what to do.
#[derive(Debug, Clone, Copy)]
pub struct VerificationReport<'a>(pub &'a Verification);

impl VerificationReport<'_> {
    fn of_kind(&self, kind: FindingKind) -> impl Iterator<Item = &Finding> {
        let findings = self.0.findings.iter();
        findings.filter(move |finding| finding.kind == kind)
    }

    fn verdict(&self) -> &'static str {
        match Exit::of_verification(self.0) {
            Exit::Missing => {
                "The copy lacks records. Sync again; if they are still missing then, sync \
                 --restart reads everything again."
            }
            Exit::Stale => {
                "Records of the copy are stale. Sync again; if they are still stale then, sync \
                 --restart reads everything again."
            }
            Exit::MissingAndStale => {
                "The copy lacks records, and others are stale. Sync again; if that changes \
                 nothing, sync --restart reads everything again."
            }
            _ => "Sound: nothing is missing and nothing is stale.",
        }
    }
}

impl fmt::Display for VerificationReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Compared:")?;
        for sentence in &self.0.compared {
            writeln!(f, "  {sentence}")?;
        }
        for (kind, word, meaning) in KINDS {
            let found: Vec<_> = self.of_kind(kind).collect();
            if found.is_empty() {
                continue;
            }
            let count = HumanCount(found.len() as u64);
            writeln!(f, "\n{count} {word} ({meaning}):")?;
            for one in found.iter().take(MOST_PRINTED) {
                writeln!(f, "  {}: {}: {}", one.stream, one.at, one.message)?;
            }
            if found.len() > MOST_PRINTED {
                let more = HumanCount((found.len() - MOST_PRINTED) as u64);
                writeln!(f, "  and {more} more; --json prints all")?;
            }
        }
        write!(f, "\n{}", self.verdict())
    }
}

impl Serialize for VerificationReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_sound = Exit::of_verification(self.0) == Exit::Complete;
        let kinds = KINDS.iter();
        let findings: Vec<_> = kinds.flat_map(|(kind, ..)| self.of_kind(*kind)).collect();
        let mut fields = serializer.serialize_struct("VerificationReport", 3)?;
        fields.serialize_field("is_sound", &is_sound)?;
        fields.serialize_field("compared", &self.0.compared)?;
        fields.serialize_field("findings", &findings)?;
        fields.end()
    }
}
