//! SQL that selects the rows that readers see.

use connector_core::OpenRows;

use crate::layout::Layout;
use crate::sql::{comma_separated, quoted, text};

/// Selects `fields` of all rows that are not marked as removed, and one null after them. A field
/// without a column is null.
pub(crate) fn select(layout: &Layout, fields: &[String]) -> String {
    let column = |field: &String| match layout.position(field, 0) {
        Some(position) => quoted(&layout.columns()[position].name),
        None => "NULL".to_owned(),
    };
    // There may be no fields, but a query has at least one column.
    let columns = fields.iter().map(column).chain(["NULL".to_owned()]);
    format!(
        "SELECT {} FROM {} WHERE {}",
        comma_separated(columns),
        quoted(layout.table()),
        is_there(layout)
    )
}

/// Whether a row is not marked as removed.
fn is_there(layout: &Layout) -> String {
    match layout.mark() {
        Some(mark) => format!("{} IS NULL", quoted(&mark.name)),
        None => "TRUE".to_owned(),
    }
}

/// SQL for the rows that can still change.
pub(crate) struct OpenRowsSql {
    /// Selects the wanted fields of these rows.
    pub(crate) select: String,
    /// Creates the index that finds them; `None` if there is no column to tell by.
    pub(crate) create_index: Option<String>,
}

impl OpenRowsSql {
    /// Values are in the text of both: only then does SQLite see that the index has all rows that
    /// are selected.
    pub(crate) fn new(layout: &Layout, open: &OpenRows) -> Self {
        let all = select(layout, &open.wanted);
        let Some(position) = layout.position(&open.field, 0) else {
            // Null in every row.
            let none = if open.null_is_settled {
                " AND FALSE"
            } else {
                ""
            };
            return Self {
                select: all + none,
                create_index: None,
            };
        };
        let column = quoted(&layout.columns()[position].name);
        let is_open = is_open(&column, open);
        let index = quoted(&format!("_open_{}", layout.table()));
        let table = quoted(layout.table());
        let is_there = is_there(layout);
        Self {
            select: format!("{all} AND {is_open}"),
            create_index: Some(format!(
                "CREATE INDEX IF NOT EXISTS {index} ON {table} ({column}) \
                 WHERE {is_there} AND {is_open}"
            )),
        }
    }
}

fn is_open(column: &str, open: &OpenRows) -> String {
    let settled = comma_separated(open.settled.iter().map(|value| text(value)));
    // Null is in no list and not in none.
    let null = if open.null_is_settled {
        String::new()
    } else {
        format!("{column} IS NULL OR ")
    };
    format!("({null}{column} NOT IN ({settled}))")
}
