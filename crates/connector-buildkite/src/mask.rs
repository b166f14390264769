//! What is sensitive is masked unless the configuration names it.
//!
//! Works on the text of a record: `"email"` followed by a colon is a key wherever it stands, since
//! a quote within a text is escaped. Free texts (messages, commands, logs) are not searched.

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use async_trait::async_trait;
use connector_core::{
    Comparison, Error, ErrorKind, JsonObject, ObjectWriter, Record, Replica, Result, State,
    StreamName,
};
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What stands for a masked text.
pub(crate) const MASKED: &str = "[masked]";

/// What is masked unless it is named in `include_sensitive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitive {
    /// E-mail addresses: each field `email`.
    Emails,
    /// Values of environment variables, of builds, jobs, pipelines and schedules: each field
    /// `env`. Their names stay.
    Env,
    /// Tokens of agents, clusters and services that the API gives in clear: each field
    /// `access_token`, `api_token` and `token`.
    Tokens,
}

const KEYS: [(&str, Sensitive); 5] = [
    ("\"email\"", Sensitive::Emails),
    ("\"env\"", Sensitive::Env),
    ("\"access_token\"", Sensitive::Tokens),
    ("\"api_token\"", Sensitive::Tokens),
    ("\"token\"", Sensitive::Tokens),
];

/// Masks records.
#[derive(Clone)]
pub(crate) struct Mask {
    searcher: Option<AhoCorasick>,
}

impl Mask {
    /// Masks all that `shown` does not name.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the search cannot be built.
    pub(crate) fn new(shown: &[Sensitive]) -> Result<Self> {
        let hidden = KEYS.iter().filter(|(_, kind)| !shown.contains(kind));
        let keys: Vec<_> = hidden.map(|(key, _)| *key).collect();
        if keys.is_empty() {
            return Ok(Self { searcher: None });
        }
        let searcher = AhoCorasick::new(keys).map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                "the search for sensitive fields failed",
            )
            .with_source(error)
        })?;
        Ok(Self {
            searcher: Some(searcher),
        })
    }

    /// The record with what is sensitive masked; untouched if there is nothing.
    pub(crate) fn apply(&self, mut record: Record) -> Record {
        if let Some(masked) = self.text(record.data.as_str()) {
            // What was an object still is one: values were replaced by values.
            if let Ok(data) = JsonObject::parse(&masked) {
                record.data = data;
            }
        }
        record
    }

    fn text(&self, text: &str) -> Option<String> {
        let mut masked = String::new();
        let mut copied = 0;
        for found in self.searcher.as_ref()?.find_iter(text) {
            if found.start() < copied {
                continue;
            }
            let Some((start, value)) = value_behind(text, found.end()) else {
                continue;
            };
            let Some(instead) = mask_value(value) else {
                continue;
            };
            masked.push_str(&text[copied..start]);
            masked.push_str(&instead);
            copied = start + value.len();
        }
        (copied > 0).then(|| masked + &text[copied..])
    }
}

/// The value of the key that ends at `end`, and where it begins; `None` if that was no key.
fn value_behind(text: &str, end: usize) -> Option<(usize, &str)> {
    let behind = text[end..].trim_start().strip_prefix(':')?.trim_start();
    let start = text.len() - behind.len();
    let mut values = serde_json::Deserializer::from_str(behind).into_iter::<&RawValue>();
    let value = values.next()?.ok()?;
    Some((start, value.get()))
}

/// A text becomes a mask, and so does each value of an object. Others tell nothing.
fn mask_value(value: &str) -> Option<String> {
    let mask = || format!("\"{MASKED}\"");
    match value.as_bytes().first()? {
        b'"' if value.len() > 2 => Some(mask()),
        b'{' => {
            let object = JsonObject::parse(value).ok()?;
            let fields = object.fields().ok()?;
            if fields.is_empty() {
                return None;
            }
            let mut masked = ObjectWriter::with_capacity(value.len());
            for (key, value) in fields {
                match value.get() {
                    "null" => masked.null(&key),
                    _ => masked.string(&key, MASKED),
                }
            }
            Some(masked.finish().as_str().to_owned())
        }
        b'[' if value.len() > 2 => Some(format!("[{}]", mask())),
        _ => None,
    }
}

/// A copy compared with records as a read would give them.
pub(crate) struct MaskedReplica {
    pub(crate) replica: Arc<dyn Replica>,
    pub(crate) mask: Mask,
}

#[async_trait]
impl Replica for MaskedReplica {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        self.replica.state(sync).await
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        self.replica.rows(stream, fields)
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        let records = records.into_iter().map(|record| self.mask.apply(record));
        self.replica.compare(records.collect()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(shown: &[Sensitive], text: &str) -> String {
        let mask = Mask::new(shown).unwrap();
        let record = Record::new("builds".into(), JsonObject::parse(text).unwrap());
        mask.apply(record).data.as_str().to_owned()
    }

    #[test]
    fn addresses_variables_and_tokens_are_masked_wherever_they_stand() {
        let text = r#"{"env":{"A":"x\"y","B":null},"creator":{"email" : "a@b.c","name":"Ada"},
            "agents":[{"access_token":"s3cret","n":12345678901234567890123}],"token":"t"}"#;

        let masked = masked(&[], text);

        assert_eq!(
            masked,
            r#"{"env":{"A":"[masked]","B":null},"creator":{"email" : "[masked]","name":"Ada"},
            "agents":[{"access_token":"[masked]","n":12345678901234567890123}],"token":"[masked]"}"#
        );
    }

    #[test]
    fn texts_that_only_speak_of_a_key_and_empty_values_stay_as_they_are() {
        for text in [
            r#"{"message":"say \"email\": \"x\"","email":null,"env":{},"token":""}"#,
            r#"{"tags":["email","env"],"kind":"token"}"#,
            r#"{"env":null}"#,
        ] {
            assert_eq!(masked(&[], text), text);
        }
    }

    #[test]
    fn what_is_named_is_shown() {
        let text = r#"{"email":"a@b.c","env":{"A":"x"},"token":"t"}"#;
        let shown = masked(&[Sensitive::Emails, Sensitive::Tokens], text);
        assert_eq!(
            shown,
            r#"{"email":"a@b.c","env":{"A":"[masked]"},"token":"t"}"#
        );
        let all = [Sensitive::Emails, Sensitive::Env, Sensitive::Tokens];
        assert_eq!(masked(&all, text), text);
    }
}
