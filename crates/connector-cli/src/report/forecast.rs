//! What a sync will cost.

use std::fmt;

use connector_core::{Forecast, State, StreamForecast};
use indicatif::{HumanBytes, HumanCount};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::table;
use crate::figures;

/// Where a sync would start.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Start {
    /// From the state that the last sync left in this copy.
    Resumed {
        /// The state.
        state: Box<State>,
        /// Which copy: `` `acme` in sqlite:copy.db ``.
        copy: String,
    },
    /// From the beginning.
    New {
        /// Why.
        reason: String,
    },
}

/// A forecast, and what it assumes. `Display` is a table and sentences.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ForecastReport {
    /// Where the sync would start.
    pub start: Start,
    /// What it will cost from there.
    pub forecast: Forecast,
}

impl Start {
    /// The state to start from.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        match self {
            Self::Resumed { state, .. } => Some(State::clone(state)),
            Self::New { .. } => None,
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resumed { copy, .. } => write!(f, "Resumes the last sync of {copy}."),
            Self::New { reason } => write!(f, "Estimates a first sync: {reason}."),
        }
    }
}

impl ForecastReport {
    /// The forecast for a sync that starts there.
    #[must_use]
    pub fn new(start: Start, forecast: Forecast) -> Self {
        Self { start, forecast }
    }

    fn total(&self, number: impl Fn(&StreamForecast) -> u64) -> u64 {
        self.forecast.streams.iter().map(number).sum()
    }

    fn rows(&self) -> Vec<[String; 4]> {
        let row = |name: &str, requests, records, bytes| {
            [
                name.to_owned(),
                HumanCount(requests).to_string(),
                HumanCount(records).to_string(),
                HumanBytes(bytes).to_string(),
            ]
        };
        let streams = self.forecast.streams.iter();
        let stream = |s: &StreamForecast| row(s.stream.as_str(), s.requests, s.records, s.bytes);
        let mut rows: Vec<_> = streams.map(stream).collect();
        let total = [
            self.total(|s| s.requests),
            self.total(|s| s.records),
            self.total(|s| s.bytes),
        ];
        rows.push(row("total", total[0], total[1], total[2]));
        rows
    }
}

impl fmt::Display for ForecastReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, forecast } = self;
        let table = table(["stream", "requests", "records", "size"], self.rows(), 1..4);
        write!(f, "{start}\n\n{}\n\n", table.trim_fmt())?;
        let duration = figures::duration(forecast.duration);
        write!(f, "About {duration} under the current limits.")?;
        for limit in &forecast.limits {
            write!(f, "\n  {limit}")?;
        }
        for stream in &forecast.streams {
            if let Some(note) = &stream.note {
                write!(f, "\n{}: {note}", stream.stream)?;
            }
        }
        Ok(())
    }
}

impl Serialize for ForecastReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let forecast = &self.forecast;
        let mut fields = serializer.serialize_struct("ForecastReport", 5)?;
        let resumes = matches!(self.start, Start::Resumed { .. });
        fields.serialize_field("goes_on", &resumes)?;
        fields.serialize_field("requests", &self.total(|s| s.requests))?;
        fields.serialize_field("seconds", &forecast.duration.as_millis().div_ceil(1000))?;
        fields.serialize_field("limits", &forecast.limits)?;
        fields.serialize_field("streams", &forecast.streams)?;
        fields.end()
    }
}
