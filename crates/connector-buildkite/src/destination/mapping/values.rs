//! A record's values in templates, and their texts: numbers as they are written, booleans and
//! everything nested as JSON. A null is like a field that is missing: `default` replaces it, and
//! without that it is an error.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};
use serde_json::value::RawValue;

/// A number that Rust's own numbers would write in another way.
#[derive(Debug)]
struct WrittenNumber(String);

impl Object for WrittenNumber {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.bytes().any(|digit| (b'1'..=b'9').contains(&digit))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A JSON text as a value of templates. `None` if a text or a name in it cannot be read.
pub(super) fn value(json: &str) -> Option<Value> {
    Some(match json.as_bytes().first()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let members = members.into_iter();
            let members = members.map(|(name, member)| Some((name, value(member.get())?)));
            members.collect::<Option<BTreeMap<_, _>>>()?.into()
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let items = items.into_iter().map(|item| value(item.get()));
            items.collect::<Option<Vec<_>>>()?.into()
        }
        b'"' => Value::from(serde_json::from_str::<String>(json).ok()?),
        b't' => Value::from(true),
        b'f' => Value::from(false),
        b'n' => Value::UNDEFINED,
        _ => number(json),
    })
}

fn number(json: &str) -> Value {
    let integer = json.parse::<i64>().ok().map(Value::from);
    let number = integer.or_else(|| json.parse::<f64>().ok().map(Value::from));
    match number {
        Some(number) if number.to_string() == json => number,
        _ => Value::from_object(WrittenNumber(json.to_owned())),
    }
}

/// Writes what `{{ … }}` gives.
///
/// # Errors
/// [`ErrorKind::UndefinedError`] for a null, and if the text becomes too long.
pub(super) fn write(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    let mut json = String::new();
    let text = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default(),
        // The missing end of `a if b`.
        ValueKind::Undefined => "",
        ValueKind::None => return Err(Error::from(ErrorKind::UndefinedError)),
        _ => {
            append_json(value, &mut json)?;
            &json
        }
    };
    out.write_str(text).map_err(Error::from)
}

fn append_json(value: &Value, out: &mut String) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            append_all(out, ('[', ']'), value.try_iter()?, |item, out| {
                append_json(&item, out)
            })?;
        }
        ValueKind::Map => {
            append_all(out, ('{', '}'), value.try_iter()?, |name, out| {
                append_text(&name.to_string(), out);
                out.push(':');
                append_json(&value.get_item(&name)?, out)
            })?;
        }
        _ => match value.downcast_object_ref::<WrittenNumber>() {
            Some(number) => out.push_str(&number.0),
            None => append_text(&value.to_string(), out),
        },
    }
    Ok(())
}

fn append_all(
    out: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = Value>,
    append: impl Fn(Value, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(open);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        append(item, out)?;
    }
    out.push(close);
    Ok(())
}

fn append_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
