//! What became of records, until the host takes it.

use connector_core::{JsonObject, Record, Result};

use super::row::{RESULTS, ResultRow};
use crate::mask::Mask;

/// Results that the host has not taken yet.
pub(crate) struct OutcomeLog {
    results: Vec<JsonObject>,
    mask: Mask,
}

impl OutcomeLog {
    /// # Errors
    /// [`ErrorKind::Internal`](connector_core::ErrorKind::Internal) if the mask cannot be built.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            results: Vec::new(),
            mask: Mask::new(&[])?,
        })
    }

    /// Adds a result.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if it has no JSON form.
    pub(crate) fn add(&mut self, row: &ResultRow) -> Result<()> {
        let result = self.render(row)?;
        self.results.push(result);
        Ok(())
    }

    /// A result as the host gets it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn render(&self, row: &ResultRow) -> Result<JsonObject> {
        let data = JsonObject::from_serialize(row)?;
        // A dry run shows what would be sent, as it would be sent.
        if !row.requests.is_empty() {
            return Ok(data);
        }
        Ok(self.mask.apply(Record::new(RESULTS.into(), data))?.data)
    }

    /// The results since the last call.
    pub(crate) fn take(&mut self) -> Vec<JsonObject> {
        std::mem::take(&mut self.results)
    }
}
