//! An element of a list that is not a build, and why.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::raw_build::{RawBuild, is_object, plain_text, slug_of, timestamp_of};
use crate::error::Error;
use crate::timestamp::Timestamp;

/// A build that cannot be used: its text is not what the API documents. It is left out, and the
/// rest of the list is read.
///
/// What can be read of it is here, so that it can be requested again later.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unusable {
    /// Path of the list.
    pub path: String,
    /// Position in the page, from 1.
    pub position: usize,
    /// Its id, if readable.
    pub id: Option<String>,
    /// Its number, if readable.
    pub number: Option<u64>,
    /// Slug of its pipeline, if readable.
    pub pipeline_slug: Option<String>,
    /// When it was created, if readable.
    pub created_at: Option<Timestamp>,
    /// What is wrong with it.
    pub reason: String,
}

/// Longer texts are no ids and no slugs.
const LONGEST_NAME: usize = 255;

impl Unusable {
    /// A build that cannot be used, although its text is as documented.
    pub(super) fn of(build: &RawBuild<'_>, path: &str, position: usize, reason: &str) -> Self {
        Self {
            path: path.to_owned(),
            position,
            id: Some(build.id.to_owned()),
            number: Some(build.number),
            pipeline_slug: Some(build.pipeline_slug.clone().into_owned()),
            created_at: Some(build.created_at),
            reason: reason.to_owned(),
        }
    }

    /// The error of a caller that cannot go on without it.
    pub fn into_error(self) -> Error {
        let Self {
            path,
            position,
            reason,
            ..
        } = self;
        let what = format!("build {position} of the page cannot be used: {reason}");
        Error::Protocol { path, what }
    }

    /// Leaves out what may be a secret or a burden in an error.
    pub(super) fn discreet(self, redact: impl Fn(&str) -> String) -> Self {
        let name = |name: Option<String>| {
            let name = name.filter(|name| name.len() <= LONGEST_NAME)?;
            Some(redact(&name))
        };
        Self {
            id: name(self.id),
            pipeline_slug: name(self.pipeline_slug),
            ..self
        }
    }
}

/// The fields of an object, each as its text.
type Fields<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// What is wrong with a text that is not a build.
pub(super) enum Diagnosis {
    /// It is not even JSON. It may have been damaged on its way.
    NotJson(Unusable),
    /// It is JSON of another shape.
    WrongShape(Unusable),
}

impl Diagnosis {
    /// Finds out why a text is not a build.
    pub(super) fn of(text: &[u8], path: &str, position: usize) -> Self {
        let unusable = |reason: &str| Unusable {
            path: path.to_owned(),
            position,
            id: None,
            number: None,
            pipeline_slug: None,
            created_at: None,
            reason: reason.to_owned(),
        };
        let Ok(text) = std::str::from_utf8(text) else {
            return Self::NotJson(unusable("it is not UTF-8"));
        };
        match serde_json::from_str::<Fields<'_>>(text) {
            Ok(fields) => Self::WrongShape(read(&fields, unusable(""))),
            Err(error) if error.is_data() => Self::WrongShape(unusable("it is not an object")),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let reason = format!("it is not valid JSON (its line {line}, column {column})");
                Self::NotJson(unusable(&reason))
            }
        }
    }
}

/// Reads what can be read, and names the first field that is wrong.
fn read(fields: &Fields<'_>, unusable: Unusable) -> Unusable {
    let field = |name| fields.get(name).copied();
    let id = field("id").and_then(plain_text);
    let number = field("number").and_then(|number| number.get().parse().ok());
    let created_at = field("created_at").and_then(timestamp_of);
    let pipeline = match field("pipeline") {
        None => Ok(None),
        Some(value) => serde_json::from_str::<Option<Pipeline>>(value.get()),
    };
    let has_pipeline = pipeline.is_ok();
    let slug = pipeline.ok().flatten().and_then(|pipeline| pipeline.slug);
    let slug = slug.or_else(|| Some(slug_of(field("url")?)?.to_owned()));
    let checks = [
        ("id", id.is_some()),
        ("number", number.is_some()),
        ("created_at", created_at.is_some()),
        ("pipeline", has_pipeline && slug.is_some()),
        ("jobs", field("jobs").is_none_or(is_list_of_objects)),
    ];
    let wrong = checks.into_iter().find(|(_, is_good)| !is_good);
    let reason = match wrong {
        Some((name, _)) if field(name).is_none() => format!("it has no `{name}`"),
        Some((name, _)) => format!("its `{name}` is not what the API documents"),
        None => "it is not of the documented shape".to_owned(),
    };
    Unusable {
        id: id.map(str::to_owned),
        number,
        pipeline_slug: slug,
        created_at,
        reason,
        ..unusable
    }
}

#[derive(Deserialize)]
struct Pipeline {
    #[expect(dead_code, reason = "a build is unusable if this is not a text")]
    id: Option<String>,
    slug: Option<String>,
}

fn is_list_of_objects(value: &RawValue) -> bool {
    let items = serde_json::from_str::<Option<Vec<&RawValue>>>(value.get());
    items.is_ok_and(|items| items.unwrap_or_default().into_iter().all(is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = r#"{"id":"b-1","url":"https://h/v2/organizations/acme/pipelines/web/builds/7",
        "number":7,"created_at":"2026-01-01T00:00:00.000Z","jobs":[{"id":"j"}, {}],
        "pipeline":{"id":"p-1","slug":"web"}}"#;

    #[test]
    fn each_field_that_is_wrong_is_named_and_the_others_are_read() {
        for (from, to, reason) in [
            (r#""id":"b-1","#, "", "it has no `id`"),
            (r#""b-1""#, "[]", "its `id` is not what the API documents"),
            (":7,", ":-7,", "its `number` is not what the API documents"),
            (
                "2026-",
                "soon-",
                "its `created_at` is not what the API documents",
            ),
            (
                r#"{"id":"p-1","slug":"web"}"#,
                r#""web""#,
                "its `pipeline` is not what the API documents",
            ),
            (
                r#"{"id":"p-1","#,
                r#"{"id":1,"#,
                "its `pipeline` is not what the API documents",
            ),
            (
                "[{\"id\":\"j\"}, {}]",
                "7",
                "its `jobs` is not what the API documents",
            ),
            (
                ", {}]",
                ", null]",
                "its `jobs` is not what the API documents",
            ),
        ] {
            let text = BUILD.replace(from, to);
            assert!(RawBuild::parse(text.as_bytes()).is_err(), "{text}");
            let Diagnosis::WrongShape(found) = Diagnosis::of(text.as_bytes(), "/v2", 3) else {
                panic!("{text}");
            };
            assert_eq!(found.reason, reason, "{text}");
            assert_eq!(found.id.is_some(), !reason.contains("`id`"), "{text}");
            assert_eq!(
                found.number.is_some(),
                !reason.contains("`number`"),
                "{text}"
            );
            assert_eq!(
                found.created_at.is_some(),
                !reason.contains("created"),
                "{text}"
            );
            assert_eq!(found.pipeline_slug.as_deref(), Some("web"), "{text}");
        }
    }

    #[test]
    fn other_kinds_of_json_are_a_wrong_shape_and_broken_text_is_not_json() {
        for text in ["7", "null", "\"text\"", "[]"] {
            let diagnosis = Diagnosis::of(text.as_bytes(), "/v2", 1);
            let Diagnosis::WrongShape(found) = diagnosis else {
                panic!("{text}")
            };
            assert_eq!(found.reason, "it is not an object");
        }
        for text in [
            b"{\"id\":}".as_slice(),
            b"{\"id\":NaN}",
            b"{\"id\":\"\xff\"}",
            b"{'a'}",
        ] {
            assert!(RawBuild::parse(text).is_err());
            assert!(matches!(
                Diagnosis::of(text, "/v2", 1),
                Diagnosis::NotJson(_)
            ));
        }
    }
}
