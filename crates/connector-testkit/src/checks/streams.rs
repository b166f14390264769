//! Catalogs, of sources and of destinations.

use std::collections::BTreeSet;

use connector_core::{Catalog, Stream};

use crate::report::{Verdict, failed};

pub(super) fn expect_sound(catalog: &Catalog) -> Verdict {
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
    if stream.description.trim().is_empty() {
        return Some("there is no description".to_owned());
    }
    let open = stream.open_rows.iter();
    let open = open.flat_map(|open| open.wanted.iter().chain([&open.field]));
    let fields = stream.primary_key.iter().chain(&stream.cursor).chain(open);
    let is_absent = |field: &&String| stream.json_schema["properties"].get(field).is_none();
    let absent = fields.into_iter().find(is_absent)?;
    Some(format!("`{absent}` is no field of the schema"))
}
