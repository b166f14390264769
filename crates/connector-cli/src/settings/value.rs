//! Turns a text from a flag or a variable into the value of a setting.

use serde_json::Value;

/// `text` as the value that the setting's JSON Schema allows: a text stays as it is, a list may
/// be given as `a,b`, and anything else is JSON.
pub(super) fn from_text(text: &str, schema: &Value) -> Value {
    let json = || serde_json::from_str::<Value>(text).ok();
    if is_of(schema, "string") {
        let quoted = json().filter(Value::is_string);
        return quoted.unwrap_or_else(|| text.into());
    }
    if is_of(schema, "array") {
        let list = json().filter(Value::is_array);
        return list.unwrap_or_else(|| from_texts(&[text.to_owned()], schema));
    }
    json().unwrap_or_else(|| text.into())
}

/// The values of a flag that can be repeated, each of which may be `a,b`.
pub(super) fn from_texts(texts: &[String], schema: &Value) -> Value {
    let texts = texts.iter().flat_map(|text| text.split(','));
    let texts = texts.map(str::trim).filter(|text| !text.is_empty());
    texts
        .map(|text| from_text(text, &schema["items"]))
        .collect()
}

/// Whether a schema allows this type, and no other but null.
fn is_of(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(only) => only == name,
        Value::Array(all) => {
            let mut others = all.iter().filter(|one| *one != "null");
            others.next().is_some_and(|one| one == name) && others.next().is_none()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_has_the_type_that_the_setting_has() {
        let text = json!({"type": ["string", "null"]});
        let list = json!({"type": "array", "items": {"type": "string"}});
        let numbers = json!({"type": "array", "items": {"type": "integer"}});
        for (given, schema, value) in [
            ("123", &text, json!("123")),
            ("\"a b\"", &text, json!("a b")),
            ("true", &text, json!("true")),
            ("a, b,", &list, json!(["a", "b"])),
            ("[\"a,b\"]", &list, json!(["a,b"])),
            ("1,2", &numbers, json!([1, 2])),
            ("50", &json!({"type": "integer"}), json!(50)),
            ("fifty", &json!({"type": "integer"}), json!("fifty")),
            ("{\"a\":1}", &Value::Null, json!({"a": 1})),
            ("red", &Value::Null, json!("red")),
        ] {
            assert_eq!(from_text(given, schema), value, "{given}");
        }
    }
}
