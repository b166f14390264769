//! `discover`.

use std::collections::BTreeSet;

use connector_core::Stream;

use crate::Suite;
use crate::report::{Verdict, failed};

pub(crate) async fn catalog_is_stable(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    if source.discover().await? != catalog {
        return failed("the second answer of the same source is another");
    }
    if suite.source().await?.discover().await? != catalog {
        return failed("another source of the same configuration has another catalog");
    }
    Ok(())
}

pub(crate) async fn catalog_is_sound(suite: &Suite<'_>) -> Verdict {
    let catalog = suite.source().await?.discover().await?;
    if catalog.streams.is_empty() {
        return failed("there is no stream");
    }
    let mut names = BTreeSet::new();
    for stream in &catalog.streams {
        let name = &stream.name;
        if !names.insert(name.clone()) {
            return failed(format!("there are two streams `{name}`"));
        }
        if let Some(why) = unsound(stream) {
            return failed(format!("`{name}`: {why}"));
        }
    }
    Ok(())
}

fn unsound(stream: &Stream) -> Option<String> {
    if let Err(error) = jsonschema::draft7::meta::validate(&stream.json_schema) {
        let at = error.instance_path();
        return Some(format!("the schema is not valid at `{at}`: {error}"));
    }
    if stream.sync_modes.is_empty() {
        return Some("there is no sync mode".to_owned());
    }
    let fields = stream.primary_key.iter().chain(&stream.cursor);
    let is_absent = |field: &&String| stream.json_schema["properties"].get(field).is_none();
    let absent = fields.into_iter().find(is_absent)?;
    Some(format!(
        "the key or cursor `{absent}` is no field of the schema"
    ))
}
