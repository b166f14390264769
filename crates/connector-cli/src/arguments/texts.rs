//! Longer help texts, built from the loaded connectors.

use connector_core::{Connector, LocationKind, SettingsSchema};

use crate::profile::Profile;
use crate::settings::{ConnectorRef, FlagUse};

/// What a configuration file looks like.
pub(super) fn configuration(profile: &Profile, has_destination: bool) -> String {
    let mut lines = vec![
        "Settings in TOML. Flags and environment variables take precedence over them.".to_owned(),
    ];
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
    destinations_that(profile, |_| true)
}

/// The ways to name a destination that can be read back.
pub(crate) fn replicas(profile: &Profile) -> String {
    destinations_that(profile, |connector| connector.replica().is_some())
}

fn destinations_that(profile: &Profile, fits: impl Fn(&dyn Connector) -> bool) -> String {
    let connectors = profile.registry.iter().filter(|one| fits(&***one));
    let roles = connectors.filter_map(|connector| {
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
        _ => format!("{name}:PATH, {name}:-"),
    }
}

/// ` [default: sqlite:copy.db]`, or nothing.
pub(crate) fn default(reference: Option<&ConnectorRef>) -> String {
    let Some(ConnectorRef { name, location }) = reference else {
        return String::new();
    };
    match location {
        Some(location) => format!(" [default: {name}:{location}]"),
        None => format!(" [default: {name}]"),
    }
}

/// The help of a declared flag. The short form is the first declaration; the long form lists what
/// the flag means to each connector.
pub(super) fn uses(uses: &[FlagUse], is_list: bool) -> (String, String) {
    let mut meanings: Vec<(&str, Vec<String>)> = Vec::new();
    for one in uses {
        let role = if one.is_source {
            "source"
        } else {
            "destination"
        };
        let user = format!("{} as a {role}", one.connector);
        match meanings.iter_mut().find(|(help, _)| *help == one.help) {
            Some((_, users)) => users.push(user),
            None => meanings.push((&one.help, vec![user])),
        }
    }
    let first = meanings.first().map_or("", |(help, _)| help);
    let note = if is_list { "; can be repeated" } else { "" };
    let short = format!("{first}{note}");
    let long = match &meanings[..] {
        [(_, users)] => format!("{short}\n\nFor {}.", users.join(" and ")),
        several => {
            let line =
                |(help, users): &(&str, Vec<String>)| format!("{}: {help}", users.join(", "));
            let lines: Vec<_> = several.iter().map(line).collect();
            let note = if is_list {
                "\n\nCan be repeated where it is a list."
            } else {
                ""
            };
            format!("{}{note}", lines.join("\n"))
        }
    };
    (short, long)
}
