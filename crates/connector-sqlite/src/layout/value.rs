//! What the database stores for the JSON text of a value. Nothing is lost.

use std::borrow::Cow;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::schema::Kind;

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StoredValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
}

impl<'a> StoredValue<'a> {
    /// What a column of `kind` stores for a value with the JSON text `json`.
    pub(crate) fn of(json: &'a str, kind: Kind) -> Self {
        match (json.as_bytes().first(), kind) {
            (Some(b'n'), _) => Self::Null,
            (Some(b'"'), _) => Self::Text(unquoted(json)),
            (Some(b'{' | b'['), _) | (_, Kind::Text) => Self::Text(Cow::Borrowed(json)),
            (Some(b't'), Kind::Any) => Self::Integer(1),
            (Some(b'f'), Kind::Any) => Self::Integer(0),
            (_, Kind::Any) => number(json),
        }
    }

    /// Whether a column holds exactly this.
    pub(crate) fn is(&self, held: ValueRef<'_>) -> bool {
        match (self, held) {
            (Self::Null, ValueRef::Null) => true,
            (Self::Integer(value), ValueRef::Integer(held)) => *value == held,
            (Self::Real(value), ValueRef::Real(held)) => *value == held,
            (Self::Text(text), ValueRef::Text(held)) => text.as_bytes() == held,
            _ => false,
        }
    }
}

impl ToSql for StoredValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// The content of a JSON string. A string that is not valid Unicode (half of a surrogate pair)
/// stays as JSON writes it, with its quotes, because the database cannot hold it otherwise.
fn unquoted(json: &str) -> Cow<'_, str> {
    let inner = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

fn number(json: &str) -> StoredValue<'_> {
    if let Ok(integer) = json.parse() {
        return StoredValue::Integer(integer);
    }
    exact_real(json).map_or(StoredValue::Text(Cow::Borrowed(json)), StoredValue::Real)
}

/// The double whose shortest decimal form equals the number as written. None for whole numbers.
fn exact_real(json: &str) -> Option<f64> {
    if !json.contains(['.', 'e', 'E']) {
        return None;
    }
    let value: f64 = json.parse().ok()?;
    let shortest = format!("{value:e}");
    (value.is_finite() && decimal(json)? == decimal(&shortest)?).then_some(value)
}

/// Sign, digits without zeros at either end, and power of ten. Equal numbers have equal parts.
fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.trim_start_matches('0').is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let exponent = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(dropped)?;
    let significant = significant.trim_start_matches('0').to_owned();
    Some((is_negative, significant, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> StoredValue<'_> {
        StoredValue::Text(Cow::Borrowed(text))
    }

    #[test]
    fn a_number_is_stored_as_a_number_only_if_no_digit_is_lost() {
        for (json, stored) in [
            ("0", StoredValue::Integer(0)),
            ("-7", StoredValue::Integer(-7)),
            ("9223372036854775807", StoredValue::Integer(i64::MAX)),
            ("-9223372036854775808", StoredValue::Integer(i64::MIN)),
            ("9223372036854775808", text("9223372036854775808")),
            ("100000000000000000000", text("100000000000000000000")),
            ("0.1", StoredValue::Real(0.1)),
            ("1.10", StoredValue::Real(1.1)),
            ("1e5", StoredValue::Real(1e5)),
            ("-2.50E-3", StoredValue::Real(-2.5e-3)),
            ("0.000", StoredValue::Real(0.0)),
            ("3.14159265358979323846", text("3.14159265358979323846")),
            ("9007199254740993.0", text("9007199254740993.0")),
            ("1e400", text("1e400")),
            ("1e-400", text("1e-400")),
            ("1e99999999999999999999", text("1e99999999999999999999")),
        ] {
            assert_eq!(StoredValue::of(json, Kind::Any), stored, "{json}");
        }
    }

    #[test]
    fn a_text_column_keeps_the_digits_of_a_number() {
        assert_eq!(StoredValue::of("1.10", Kind::Text), text("1.10"));
        assert_eq!(StoredValue::of("true", Kind::Text), text("true"));
        assert_eq!(StoredValue::of("null", Kind::Text), StoredValue::Null);
    }

    #[test]
    fn strings_are_unescaped_and_nested_values_are_not() {
        for kind in [Kind::Any, Kind::Text] {
            assert_eq!(StoredValue::of(r#""é \"x\"\n""#, kind), text("é \"x\"\n"));
            assert_eq!(
                StoredValue::of(r#"{"a": [1.0]}"#, kind),
                text(r#"{"a": [1.0]}"#)
            );
            assert_eq!(StoredValue::of(r#""\ud800""#, kind), text(r#""\ud800""#));
            assert_eq!(StoredValue::of(r#""""#, kind), text(""));
        }
    }
}
