//! `--about`: what an executable can do, and its settings.

use connector_core::Connector;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::Role;

/// The name of the executable: `tap-buildkite`.
pub(crate) fn name(connector: &dyn Connector, role: Role) -> String {
    match role {
        Role::Tap => format!("tap-{}", connector.identity().name),
        Role::Target => format!("target-{}", connector.identity().name),
    }
}

/// The text of `--about`.
pub(crate) fn about(connector: &dyn Connector, role: Role, format: Format) -> String {
    let identity = connector.identity();
    let settings = match role {
        Role::Target => host_kit::input::destination_schema(connector),
        Role::Tap => connector.configuration_schema(),
    };
    let capabilities = match role {
        Role::Tap => vec!["about", "catalog", "discover", "state"],
        Role::Target => vec!["about"],
    };
    let name = name(connector, role);
    if let Format::Json = format {
        let about = json!({
            "name": name,
            "description": identity.title,
            "version": identity.version,
            "documentation": identity.documentation_url,
            "capabilities": capabilities,
            "settings": settings,
        });
        return about.to_string();
    }
    let mut text = format!(
        "{name} {}: {}\ncan: {}\nsettings:",
        identity.version,
        identity.title,
        capabilities.join(", ")
    );
    let properties = settings.get("properties").and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let description = property["description"].as_str().unwrap_or_default();
        text.push_str(&format!("\n  {key}: {}", description.replace('\n', " ")));
    }
    text
}
