//! What identifies the parents of a list.

use std::borrow::Cow;
use std::collections::HashSet;

use connector_core::{JsonObject, ObjectWriter};
use serde_json::value::RawValue;

/// The keys of the parents of a list, outermost first: `organization_slug`, `build_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys(Vec<(Cow<'static, str>, Key)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Text(String),
    Number(u64),
}

impl Keys {
    pub(crate) fn organization(slug: &str) -> Self {
        Self::default().with("organization_slug", slug)
    }

    #[must_use]
    pub(crate) fn with(mut self, key: impl Into<Cow<'static, str>>, value: &str) -> Self {
        self.0.push((key.into(), Key::Text(value.to_owned())));
        self
    }

    #[must_use]
    pub(crate) fn with_number(mut self, key: &'static str, value: u64) -> Self {
        self.0.push((key.into(), Key::Number(value)));
        self
    }

    /// A hash of the keys except slugs of pipelines, which change.
    pub(crate) fn hash(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        for (key, value) in self.0.iter().filter(|(key, _)| key != "pipeline_slug") {
            let value = match value {
                Key::Text(text) => text.clone(),
                Key::Number(number) => number.to_string(),
            };
            hash.update(format!("{key}={value};").as_bytes());
        }
        hash.finalize()
    }

    /// The segments of a path, with its placeholders filled in. A placeholder fills a segment.
    ///
    /// # Errors
    /// The name of a placeholder for which there is no key.
    pub(crate) fn fill(&self, path: &str) -> Result<Vec<String>, String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(|part| self.segment(part)).collect()
    }

    fn segment(&self, part: &str) -> Result<String, String> {
        let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) else {
            return Ok(part.to_owned());
        };
        let mut keys = self.0.iter();
        match keys.find(|(key, _)| key == name) {
            Some((_, Key::Text(text))) => Ok(text.clone()),
            Some((_, Key::Number(number))) => Ok(number.to_string()),
            None => Err(name.to_owned()),
        }
    }

    /// The object, followed by those keys for which it has no field; `None` if it is not an object.
    pub(crate) fn extend(&self, raw: &RawValue) -> Option<JsonObject> {
        /// What a key adds beside its value: quotes, colon, comma, and at most a number.
        const AROUND: usize = 26;
        let object = JsonObject::from_raw(raw)?;
        if self.0.is_empty() {
            return Some(object);
        }
        let fields = object.fields().ok()?;
        let has: HashSet<&str> = fields.iter().map(|(key, _)| key.as_ref()).collect();
        let length = |(key, value): &(Cow<'static, str>, Key)| match value {
            Key::Text(text) => key.len() + text.len() + AROUND,
            Key::Number(_) => key.len() + AROUND,
        };
        let mut object = ObjectWriter::extending(raw, self.0.iter().map(length).sum())?;
        for (key, value) in self.0.iter().filter(|(key, _)| !has.contains(key.as_ref())) {
            match value {
                Key::Text(text) => object.string(key, text),
                Key::Number(number) => object.number(key, *number),
            }
        }
        Some(object.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_filled_with_keys_and_a_missing_one_is_reported() {
        let keys = Keys::organization("acme").with_number("build_number", 7);

        let path = keys.fill("v2/organizations/{organization_slug}/builds/{build_number}");

        assert_eq!(
            path.unwrap(),
            ["v2", "organizations", "acme", "builds", "7"]
        );
        assert_eq!(keys.fill("a/{team_id}").unwrap_err(), "team_id");
    }

    #[test]
    fn a_record_keeps_its_own_fields_and_gets_the_keys_it_lacks() {
        let keys = Keys::organization("acme").with("job_id", "of-the-parent");
        let raw: &RawValue = serde_json::from_str(r#"{"job_id":null,"id":"a"}"#).unwrap();

        let record = keys.extend(raw).unwrap();

        assert_eq!(
            record.as_str(),
            r#"{"job_id":null,"id":"a","organization_slug":"acme"}"#
        );
    }
}
