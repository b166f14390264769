//! Lines that name their stream: `{"stream":"builds","record":{…}}`.

use std::collections::HashMap;
use std::io::{self, Write};

use connector_core::{Outcome, Record, StreamName, WritePlan};

use super::output::Output;
use super::sink::unknown_stream;
use crate::line;

/// The beginning of a line, for each stream.
pub(crate) struct Envelopes(HashMap<StreamName, String>);

impl Envelopes {
    /// For the streams of a plan.
    pub(crate) fn of(plan: &WritePlan) -> Self {
        let mut envelopes = Self(HashMap::new());
        for stream in &plan.streams {
            envelopes.add(&stream.stream.name);
        }
        envelopes
    }

    /// Adds another stream.
    pub(crate) fn add(&mut self, stream: &StreamName) {
        self.0.insert(stream.clone(), line::record_start(stream));
    }

    /// Writes the line of a record or of a tombstone.
    pub(crate) fn put<W: Write>(
        &self,
        output: &mut Output<W>,
        record: &Record,
    ) -> io::Result<Outcome> {
        let Some(start) = self.0.get(&record.stream) else {
            return Ok(unknown_stream());
        };
        let data = record.data.single_line();
        match record.removal_reason() {
            None => output.line([start, &data, "}\n"])?,
            Some(reason) => {
                let start = line::removed_start(&record.stream, reason);
                output.line([&start, &data, "}\n"])?;
            }
        }
        Ok(Outcome::Accepted)
    }
}
