use serde_json::json;

use super::*;

fn mapping(fields: Value) -> Result<CompiledMapping> {
    let mapping = serde_json::from_value(json!({"to": "builds", "fields": fields})).unwrap();
    CompiledMapping::new("deploys", &mapping)
}

fn apply(fields: Value, record: Value) -> Result<Value, String> {
    let record = JsonObject::from_serialize(&record).unwrap();
    let mapped = mapping(fields).unwrap().apply(&record)?;
    Ok(serde_json::from_str(mapped.as_str()).unwrap())
}

#[test]
fn texts_are_templates_and_pointers_give_values() {
    let record = json!({"version": "1.2", "author": {"name": "Ada"}, "n": [7], "ok": true});
    let fields = json!({
        "message": "Deploy {{ version }} by {{ author.name }}",
        "commit": "HEAD",
        "pull_request_id": {"pointer": "/n/0"},
        "message_2": {"pointer": "/missing"},
        "clean_checkout": false,
        "meta_data": {"by": "{{ author.name }}", "list": ["{{ version }}", {"pointer": "/ok"}]},
    });
    let expected = json!({
        "message": "Deploy 1.2 by Ada",
        "commit": "HEAD",
        "pull_request_id": 7,
        "clean_checkout": false,
        "meta_data": {"by": "Ada", "list": ["1.2", true]},
    });
    assert_eq!(apply(fields, record).unwrap(), expected);
}

#[test]
fn a_text_that_is_json_can_be_taken_apart() {
    let fields = json!({"meta_data": {"json": "/data"}});
    let mapped = apply(fields.clone(), json!({"data": "{\"a\": 1}"})).unwrap();
    assert_eq!(mapped, json!({"meta_data": {"a": 1}}));
    let reason = apply(fields, json!({"data": "s3cret"})).unwrap_err();
    assert!(
        reason.contains("`meta_data`") && !reason.contains("s3cret"),
        "{reason}"
    );
}

#[test]
fn a_template_of_a_field_that_is_missing_is_refused_by_name() {
    let reason = apply(json!({"message": "{{ secret }}"}), json!({"a": "s3cret"})).unwrap_err();
    assert!(
        reason.contains("`message`") && !reason.contains("s3cret"),
        "{reason}"
    );
}

#[test]
fn a_broken_template_and_a_broken_pointer_are_refused_by_key() {
    for fields in [
        json!({"message": "{{ a"}),
        json!({"message": {"pointer": "a"}}),
    ] {
        let error = mapping(fields).err().unwrap();
        assert!(
            error.to_string().contains("mapping.deploys.fields.message"),
            "{error}"
        );
    }
}

fn apply_text(template: &str, record: &str) -> Result<String, String> {
    let record = JsonObject::parse(record).unwrap();
    let mapped = mapping(json!({"message": template}))
        .unwrap()
        .apply(&record)?;
    let mapped: Value = serde_json::from_str(mapped.as_str()).unwrap();
    Ok(mapped["message"].as_str().unwrap().to_owned())
}

#[test]
fn values_in_texts_stay_as_they_are_written() {
    let record = r#"{"id": 98765432109876543210987, "v": 1.10, "e": 1e3, "n": -7, "f": 0.5, "ok": true,
        "no": false, "list": [1.10, true, null, "a\"b"], "map": {"b": [2.50], "a": "é"}}"#;
    for (template, text) in [
        ("{{ id }}", "98765432109876543210987"),
        ("{{ id ~ '-' ~ v }}", "98765432109876543210987-1.10"),
        ("{{ v }} {{ e }} {{ n }} {{ f }}", "1.10 1e3 -7 0.5"),
        ("{{ n + 1 }} {{ 'big' if f > 0.4 }}", "-6 big"),
        ("{{ ok }} {{ no }}", "true false"),
        ("{{ 'yes' if ok else 'no' }}", "yes"),
        ("{{ list }}", r#"[1.10,true,null,"a\"b"]"#),
        ("{{ map }} {{ map.b }}", r#"{"a":"é","b":[2.50]} [2.50]"#),
    ] {
        assert_eq!(apply_text(template, record).unwrap(), text, "{template}");
    }
}

#[test]
fn a_value_at_a_pointer_stays_as_it_is_written() {
    let record =
        r#"{"id": 98765432109876543210987, "list": [1.10, {"a": 1e3}], "text": "{\"n\": 1.10}"}"#;
    let fields = json!({
        "meta_data": {"id": {"pointer": "/id"}, "list": {"pointer": "/list"}},
        "env": {"json": "/text"},
    });
    let record = JsonObject::parse(record).unwrap();
    let mapped = mapping(fields).unwrap().apply(&record).unwrap();
    let text = mapped.as_str();
    for part in [
        "98765432109876543210987",
        r#"[1.10, {"a": 1e3}]"#,
        r#"{"n": 1.10}"#,
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_null_in_a_text_is_refused_by_field_unless_it_has_a_default() {
    let record = r#"{"branch": null, "items": [null]}"#;
    for template in [
        "{{ branch }}",
        "a{{ 'b' ~ branch }}",
        "{{ items[0] }}",
        "{{ missing }}",
        "{{ none }}",
    ] {
        let reason = apply_text(template, record).unwrap_err();
        assert!(
            reason.contains("`message`") && reason.contains("null"),
            "{template}: {reason}"
        );
    }
    for (template, text) in [
        ("{{ branch | default('main') }}", "main"),
        ("{{ missing | default('main') }}", "main"),
        ("{% if branch %}x{% else %}none{% endif %}", "none"),
        ("{{ 'none' if branch is none else 'x' }}", "none"),
    ] {
        assert_eq!(apply_text(template, record).unwrap(), text, "{template}");
    }
}

#[test]
fn a_template_without_an_end_is_cut_off() {
    for (template, part) in [
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "a loop",
        ),
        ("{% for a in range(2000) %}{{ text }}{% endfor %}", "1 MiB"),
    ] {
        let record = json!({"text": "x".repeat(1000)}).to_string();
        let reason = apply_text(template, &record).unwrap_err();
        assert!(
            reason.contains("`message`") && reason.contains(part),
            "{reason}"
        );
    }
}
