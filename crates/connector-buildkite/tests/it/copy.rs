//! What a destination holds, in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use connector_core::{Comparison, Message, OpenRows, Record, Replica, Result, State, StreamName};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// Rows by stream and id; a row that is gone has the field `_gone`.
#[derive(Default)]
pub(crate) struct Copy(Mutex<BTreeMap<(String, String), Row>>);

impl Copy {
    /// Writes what a read yielded.
    pub(crate) fn write(&self, messages: &[Message]) {
        for message in messages {
            let Message::Record(record) = message else {
                continue;
            };
            let (key, row) = row_of(record);
            self.change(|rows| {
                let stored = rows.entry(key).or_default();
                if !record.is_removed() {
                    stored.clear();
                }
                stored.extend(row);
            });
        }
    }

    pub(crate) fn change<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<(String, String), Row>) -> T,
    ) -> T {
        act(&mut self.0.lock().expect("no test panics while it holds it"))
    }

    pub(crate) fn delete(&self, stream: &str, id: &str) {
        let key = (stream.to_owned(), id.to_owned());
        assert!(self.change(|rows| rows.remove(&key)).is_some(), "{key:?}");
    }

    pub(crate) fn set(&self, stream: &str, id: &str, field: &str, value: Value) {
        let key = (stream.to_owned(), id.to_owned());
        self.change(|rows| {
            let row = rows.get_mut(&key).expect("a row with this id");
            row.insert(field.to_owned(), value);
        });
    }

    /// The rows of a stream that can still change, as a database finds them.
    pub(crate) fn open_rows(&self, stream: &str, open: &OpenRows) -> Vec<Vec<Value>> {
        let is_settled = |row: &Row| match row.get(&open.field).and_then(Value::as_str) {
            Some(value) => open.settled.iter().any(|settled| settled == value),
            None => open.null_is_settled,
        };
        let rows = self.of(stream).into_iter();
        let rows = rows.filter(|row| !row.contains_key("_gone") && !is_settled(row));
        let wanted = |row: Row| {
            let fields = open.wanted.iter();
            let values = fields.map(|field| row.get(field).cloned().unwrap_or_default());
            values.collect()
        };
        rows.map(wanted).collect()
    }

    /// The rows of a stream.
    pub(crate) fn of(&self, stream: &str) -> Vec<Row> {
        let all = |rows: &mut BTreeMap<(String, String), Row>| {
            let of_stream = rows.iter().filter(|((of, _), _)| of == stream);
            of_stream.map(|(_, row)| row.clone()).collect()
        };
        self.change(all)
    }
}

fn row_of(record: &Record) -> ((String, String), Row) {
    let mut row: Row = serde_json::from_str(record.data.as_str()).expect("an object");
    if let Some(why) = record.removal_reason() {
        row.insert("_gone".to_owned(), why.to_string().into());
    }
    let id = row["id"].as_str().expect("an id").to_owned();
    ((record.stream.to_string(), id), row)
}

#[async_trait]
impl Replica for Copy {
    async fn state(&self, _: &str) -> Result<Option<State>> {
        Ok(None)
    }

    /// Objects as texts and truth as numbers, as a database has them.
    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let stored = |value: Option<&Value>| match value {
            None => Value::Null,
            Some(Value::Bool(is)) => u8::from(*is).into(),
            Some(object @ Value::Object(_)) => object.to_string().into(),
            Some(value) => value.clone(),
        };
        let rows = self.of(stream.as_str());
        let kept = rows.iter().filter(|row| !row.contains_key("_gone"));
        let rows: Vec<_> = kept
            .map(|row| Ok(fields.iter().map(|field| stored(row.get(*field))).collect()))
            .collect();
        stream::iter(rows).boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let compare = |record: &Record| {
            let (key, new) = row_of(record);
            self.change(|rows| match rows.get(&key) {
                None => Comparison::Absent,
                Some(row) if !record.is_removed() => differing(row, &new),
                Some(row) if row.get("_gone") == new.get("_gone") => Comparison::Same,
                Some(_) => Comparison::Differs(vec!["_gone".to_owned()]),
            })
        };
        Ok(records.iter().map(compare).collect())
    }
}

fn differing(row: &Row, new: &Row) -> Comparison {
    let mut names: Vec<_> = row.keys().chain(new.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| row.get(name) != new.get(name));
    if names.is_empty() {
        return Comparison::Same;
    }
    Comparison::Differs(names)
}
