//! `organizations`: `GET /v2/organizations` (API facts 15.1).

use connector_core::{JsonObject, Record, Result, Stream};
use schemars::JsonSchema;
use serde_json::value::RawValue;

use super::record::not_an_object;
use super::schema::stream as stream_of;

pub(crate) const NAME: &str = "organizations";

/// A record of `organizations`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Organization {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its slug: the part of its address that identifies it.
    pub slug: Option<String>,
    /// Address of its pipelines in the API.
    pub pipelines_url: Option<String>,
    /// Address of its agents in the API.
    pub agents_url: Option<String>,
    /// Address of its emojis in the API.
    pub emojis_url: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
}

pub(crate) fn stream() -> Stream {
    stream_of::<Organization>(NAME, "Organizations that the token sees.")
        .with_scopes(["read_organizations"])
}

/// The object as it came.
pub(crate) fn record(raw: &RawValue) -> Result<Record> {
    let object = JsonObject::from_raw(raw).ok_or_else(|| not_an_object(NAME))?;
    Ok(Record::new(NAME.into(), object))
}
