//! What a database holds, compared by the rules that the destination documents.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::json::{Records, string};

/// A database that a sync has written.
pub(crate) struct Warehouse(Connection);

/// A column and its declared type.
type Column = (String, String);

impl Warehouse {
    pub(crate) fn open(path: &Path) -> Self {
        Self(Connection::open(path).unwrap())
    }

    /// Compares whole tables with what must be in them: each row, each column, nothing twice.
    pub(crate) fn assert_holds(&self, expected: &Records) {
        let mut streams: Vec<_> = expected.keys().map(|(stream, _)| stream.as_str()).collect();
        streams.dedup();
        for stream in streams {
            let records = expected.keys().filter(|(name, _)| name == stream);
            assert_eq!(self.count(stream), records.count(), "rows of {stream}");
            self.assert_table_holds(stream, expected);
        }
    }

    /// Rows of a table.
    pub(crate) fn count(&self, table: &str) -> usize {
        let query = format!("select count(*) from {table}");
        let count: i64 = self.0.query_row(&query, [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    }

    /// One text of one row.
    pub(crate) fn text(&self, table: &str, id: &str, column: &str) -> String {
        let query = format!("select {column} from {table} where id = ?1");
        self.0.query_row(&query, [id], |row| row.get(0)).unwrap()
    }

    /// Every row of every table, as text.
    pub(crate) fn dump(&self) -> Vec<String> {
        let tables = "select name from sqlite_schema where type = 'table' order by name";
        let mut tables = self.0.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get(0)).unwrap();
        let tables: Vec<String> = tables.map(Result::unwrap).collect();
        let mut dump = Vec::new();
        for table in tables {
            let mut statement = self.0.prepare(&format!("select * from {table}")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..columns).map(|at| row.get::<_, Value>(at).unwrap());
                dump.push(format!("{table} {:?}", values.collect::<Vec<_>>()));
            }
        }
        dump
    }

    /// Changes something behind the back of the program.
    pub(crate) fn execute(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    fn assert_table_holds(&self, stream: &str, expected: &Records) {
        let columns = self.columns(stream);
        let mut statement = self.0.prepare(&format!("select * from {stream}")).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let id: String = row.get("id").unwrap();
            let key = (stream.to_owned(), format!("\"{id}\""));
            let record = expected
                .get(&key)
                .unwrap_or_else(|| panic!("{key:?} is served by nobody"));
            for (name, declared) in &columns {
                let json = record.get(name).map_or("null", String::as_str);
                let stored: Value = row.get(name.as_str()).unwrap();
                assert!(
                    is_stored_as(json, declared == "TEXT", &stored),
                    "{stream} {id}: {name} is {stored:?}, served was {json}"
                );
            }
            let is_column = |field: &&String| columns.iter().any(|(name, _)| name == *field);
            let lost = record.keys().find(|field| !is_column(field));
            assert_eq!(lost, None, "{stream} {id}: a field without a column");
        }
    }

    fn columns(&self, table: &str) -> Vec<Column> {
        let query = "select name, type from pragma_table_info(?1)";
        let mut statement = self.0.prepare(query).unwrap();
        let columns = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)));
        columns.unwrap().map(Result::unwrap).collect()
    }
}

/// Whether a column stores a JSON value as documented: texts unquoted, objects and arrays as the
/// text received, booleans as 0 and 1, numbers without loss or else as text.
fn is_stored_as(json: &str, is_text_column: bool, stored: &Value) -> bool {
    match (json.as_bytes()[0], stored) {
        (b'n', Value::Null) => true,
        (b'"', Value::Text(text)) => *text == string(json),
        (b'{' | b'[', Value::Text(text)) => text == json,
        (b'{' | b'[' | b'"' | b'n', _) => false,
        (_, Value::Text(text)) if is_text_column => text == json,
        (b't', Value::Integer(1)) | (b'f', Value::Integer(0)) => true,
        (b't' | b'f', _) => false,
        (_, Value::Integer(integer)) => integer.to_string() == json,
        (_, Value::Real(real)) => {
            let is_fraction = json.contains(['.', 'e', 'E']);
            // The shortest text of a double has all digits that it can hold.
            let digits = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
            is_fraction && digits(&real.to_string()) == digits(json)
        }
        (_, Value::Text(text)) => text == json && json.parse::<i64>().is_err(),
        _ => false,
    }
}

#[test]
fn the_comparison_tells_a_rounded_number_from_the_number_served() {
    assert!(is_stored_as("1.10", false, &Value::Real(1.1)));
    assert!(is_stored_as("7", false, &Value::Integer(7)));
    let long = "3.14159265358979323846";
    assert!(is_stored_as(long, false, &Value::Text(long.to_owned())));
    assert!(!is_stored_as(
        long,
        false,
        &Value::Real(std::f64::consts::PI)
    ));
    assert!(!is_stored_as("7", false, &Value::Text("7".to_owned())));
    assert!(!is_stored_as("\"7\"", false, &Value::Integer(7)));
    assert!(!is_stored_as("null", true, &Value::Text(String::new())));
    assert!(!is_stored_as(
        "{\"a\":1}",
        true,
        &Value::Text("{\"a\": 1}".to_owned())
    ));
}
