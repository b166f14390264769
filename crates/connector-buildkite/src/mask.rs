//! Sensitive values are masked unless the configuration lists them.
//!
//! Works on the text of a record: a key is a string that is followed by a colon, wherever it is.
//! Free texts (messages, commands, logs) are not searched. Masking fails closed: a value that
//! cannot be read is masked whole.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use connector_core::{Error, ErrorKind, JsonObject, ObjectWriter, Record, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Replaces a masked text. It is also the key of an object that is masked whole.
pub(crate) const MASKED: &str = "[masked]";

/// How an escape begins that may hide a letter of a key: `\u0065nv` is `env`.
const ESCAPED_LETTER: &str = r"\u00";

/// What is masked unless `include_sensitive` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitive {
    /// E-mail addresses: each field `email`.
    Emails,
    /// Values of environment variables of builds, jobs, pipelines and schedules: each field
    /// `env`. Their names stay.
    Env,
    /// Tokens of agents, clusters and services that the API returns in clear: each field
    /// `access_token`, `api_token` and `token`.
    Tokens,
}

impl Sensitive {
    /// Some of them as a text that states keep: sorted, each once.
    pub(crate) fn list(shown: &[Self]) -> String {
        let name = |kind: &Self| match kind {
            Self::Emails => "emails",
            Self::Env => "env",
            Self::Tokens => "tokens",
        };
        let names: BTreeSet<_> = shown.iter().map(name).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }
}

const KEYS: [(&str, Sensitive); 5] = [
    ("email", Sensitive::Emails),
    ("env", Sensitive::Env),
    ("access_token", Sensitive::Tokens),
    ("api_token", Sensitive::Tokens),
    ("token", Sensitive::Tokens),
];

/// Masks records.
#[derive(Clone)]
pub(crate) struct Mask {
    hidden: Vec<&'static str>,
    /// Finds the hidden keys in quotes, and escapes; `None` if nothing is hidden.
    searcher: Option<AhoCorasick>,
}

impl Mask {
    /// Masks everything that `shown` does not list.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the search cannot be built.
    pub(crate) fn new(shown: &[Sensitive]) -> Result<Self> {
        let hidden = KEYS.iter().filter(|(_, kind)| !shown.contains(kind));
        let hidden: Vec<_> = hidden.map(|(key, _)| *key).collect();
        if hidden.is_empty() {
            return Ok(Self {
                hidden,
                searcher: None,
            });
        }
        let quoted = hidden.iter().map(|key| format!("\"{key}\""));
        let patterns = quoted.chain([ESCAPED_LETTER.to_owned()]);
        let searcher = AhoCorasick::new(patterns).map_err(|error| {
            let message = "the search for sensitive fields failed";
            Error::new(ErrorKind::Internal, message).with_source(error)
        })?;
        Ok(Self {
            hidden,
            searcher: Some(searcher),
        })
    }

    /// The record with its sensitive values masked; untouched if there are none.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it cannot be masked. It must not be passed on then.
    pub(crate) fn apply(&self, mut record: Record) -> Result<Record> {
        let unmaskable = || {
            let message = "a record could not be masked, so it is not passed on";
            Error::new(ErrorKind::Internal, message).with_context("stream", &record.stream)
        };
        let text = record.data.as_str();
        let masked = self.text(text).map_err(|Unreadable| unmaskable())?;
        if let Some(masked) = masked {
            record.data = JsonObject::parse(&masked).map_err(|_| unmaskable())?;
        }
        Ok(record)
    }

    fn text(&self, text: &str) -> Result<Option<String>, Unreadable> {
        let Some(searcher) = &self.searcher else {
            return Ok(None);
        };
        let mut output = Output::new(text);
        let mut searched = 0;
        for found in searcher.find_iter(text) {
            if found.start() < output.copied.max(searched) {
                continue;
            }
            if found.pattern().as_usize() == self.hidden.len() {
                searched = end_of_string(text, found.start() + 1);
                if is_key(text, searched) {
                    return self.text_with_escaped_keys(text);
                }
                continue;
            }
            output.mask_value_of_key(found.end())?;
        }
        Ok(output.finish())
    }

    /// As [`text`](Self::text), reading every string of the text: slower.
    fn text_with_escaped_keys(&self, text: &str) -> Result<Option<String>, Unreadable> {
        let mut output = Output::new(text);
        let mut at = 0;
        while let Some(quote) = text[at..].find('"') {
            let (start, end) = (at + quote, end_of_string(text, at + quote + 1));
            let key = serde_json::from_str::<Cow<'_, str>>(&text[start..end]);
            at = end;
            if key.is_ok_and(|key| self.hidden.contains(&&*key)) {
                output.mask_value_of_key(end)?;
                at = end.max(output.copied);
            }
        }
        Ok(output.finish())
    }
}

/// A text that is not the JSON it should be.
struct Unreadable;

/// The masked text, while it grows.
struct Output<'a> {
    text: &'a str,
    masked: String,
    /// How much of the text is in `masked`.
    copied: usize,
}

impl<'a> Output<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            masked: String::new(),
            copied: 0,
        }
    }

    /// Masks the value of the key that ends at `end`, if it is a key.
    fn mask_value_of_key(&mut self, end: usize) -> Result<(), Unreadable> {
        if !is_key(self.text, end) {
            return Ok(());
        }
        let rest = self.text[end..].trim_start();
        let rest = rest.strip_prefix(':').ok_or(Unreadable)?.trim_start();
        let start = self.text.len() - rest.len();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let Some(Ok(value)) = values.next() else {
            return Err(Unreadable);
        };
        if let Some(mask) = mask_of(value.get()) {
            self.masked.push_str(&self.text[self.copied..start]);
            self.masked.push_str(&mask);
            self.copied = start + value.get().len();
        }
        Ok(())
    }

    /// `None` if nothing was masked.
    fn finish(self) -> Option<String> {
        (self.copied > 0).then(|| self.masked + &self.text[self.copied..])
    }
}

/// Where the string ends that `inside` lies in: after its closing quote.
fn end_of_string(text: &str, inside: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = inside;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Whether the string that ends at `end` is a key.
fn is_key(text: &str, end: usize) -> bool {
    text[end..].trim_start().starts_with(':')
}

/// The mask of a value; `None` if it reveals nothing: null, true, false, or empty.
fn mask_of(value: &str) -> Option<String> {
    let mask = format!("\"{MASKED}\"");
    match value.as_bytes().first()? {
        b'"' if value.len() > 2 => Some(mask),
        b'{' => mask_of_object(value),
        b'[' if value.len() > 2 => Some(format!("[{mask}]")),
        b'-' | b'0'..=b'9' => Some(mask),
        _ => None,
    }
}

/// Keys stay. An object whose keys cannot be read is masked whole.
fn mask_of_object(value: &str) -> Option<String> {
    let mut masked = ObjectWriter::with_capacity(value.len());
    let object = JsonObject::parse(value).ok();
    match object.as_ref().map(JsonObject::fields) {
        Some(Ok(fields)) if fields.is_empty() => return None,
        Some(Ok(fields)) => {
            for (key, value) in fields {
                match value.get() {
                    "null" => masked.null(&key),
                    _ => masked.string(&key, MASKED),
                }
            }
        }
        _ => masked.string(MASKED, MASKED),
    }
    Some(masked.finish().as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(shown: &[Sensitive], text: &str) -> String {
        let mask = Mask::new(shown).unwrap();
        let record = Record::new("builds".into(), JsonObject::parse(text).unwrap());
        mask.apply(record).unwrap().data.as_str().to_owned()
    }

    #[test]
    fn addresses_variables_and_tokens_are_masked_wherever_they_are() {
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
    fn texts_that_only_mention_a_key_and_empty_values_stay_as_they_are() {
        for text in [
            r#"{"message":"say \"email\": \"x\"","email":null,"env":{},"token":""}"#,
            r#"{"tags":["email","env"],"kind":"token"}"#,
            r#"{"env":null,"message":"a \u0026 b \\u0065nv","token":false}"#,
        ] {
            assert_eq!(masked(&[], text), text);
        }
    }

    #[test]
    fn listed_values_are_shown() {
        let text = r#"{"email":"a@b.c","env":{"A":"x"},"token":"t"}"#;
        let shown = masked(&[Sensitive::Emails, Sensitive::Tokens], text);
        assert_eq!(
            shown,
            r#"{"email":"a@b.c","env":{"A":"[masked]"},"token":"t"}"#
        );
        let all = [Sensitive::Emails, Sensitive::Env, Sensitive::Tokens];
        assert_eq!(masked(&all, text), text);
    }

    #[test]
    fn an_object_whose_keys_cannot_be_read_is_masked_whole() {
        let text = r#"{"env":{"A":"LEAK","\ud800":"x"},"n":1}"#;
        assert_eq!(
            masked(&[], text),
            r#"{"env":{"[masked]":"[masked]"},"n":1}"#
        );
    }

    #[test]
    fn a_key_that_is_spelled_with_escapes_is_the_same_key() {
        let text = r#"{"\u0065nv":{"A":"LEAK"},"x":{"access\u005ftoken":"LEAK","e":"\u0065"}}"#;
        assert_eq!(
            masked(&[], text),
            r#"{"\u0065nv":{"A":"[masked]"},"x":{"access\u005ftoken":"[masked]","e":"\u0065"}}"#
        );
    }

    #[test]
    fn numbers_and_lists_are_masked_too() {
        let text = r#"{"token":123456,"env":["A=LEAK"],"email":{"to":"LEAK","n":7}}"#;
        assert_eq!(
            masked(&[], text),
            r#"{"token":"[masked]","env":["[masked]"],"email":{"to":"[masked]","n":"[masked]"}}"#
        );
    }

    /// Keys, as they may be spelled, and texts; none of them is a secret.
    const HARMLESS: [&str; 7] = [
        r#""a""#,
        r#""message""#,
        r#""\ud800""#,
        r#""say \"env\": \"x\"""#,
        r#""\u0026""#,
        r#""\\u0065nv""#,
        r#""emails""#,
    ];
    const SENSITIVE: [&str; 5] = [
        r#""env""#,
        r#""\u0065nv""#,
        r#""email""#,
        r#""api_token""#,
        r#""tok\u0065n""#,
    ];

    /// Any JSON, in which a secret lies below a sensitive key and nowhere else.
    fn json(secret: bool) -> BoxedStrategy<String> {
        let leaf = if secret {
            prop_oneof![
                Just(r#""LEAK""#.to_owned()),
                Just("\"x LEAK\\n\"".to_owned())
            ]
            .boxed()
        } else {
            prop::sample::select(HARMLESS.map(str::to_owned).to_vec()).boxed()
        };
        let scalar =
            prop_oneof![4 => leaf, 1 => Just("null".to_owned()), 1 => Just("12.50".to_owned())];
        scalar
            .prop_recursive(4, 32, 4, move |inner| {
                let harmless = prop::sample::select(HARMLESS.to_vec());
                let field = (harmless, inner.clone()).prop_map(|(k, v)| format!("{k} : {v}"));
                let hidden = prop::sample::select(SENSITIVE.to_vec());
                let below = if secret { inner.clone() } else { json(true) };
                let hidden = (hidden, below).prop_map(|(k, v)| format!("{k}:{v}"));
                let fields = prop::collection::vec(prop_oneof![2 => field, 1 => hidden], 0..4);
                let list = prop::collection::vec(inner, 0..4);
                prop_oneof![
                    2 => fields.prop_map(|fields| format!("{{{}}}", fields.join(" , "))),
                    1 => list.prop_map(|items| format!("[{}]", items.join(","))),
                ]
            })
            .boxed()
    }

    proptest! {
        #[test]
        fn no_secret_is_left_and_other_values_stay(value in json(false)) {
            let text = format!("{{\"id\":\"1\",\"value\":{value},\"end\":[1.10]}}");
            let masked = masked(&[], &text);
            prop_assert!(!masked.contains("LEAK"), "{}", masked);
            let is_whole = masked.starts_with("{\"id\":\"1\",") && masked.ends_with("[1.10]}");
            prop_assert!(is_whole, "{}", masked);
            if !SENSITIVE.iter().any(|key| text.contains(&format!("{key}:"))) {
                prop_assert_eq!(masked, text);
            }
        }
    }
}
