//! JSON objects as keys with the exact text of their values: no number is reread, none rounded.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Keys with the text of their values.
pub(crate) type Fields = BTreeMap<String, String>;

/// By stream and id.
pub(crate) type Records = BTreeMap<(String, String), Fields>;

/// The fields of an object.
pub(crate) fn fields(text: &str) -> Fields {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    let text = |(key, value): (String, Box<RawValue>)| (key, value.get().to_owned());
    raw.into_iter().map(text).collect()
}

/// The items of an array.
pub(crate) fn items(text: &str) -> Vec<String> {
    let raw: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
    raw.iter().map(|item| item.get().to_owned()).collect()
}

/// The content of a JSON string.
pub(crate) fn string(json: &str) -> String {
    serde_json::from_str(json).unwrap()
}

/// Where an object lives, by its address: what stands behind `/organizations/`.
pub(crate) fn organization_of(fields: &Fields) -> String {
    let url = string(&fields["url"]);
    let (_, path) = url.split_once("/organizations/").unwrap();
    path.split('/').next().unwrap().to_owned()
}
