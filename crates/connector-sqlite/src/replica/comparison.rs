//! Compares records with stored rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use connector_core::{Comparison, ErrorKind, Record, StreamName};
use rusqlite::{Connection, Statement};

use crate::error::Failure;
use crate::layout::row::{Field, Row};
use crate::layout::value::StoredValue;
use crate::layout::{Layout, MARK};
use crate::sql::{comma_separated, quoted};

/// Compares each record with the row that has its primary key. All rows are of one moment.
pub(crate) fn compare(
    database: &Connection,
    records: &[Record],
) -> Result<Vec<Comparison>, Failure> {
    database.execute_batch("BEGIN")?;
    let mut tables: HashMap<&StreamName, Option<Compared<'_>>> = HashMap::new();
    let mut comparisons = Vec::with_capacity(records.len());
    for record in records {
        let table = match tables.entry(&record.stream) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Compared::find(database, &record.stream)?),
        };
        comparisons.push(match table {
            Some(table) => table.compare(record)?,
            None => Comparison::Absent,
        });
    }
    Ok(comparisons)
}

/// A table to compare with.
struct Compared<'d> {
    layout: Layout,
    select: Statement<'d>,
}

impl<'d> Compared<'d> {
    fn find(database: &'d Connection, stream: &StreamName) -> Result<Option<Self>, Failure> {
        let Some(layout) = Layout::find(database, stream.as_str())? else {
            return Ok(None);
        };
        if layout.key().is_empty() {
            let message =
                format!("the stream `{stream}` has no primary key: its rows cannot be compared");
            return Err(Failure::Refused(ErrorKind::Config, message));
        }
        let columns = layout.columns().iter().map(|column| quoted(&column.name));
        let select = format!(
            "SELECT {} FROM {} {}",
            comma_separated(columns),
            quoted(layout.table()),
            layout.where_key()
        );
        let select = database.prepare(&select)?;
        Ok(Some(Self { layout, select }))
    }

    fn compare(&mut self, record: &Record) -> rusqlite::Result<Comparison> {
        let Self { layout, select } = self;
        // The destination rejects such records, so no row holds them.
        let Ok(fields) = record.data.fields() else {
            return Ok(Comparison::Absent);
        };
        let (row, new) = Row::of(&record.data, &fields, layout);
        if row.missing_key(&record.data, layout).is_some() {
            return Ok(Comparison::Absent);
        }
        row.bind_key(&record.data, layout, select, 1)?;
        let mut found = select.raw_query();
        let Some(held) = found.next()? else {
            return Ok(Comparison::Absent);
        };
        let differing = match record.removal_reason() {
            None => {
                let mut differing = differing(layout, &row, record, held)?;
                let new = new.iter().filter(|field| is_set(field, &fields));
                differing.extend(new.map(|field| (*field).to_owned()));
                differing
            }
            Some(reason) => differing_mark(layout, reason, held)?,
        };
        if differing.is_empty() {
            return Ok(Comparison::Same);
        }
        Ok(Comparison::Differs(differing))
    }
}

/// The columns whose values differ from what writing the record would store, the mark included.
fn differing(
    layout: &Layout,
    row: &Row,
    record: &Record,
    held: &rusqlite::Row<'_>,
) -> rusqlite::Result<Vec<String>> {
    let mut differing = Vec::new();
    let stored = row.stored(&record.data, layout);
    for (position, (stored, column)) in stored.zip(layout.columns()).enumerate() {
        if !stored.is(held.get_ref(position)?) {
            differing.push(column.field.as_ref().unwrap_or(&column.name).clone());
        }
    }
    Ok(differing)
}

/// Whether a field has a value other than null. The last value of a repeated field counts.
fn is_set(field: &str, fields: &[Field<'_>]) -> bool {
    let mut last_first = fields.iter().rev();
    let found = last_first.find(|(name, _)| name == field);
    found.is_some_and(|(_, value)| value.get() != "null")
}

/// The mark, unless it holds `reason`.
fn differing_mark(
    layout: &Layout,
    reason: &str,
    held: &rusqlite::Row<'_>,
) -> rusqlite::Result<Vec<String>> {
    let Some(mark) = layout.mark() else {
        return Ok(vec![MARK.to_owned()]);
    };
    let is_marked = StoredValue::Text(reason.into()).is(held.get_ref(mark.name.as_str())?);
    Ok(if is_marked {
        Vec::new()
    } else {
        vec![mark.name.clone()]
    })
}
