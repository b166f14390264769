//! A copy of streams in memory, which can be read back as any replica.

use std::collections::BTreeMap;

use async_trait::async_trait;
use connector_core::{
    Comparison, Error, ErrorKind, JsonObject, Record, Replica, Result, State, StoredStream, Stream,
    StreamName,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use crate::rows::key_of;

/// Rows of streams, and the states of syncs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copy {
    tables: BTreeMap<StreamName, Table>,
    pub(crate) states: BTreeMap<String, State>,
}

/// The rows of one stream.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    stream: Stream,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    key: String,
    data: JsonObject,
    is_removed: bool,
}

impl Copy {
    /// The rows of a stream; none if it has never come.
    pub(crate) fn table(&self, stream: &StreamName) -> Option<&Table> {
        self.tables.get(stream)
    }

    /// The streams, by name, with their rows counted.
    pub(crate) fn streams(&self) -> Vec<StoredStream> {
        let tables = self.tables.iter().map(|(stream, table)| {
            let removed = table.rows.iter().filter(|row| row.is_removed).count();
            StoredStream::new(stream.clone(), table.rows.len() as u64, removed as u64)
        });
        tables.collect()
    }

    /// The rows of a stream, to be changed.
    pub(crate) fn table_mut(&mut self, stream: &Stream) -> &mut Table {
        let table = self.tables.entry(stream.name.clone());
        table.or_insert_with(|| Table::new(stream.clone()))
    }

    /// Puts other rows in the place of those of a stream.
    pub(crate) fn replace(&mut self, table: Table) {
        self.tables.insert(table.stream.name.clone(), table);
    }
}

impl Table {
    pub(crate) fn new(stream: Stream) -> Self {
        let rows = Vec::new();
        Self { stream, rows }
    }

    /// Adds a row. A tombstone marks all rows with its key.
    pub(crate) fn append(&mut self, record: &Record) -> Result<()> {
        let key = key_of(&self.stream, record)?;
        if record.is_removed() {
            self.mark(&key);
            return Ok(());
        }
        self.rows.push(Row {
            key,
            data: record.data.clone(),
            is_removed: false,
        });
        Ok(())
    }

    /// Replaces the row with the record's key, or adds one. A tombstone marks that row.
    pub(crate) fn upsert(&mut self, record: &Record) -> Result<()> {
        let key = key_of(&self.stream, record)?;
        if !record.is_removed() {
            self.rows.retain(|row| row.key != key);
        }
        self.append(record)
    }

    /// Deletes the rows with a key, and returns how many there were.
    pub(crate) fn delete(&mut self, key: &str) -> usize {
        let before = self.rows.len();
        self.rows.retain(|row| row.key != key);
        before - self.rows.len()
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The rows that are not marked as removed: for each the values of `fields`.
    pub(crate) fn rows(&self, fields: &[&str]) -> Result<Vec<Vec<Value>>> {
        let rows = self.rows.iter().filter(|row| !row.is_removed);
        rows.map(|row| row.values(fields)).collect()
    }

    fn mark(&mut self, key: &str) {
        let rows = self.rows.iter_mut().filter(|row| row.key == key);
        rows.for_each(|row| row.is_removed = true);
    }

    /// Of several rows with the same key, the newest counts.
    fn compare(&self, record: &Record) -> Result<Comparison> {
        let key = key_of(&self.stream, record)?;
        let row = self
            .rows
            .iter()
            .rfind(|row| row.key == key && !row.is_removed);
        let Some(row) = row else {
            return Ok(Comparison::Absent);
        };
        let (stored, expected) = (value_of(&row.data)?, value_of(&record.data)?);
        let fields = [&stored, &expected].map(|value| value.as_object().into_iter().flatten());
        let names = fields.into_iter().flatten().map(|(name, _)| name);
        let mut differing: Vec<_> = names
            .filter(|name| stored[name.as_str()] != expected[name.as_str()])
            .cloned()
            .collect();
        differing.sort_unstable();
        differing.dedup();
        if differing.is_empty() {
            return Ok(Comparison::Same);
        }
        Ok(Comparison::Differs(differing))
    }
}

impl Row {
    fn values(&self, fields: &[&str]) -> Result<Vec<Value>> {
        let value = value_of(&self.data)?;
        Ok(fields.iter().map(|field| value[*field].clone()).collect())
    }
}

/// The fields of a record as values.
pub(crate) fn value_of(data: &JsonObject) -> Result<Value> {
    serde_json::from_str(data.as_str())
        .map_err(|_| Error::new(ErrorKind::Data, "the record is not valid JSON"))
}

#[async_trait]
impl Replica for Copy {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        Ok(self.states.get(sync).cloned())
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let rows = self
            .table(stream)
            .map_or(Ok(Vec::new()), |table| table.rows(fields));
        match rows {
            Ok(rows) => stream::iter(rows.into_iter().map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let compare = |record: &Record| match self.table(&record.stream) {
            Some(table) => table.compare(record),
            None => Ok(Comparison::Absent),
        };
        records.iter().map(compare).collect()
    }
}
