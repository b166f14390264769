//! What was compared and what was found, each once.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::{Finding, FindingKind, StreamName, Verification};

use crate::streams::BUILDS;

/// The most runs of numbers that are listed.
const MOST_RUNS: usize = 10;

/// Runs of numbers in ascending order: first and last of each.
pub(super) type Runs = Vec<(u64, u64)>;

/// Collects what a comparison has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    compared: Vec<String>,
    findings: BTreeMap<(FindingKind, StreamName, String), String>,
    /// Numbers of builds that Buildkite no longer has, by pipeline: `acme/web`.
    removed: BTreeMap<String, BTreeSet<u64>>,
}

impl Report {
    /// Adds what was compared, in a sentence.
    pub(super) fn compared(&mut self, sentence: String) {
        self.compared.push(sentence);
    }

    /// Adds a finding, unless there is one of this kind about the same place.
    pub(super) fn found(&mut self, kind: FindingKind, stream: &str, at: String, message: String) {
        let stream = StreamName::from(stream);
        self.findings.entry((kind, stream, at)).or_insert(message);
    }

    /// Whether a build is known to be missing.
    pub(super) fn misses_build(&self, at: &str) -> bool {
        let key = (FindingKind::Missing, BUILDS.into(), at.to_owned());
        self.findings.contains_key(&key)
    }

    /// Adds a build that Buildkite no longer has.
    pub(super) fn removed(&mut self, pipeline: &str, number: u64) {
        let numbers = self.removed.entry(pipeline.to_owned()).or_default();
        numbers.insert(number);
    }

    pub(super) fn finish(mut self) -> Verification {
        for (pipeline, numbers) in std::mem::take(&mut self.removed) {
            let builds = match numbers.len() {
                1 => "1 build is".to_owned(),
                count => format!("{count} builds are"),
            };
            let runs = text_of(&runs(numbers));
            let message = format!("{builds} no longer at Buildkite, and kept here: {runs}");
            self.found(FindingKind::Removed, BUILDS, pipeline, message);
        }
        let finding = |((kind, stream, at), message)| Finding::new(kind, stream, at, message);
        let mut findings: Vec<_> = self.findings.into_iter().map(finding).collect();
        findings.sort_by(|one, other| order(one).cmp(&order(other)));
        Verification::new(self.compared, findings)
    }
}

/// By number, not by the digits of it.
fn order(finding: &Finding) -> (FindingKind, &StreamName, &str, u64) {
    let (pipeline, number) = finding.at.split_once(" #").unwrap_or((&finding.at, ""));
    let number = number.parse().unwrap_or_default();
    (finding.kind, &finding.stream, pipeline, number)
}

/// `1 build`, `3 builds`.
pub(super) fn some(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// The runs of numbers in ascending order.
fn runs(numbers: impl IntoIterator<Item = u64>) -> Runs {
    let mut runs = Runs::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// `4, 7-8`.
pub(super) fn text_of(runs: &Runs) -> String {
    let run = |(first, last): &(u64, u64)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    let listed: Vec<_> = runs.iter().take(MOST_RUNS).map(run).collect();
    match runs.len().saturating_sub(MOST_RUNS) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_in_runs_and_not_without_end() {
        assert_eq!(text_of(&runs([4, 7, 8, 9, 12])), "4, 7-9, 12");
        let text = text_of(&runs((0..40).map(|n| 2 * n)));
        assert_eq!(text, "0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and 30 more");
    }

    #[test]
    fn what_is_found_twice_is_reported_once_and_in_order_of_numbers() {
        let mut report = Report::default();
        for (at, message) in [("#10", "first"), ("#10", "second"), ("#9", "third")] {
            let at = format!("acme/web {at}");
            report.found(FindingKind::Missing, BUILDS, at, message.to_owned());
        }
        let findings = report.finish().findings;
        let messages: Vec<_> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["third", "first"]);
    }
}
