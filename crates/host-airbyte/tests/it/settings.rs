use connector_core::{Capabilities, WriteMode};
use host_airbyte::Role;
use serde_json::{Value, json};

use super::scripted::{Ended, Files, Scripted};
use super::{call, error};

fn check(scripted: &Scripted, role: Role, config: &Value) -> Ended {
    let files = Files::new();
    files.put("config", config.to_string());
    call(
        scripted,
        role,
        files.arguments(&["check"], &["config"]),
        b"",
    )
}

fn status(ended: &Ended) -> Value {
    let messages = ended.messages();
    let last = messages.last().unwrap();
    last["connectionStatus"].clone()
}

#[test]
fn an_empty_text_is_not_set_and_texts_stand_for_what_the_schema_declares() {
    let config = json!({
        "start_date": "", "limit": "4", "organizations": "[\"acme\"]", "masked": "true",
    });
    for role in [Role::Source, Role::Destination] {
        let scripted = Scripted::new();
        let ended = check(&scripted, role, &config);
        assert_eq!(status(&ended), json!({"status": "SUCCEEDED"}));
        let seen = scripted.memory.lock().unwrap().settings[0].clone();
        let expected = r#"{"limit":4,"organizations":["acme"],"masked":true}"#;
        assert_eq!(seen, expected, "{role:?}");
    }
}

#[test]
fn a_wrong_type_is_refused_by_its_key_in_plain_words() {
    let ended = check(&Scripted::new(), Role::Source, &json!({"limit": "many"}));
    let text = "wrong type or value: expected a whole number from 0 to 255 [key: limit]";
    assert_eq!(status(&ended)["message"], text);
}

#[test]
fn settings_of_the_host_are_taken_by_the_host_in_every_spelling() {
    let scripted = Scripted::acting();
    let config = json!({
        "dead_letter": "d", "max_rejected": "3", "results": "r", "dry_run": "true", "limit": 1,
    });
    let ended = check(&scripted, Role::Destination, &config);
    assert_eq!(status(&ended), json!({"status": "SUCCEEDED"}));
    let memory = scripted.memory.lock().unwrap();
    assert_eq!(memory.settings[0], r#"{"limit":1}"#);
    assert_eq!(memory.dry_runs, [true]);
}

#[test]
fn a_host_setting_of_a_wrong_type_is_refused_by_its_key() {
    let config = json!({"max_rejected": "few"});
    let ended = check(&Scripted::acting(), Role::Destination, &config);
    let text = "expected a whole number, 0 or more [key: max_rejected]";
    assert_eq!(error(&ended)["message"], text);
}

#[test]
fn the_spec_of_a_destination_lists_its_modes_and_the_settings_of_the_host() {
    let spec = |scripted: &Scripted| {
        let arguments = ["program", "spec"].map(Into::into).into();
        let ended = call(scripted, Role::Destination, arguments, b"");
        ended.messages()[0]["spec"].clone()
    };
    let all = spec(&Scripted::new());
    // Hosts refuse an address that is empty.
    assert_eq!(all.get("documentationUrl"), None);
    let modes = json!(["append", "append_dedup", "overwrite"]);
    assert_eq!(all["supported_destination_sync_modes"], modes);
    let properties = &all["connectionSpecification"]["properties"];
    assert!(properties["dead_letter"].is_object() && properties["dry_run"].is_null());

    let mut append = Scripted::acting();
    append.capabilities = Capabilities::new([WriteMode::Append]).with_results();
    let one = spec(&append);
    assert_eq!(one["supported_destination_sync_modes"], json!(["append"]));
    assert!(one["connectionSpecification"]["properties"]["results"].is_object());
}
