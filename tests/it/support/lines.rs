//! What a JSON lines file holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{Fields, Records, fields};

/// The records of a file, in order.
pub(crate) struct Lines(pub(crate) Vec<((String, String), Fields)>);

/// A record with its stream, or a commit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    stream: Option<String>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    sync: Option<String>,
    #[serde(rename = "state")]
    _state: Option<&'a RawValue>,
}

impl Lines {
    /// Reads a file whose last line is a commit.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let last = text.lines().next_back().unwrap();
        assert!(last.starts_with("{\"sync\":"), "not committed: {last}");
        Self::of(&text)
    }

    /// Reads the text of a file or pipe.
    pub(crate) fn of(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line is cut");
        let record = |line| {
            let line: Line<'_> = serde_json::from_str(line).unwrap();
            if line.sync.is_some() {
                return None;
            }
            let record = fields(line.record.unwrap().get());
            Some(((line.stream.unwrap(), record["id"].clone()), record))
        };
        Self(text.lines().filter_map(record).collect())
    }

    /// The records, each of which must be there once.
    pub(crate) fn each_once(self) -> Records {
        let count = self.0.len();
        let records: Records = self.0.into_iter().collect();
        assert_eq!(records.len(), count, "a record is there twice");
        records
    }

    /// Of several records with one key the last one, and how often those are there that are not
    /// there once.
    pub(crate) fn last_of_each(self) -> (Records, BTreeMap<(String, String), usize>) {
        let mut counts = BTreeMap::new();
        for (key, _) in &self.0 {
            *counts.entry(key.clone()).or_insert(0) += 1;
        }
        counts.retain(|_, count| *count > 1);
        (self.0.into_iter().collect(), counts)
    }
}
