//! A build of a list, split into its parts without parsing what nobody needs.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::timestamp::Timestamp;

/// One build. All parts are the text they arrived in.
#[derive(Debug)]
#[non_exhaustive]
pub struct RawBuild<'a> {
    /// Globally unique, an opaque text.
    pub id: &'a str,
    /// Unique within its pipeline.
    pub number: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Slug of its pipeline, from the `pipeline` object or else from the build's `url`.
    pub pipeline_slug: Cow<'a, str>,
    /// Id of its pipeline. Absent if the answer left the pipeline out.
    pub pipeline_id: Option<Cow<'a, str>>,
    /// All fields in their order, except `jobs` and `pipeline`.
    pub fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Whether the answer contained its jobs.
    pub has_jobs: bool,
    /// Its jobs in their order, if the answer contained them. All are objects.
    pub jobs: Vec<&'a RawValue>,
}

/// A text is not a build.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotABuild;

impl<'a> RawBuild<'a> {
    /// Splits a build.
    ///
    /// # Errors
    /// [`NotABuild`]. [`Unusable`](super::Unusable) finds out why, since that takes longer.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, NotABuild> {
        Self::split(text).ok_or(NotABuild)
    }

    fn split(text: &'a [u8]) -> Option<Self> {
        // Checked once here, instead of for each value.
        let text = std::str::from_utf8(text).ok()?;
        let parts: Parts<'a> = serde_json::from_str(text).ok()?;
        let field = |name| value_of(&parts.fields, name);
        let has_jobs = parts.jobs.is_some();
        let jobs = parts.jobs.unwrap_or_default();
        if !jobs.iter().all(|job| is_object(job)) {
            return None;
        }
        let pipeline = parts.pipeline.unwrap_or_default();
        let slug_of_url = || slug_of(field("url")?).map(Cow::Borrowed);
        Some(Self {
            id: plain_text(field("id")?)?,
            number: field("number")?.get().parse().ok()?,
            created_at: timestamp_of(field("created_at")?)?,
            pipeline_slug: pipeline.slug.or_else(slug_of_url)?,
            pipeline_id: pipeline.id,
            has_jobs,
            jobs,
            fields: parts.fields,
        })
    }
}

impl RawBuild<'_> {
    /// A field of the build, as the text it arrived in.
    pub fn field(&self, name: &str) -> Option<&RawValue> {
        value_of(&self.fields, name)
    }
}

/// A field of an object.
pub(super) fn value_of<'a>(
    fields: &[(Cow<'_, str>, &'a RawValue)],
    name: &str,
) -> Option<&'a RawValue> {
    let mut fields = fields.iter();
    fields.find(|(key, _)| key == name).map(|(_, value)| *value)
}

/// The text within quotes, if it has no escapes. Ids, times and addresses have none.
pub(super) fn plain_text(value: &RawValue) -> Option<&str> {
    let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

pub(super) fn timestamp_of(value: &RawValue) -> Option<Timestamp> {
    Timestamp::parse(plain_text(value)?)
}

pub(super) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// `…/pipelines/{slug}/builds/{number}`
pub(super) fn slug_of(url: &RawValue) -> Option<&str> {
    let (_, rest) = plain_text(url)?.split_once("/pipelines/")?;
    rest.split('/').next().filter(|slug| !slug.is_empty())
}

#[derive(Default)]
struct Parts<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    jobs: Option<Vec<&'a RawValue>>,
    pipeline: Option<Pipeline<'a>>,
}

#[derive(Default, Deserialize)]
struct Pipeline<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    slug: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Parts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartsVisitor)
    }
}

struct PartsVisitor;

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a build")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Parts {
            fields: Vec::with_capacity(32),
            ..Parts::default()
        };
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "jobs" => parts.jobs = map.next_value()?,
                "pipeline" => parts.pipeline = map.next_value()?,
                _ => parts.fields.push((key, map.next_value()?)),
            }
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = r#"{"id":"b-1","url":"https://h/v2/organizations/acme/pipelines/web/builds/7",
        "number":7,"created_at":"2026-01-01T00:00:00.000Z","jobs":[{"id":"j"}, {}],
        "new_field":{"a":[1e400]},"pipeline":{"id":"p-1","slug":"web","steps":[{}]}}"#;

    #[test]
    fn a_build_is_split_and_keeps_unknown_fields() {
        let build = RawBuild::parse(BUILD.as_bytes()).unwrap();

        assert_eq!((build.id, build.number), ("b-1", 7));
        assert_eq!(build.pipeline_id.as_deref(), Some("p-1"));
        assert_eq!(build.pipeline_slug, "web");
        let jobs: Vec<_> = build.jobs.iter().map(|job| job.get()).collect();
        assert_eq!(jobs, [r#"{"id":"j"}"#, "{}"]);
        let (key, value) = build.fields.last().unwrap();
        assert_eq!(
            (key.as_ref(), value.get()),
            ("new_field", r#"{"a":[1e400]}"#)
        );
    }

    #[test]
    fn without_its_pipeline_the_slug_comes_from_the_url() {
        let start = BUILD.find(r#","pipeline""#).unwrap();
        let text = format!("{}}}", &BUILD[..start]);

        let build = RawBuild::parse(text.as_bytes()).unwrap();

        assert_eq!(build.pipeline_slug, "web");
        assert_eq!(build.pipeline_id, None);
    }

    #[test]
    fn jobs_left_out_differ_from_no_jobs() {
        for (jobs, has_jobs) in [("[]", true), ("null", false)] {
            let text = BUILD.replace(r#"[{"id":"j"}, {}]"#, jobs);
            assert_eq!(RawBuild::parse(text.as_bytes()).unwrap().has_jobs, has_jobs);
        }
    }
}
