//! What the destination can do beside writing.

use async_trait::async_trait;
use connector_core::{
    Claim, DeleteByKey, Error, ErrorKind, Holder, JsonObject, OpenRowReader, OpenRows, Record,
    Result, RunHistory, RunRecord, StreamName,
};
use serde_json::Value;

use super::MemoryDestination;
use crate::copy::Table;
use crate::memory::copies::Stored;
use crate::rows::key_of;

#[async_trait]
impl Claim for MemoryDestination {
    async fn claim(&mut self, sync: &str, holder: &Holder) -> Result<()> {
        self.copies.change(&self.settings.copy, |stored| {
            if let Some(other) = stored.holders.get(sync) {
                let message = format!("another run of this sync is under way: {other}");
                return Err(Error::new(ErrorKind::Conflict, message).with_context("sync", sync));
            }
            stored.holders.insert(sync.to_owned(), holder.clone());
            Ok(())
        })?;
        self.claimed = Some(sync.to_owned());
        Ok(())
    }
}

#[async_trait]
impl RunHistory for MemoryDestination {
    async fn record(&mut self, run: &RunRecord) -> Result<()> {
        self.change(|stored| {
            match stored.runs.iter_mut().find(|known| known.id == run.id) {
                Some(known) => known.clone_from(run),
                None => stored.runs.push(run.clone()),
            }
            Ok(())
        })
    }

    async fn runs(&mut self, at_most: usize) -> Result<Vec<RunRecord>> {
        let newest = |stored: &Stored| {
            let mut runs = stored.runs.clone();
            runs.sort_by(|one, other| other.started_at.cmp(&one.started_at));
            runs.truncate(at_most);
            runs
        };
        let runs = self.copies.read(&self.settings.copy, newest);
        Ok(runs.unwrap_or_default())
    }
}

#[async_trait]
impl DeleteByKey for MemoryDestination {
    async fn delete(&mut self, stream: &StreamName, keys: Vec<JsonObject>) -> Result<u64> {
        let mut deleted = 0;
        self.change(|stored| {
            let Some(table) = stored.copy.table(stream).map(Table::stream).cloned() else {
                return Ok(());
            };
            if table.primary_key.is_empty() {
                let message = "rows of a stream without a primary key cannot be deleted by key";
                let error = Error::new(ErrorKind::Config, message);
                return Err(error.with_context("stream", stream));
            }
            for key in keys {
                let key = key_of(&table, &Record::new(stream.clone(), key))?;
                deleted += stored.copy.table_mut(&table).delete(&key) as u64;
            }
            Ok(())
        })?;
        Ok(deleted)
    }
}

#[async_trait]
impl OpenRowReader for MemoryDestination {
    async fn open_rows(&mut self, stream: &StreamName, open: &OpenRows) -> Result<Vec<Vec<Value>>> {
        let mut fields = vec![open.field.as_str()];
        fields.extend(open.wanted.iter().map(String::as_str));
        let rows = |stored: &Stored| {
            let table = stored.copy.table(stream);
            table.map_or(Ok(Vec::new()), |table| table.rows(&fields))
        };
        let rows = self.copies.read(&self.settings.copy, rows);
        let mut rows = rows.unwrap_or_else(|| Ok(Vec::new()))?;
        let is_settled = |value: &Value| {
            let is_null = open.null_is_settled && value.is_null();
            is_null || open.settled.iter().any(|settled| value == settled)
        };
        rows.retain(|row| row.first().is_some_and(|value| !is_settled(value)));
        Ok(rows
            .into_iter()
            .map(|row| row.into_iter().skip(1).collect())
            .collect())
    }
}
