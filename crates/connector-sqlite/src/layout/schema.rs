//! What a stream's JSON schema says about columns, and how columns are named.

use std::collections::HashSet;

use connector_core::Stream;
use serde_json::Value;

/// How the column of a field is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `TEXT`: the schema allows strings and null, nothing else.
    Text,
    /// No type: every value is stored as it is.
    Any,
}

impl Kind {
    /// The kind of an existing column.
    pub(crate) fn of_declared(declared: &str) -> Self {
        match declared {
            "TEXT" => Self::Text,
            _ => Self::Any,
        }
    }

    /// What follows the column's name.
    pub(crate) fn declaration(self) -> &'static str {
        match self {
            Self::Text => " TEXT",
            Self::Any => "",
        }
    }

    fn of_property(property: &Value) -> Self {
        let is_text = match &property["type"] {
            Value::String(name) => name == "string",
            Value::Array(names) => {
                names.iter().any(|name| name == "string")
                    && names.iter().all(|name| name == "string" || name == "null")
            }
            _ => false,
        };
        if is_text { Self::Text } else { Self::Any }
    }
}

/// The fields of the schema in its order, then fields of the primary key that it does not list.
pub(crate) fn fields<'s>(stream: &'s Stream, key: &'s [String]) -> Vec<(&'s str, Kind)> {
    let properties = stream.json_schema["properties"].as_object();
    let listed = properties
        .into_iter()
        .flatten()
        .map(|(field, property)| (field.as_str(), Kind::of_property(property)));
    let is_listed = |field: &str| properties.is_some_and(|listed| listed.contains_key(field));
    let keys = key.iter().map(String::as_str);
    listed
        .chain(
            keys.filter(|key| !is_listed(key))
                .map(|key| (key, Kind::Any)),
        )
        .collect()
}

/// Names of columns that differ for `SQLite`, which ignores the case of ASCII letters.
#[derive(Debug)]
pub(crate) struct ColumnNames(HashSet<String>);

impl ColumnNames {
    /// No columns yet. The names that `SQLite` gives the number of a row are in use.
    pub(crate) fn new() -> Self {
        Self(["rowid", "oid", "_rowid_"].map(str::to_owned).into())
    }

    /// Marks a name as in use. False if it was already.
    pub(crate) fn take(&mut self, name: &str) -> bool {
        self.0.insert(name.to_ascii_lowercase())
    }

    /// The name of the column for a new field: the field itself or, if that is in use, the field
    /// with the first free number from 2 on. SQL cannot hold NUL characters; they are replaced.
    pub(crate) fn choose(&mut self, field: &str) -> String {
        let wanted = field.replace('\0', "\u{fffd}");
        if self.take(&wanted) {
            return wanted;
        }
        let mut number = 2_u32;
        loop {
            let name = format!("{wanted}_{number}");
            if self.take(&name) {
                return name;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_can_hold_nothing_but_strings_is_a_text_column() {
        for (property, kind) in [
            (json!({"type": "string"}), Kind::Text),
            (json!({"type": ["null", "string"]}), Kind::Text),
            (json!({"type": ["string", "object"]}), Kind::Any),
            (json!({"type": "integer"}), Kind::Any),
            (json!({"type": "null"}), Kind::Any),
            (json!({"type": ["null"]}), Kind::Any),
            (json!({}), Kind::Any),
            (json!(true), Kind::Any),
        ] {
            assert_eq!(Kind::of_property(&property), kind, "{property}");
        }
    }

    #[test]
    fn names_that_differ_only_by_case_are_made_distinct() {
        let mut names = ColumnNames::new();
        let chosen: Vec<_> = ["id", "ID_2", "ID", "Id", "É", "é", "rowid"]
            .map(|field| names.choose(field))
            .into();
        assert_eq!(chosen, ["id", "ID_2", "ID_3", "Id_4", "É", "é", "rowid_2"]);
    }
}
