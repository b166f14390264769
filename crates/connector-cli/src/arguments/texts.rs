//! Longer texts of the help, made of what the program has loaded.

use connector_core::{LocationKind, SettingsSchema};

use crate::profile::Profile;
use crate::settings::{ConnectorRef, FlagUse};

/// What a configuration file looks like.
pub(super) fn configuration(profile: &Profile, has_destination: bool) -> String {
    let mut lines =
        vec!["Settings in TOML. Flags and environment variables precede them.".to_owned()];
    lines.push(String::new());
    lines.extend(table(
        "source",
        profile.default_source().as_ref(),
        source_schema(profile),
    ));
    if has_destination {
        let schema = destination_schema(profile);
        lines.extend(table(
            "destination",
            profile.default_destination().as_ref(),
            schema,
        ));
        lines.push("[sync]".to_owned());
        lines.push("streams = [\"STREAM\", \"STREAM\"]".to_owned());
        lines.push("name = \"NAME\"".to_owned());
    }
    let indented = lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| match index {
            0 => line,
            _ if line.is_empty() => line,
            _ => format!("  {line}"),
        });
    indented.collect::<Vec<_>>().join("\n")
}

fn table(
    name: &str,
    default: Option<&ConnectorRef>,
    schema: Option<SettingsSchema>,
) -> Vec<String> {
    let connector = default.map_or("NAME", |default| &default.name);
    let mut lines = vec![format!("[{name}]"), format!("connector = \"{connector}\"")];
    let Some(schema) = schema else {
        return lines;
    };
    if schema.takes_credential() {
        lines.push("credential = \"NAME\"".to_owned());
    }
    if let Some(location) = &schema.location {
        let at = default.and_then(|default| default.location.as_deref());
        lines.push(format!(
            "{} = \"{}\"",
            location.key,
            at.unwrap_or("LOCATION")
        ));
    }
    if let Some(flag) = schema.flags.first() {
        let value = format!("\"{}\"", flag.value_name);
        let value = if flag.is_list {
            format!("[{value}]")
        } else {
            value
        };
        lines.push(format!("{} = {value}", flag.key));
    }
    lines
}

fn source_schema(profile: &Profile) -> Option<SettingsSchema> {
    let connector = profile.registry.get(&profile.default_source()?.name).ok()?;
    Some(connector.source()?.settings())
}

fn destination_schema(profile: &Profile) -> Option<SettingsSchema> {
    let connector = profile
        .registry
        .get(&profile.default_destination()?.name)
        .ok()?;
    Some(connector.destination()?.settings())
}

/// The ways to name a destination: `jsonl:PATH, sqlite:FILE`.
pub(super) fn destinations(profile: &Profile) -> String {
    let roles = profile.registry.iter().filter_map(|connector| {
        let role = connector.destination()?;
        Some(reference(&connector.identity().name, &role.settings()))
    });
    roles.collect::<Vec<_>>().join(", ")
}

/// The ways to name a source.
pub(super) fn sources(profile: &Profile) -> String {
    let roles = profile.registry.iter().filter_map(|connector| {
        let role = connector.source()?;
        Some(reference(&connector.identity().name, &role.settings()))
    });
    roles.collect::<Vec<_>>().join(", ")
}

fn reference(name: &str, schema: &SettingsSchema) -> String {
    let Some(location) = &schema.location else {
        return name.to_owned();
    };
    match location.kind {
        LocationKind::File => format!("{name}:FILE"),
        LocationKind::Folder => format!("{name}:FOLDER"),
        LocationKind::Url => format!("{name}://…"),
        _ => format!("{name}:FILE, {name}:-"),
    }
}

/// ` [default: sqlite:copy.db]`, or nothing.
pub(super) fn default(reference: Option<&ConnectorRef>) -> String {
    let Some(ConnectorRef { name, location }) = reference else {
        return String::new();
    };
    match location {
        Some(location) => format!(" [default: {name}:{location}]"),
        None => format!(" [default: {name}]"),
    }
}

/// The help of a declared flag: the first use in short, all of them in full.
pub(super) fn uses(uses: &[FlagUse], is_list: bool) -> (String, String) {
    let note = if is_list { "; can be repeated" } else { "" };
    let first = uses.first().map_or("", |one| &one.help);
    let short = format!("{first}{note}");
    let line = |one: &FlagUse| {
        let role = if one.is_source {
            "source"
        } else {
            "destination"
        };
        format!("{} as a {role}: {}", one.connector, one.help)
    };
    let mut lines: Vec<_> = uses.iter().map(line).collect();
    if let [_] = lines[..] {
        return (short.clone(), short);
    }
    if is_list {
        lines.push("Can be repeated where it is a list.".to_owned());
    }
    (short, lines.join("\n"))
}
