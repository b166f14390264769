//! SQL that selects the rows that readers see.

use connector_core::OpenRows;

use crate::layout::Layout;
use crate::sql::{comma_separated, quoted};

/// Selects `fields` of all rows that are not marked as removed, and one null after them. A field
/// without a column is null.
pub(crate) fn select(layout: &Layout, fields: &[String]) -> String {
    let column = |field: &String| match layout.position(field, 0) {
        Some(position) => quoted(&layout.columns()[position].name),
        None => "NULL".to_owned(),
    };
    // There may be no fields, but a query has at least one column.
    let columns = fields.iter().map(column).chain(["NULL".to_owned()]);
    let is_there = match layout.mark() {
        Some(mark) => format!("{} IS NULL", quoted(&mark.name)),
        None => "TRUE".to_owned(),
    };
    format!(
        "SELECT {} FROM {} WHERE {is_there}",
        comma_separated(columns),
        quoted(layout.table())
    )
}

/// A query and the values of its parameters.
pub(crate) struct Select<'o> {
    pub(crate) sql: String,
    pub(crate) values: &'o [String],
}

/// Selects the wanted fields of rows that can still change.
pub(crate) fn select_open<'o>(layout: &Layout, open: &'o OpenRows) -> Select<'o> {
    let all = select(layout, &open.wanted);
    let Some(position) = layout.position(&open.field, 0) else {
        // Null in every row.
        let sql = if open.null_is_settled {
            format!("{all} AND FALSE")
        } else {
            all
        };
        return Select { sql, values: &[] };
    };
    let column = quoted(&layout.columns()[position].name);
    let marks = comma_separated(open.settled.iter().map(|_| "?".to_owned()));
    // Null is in no list and not in none.
    let null = if open.null_is_settled {
        String::new()
    } else {
        format!("{column} IS NULL OR ")
    };
    Select {
        sql: format!("{all} AND ({null}{column} NOT IN ({marks}))"),
        values: &open.settled,
    }
}
