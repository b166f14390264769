//! `--about`: what an executable can do, and its settings.

use connector_core::{Connector, Result};
use host_kit::HostSettings;
use serde_json::json;

use crate::arguments::Format;
use crate::role::Role;

/// The text of `--about`.
///
/// # Errors
/// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if the connector does not have that
/// role.
pub(crate) fn about(connector: &dyn Connector, role: Role, format: Format) -> Result<String> {
    let identity = connector.identity();
    let (settings, capabilities) = match role {
        Role::Tap => (
            connector.expect_source()?.settings(),
            vec!["about", "catalog", "discover", "state"],
        ),
        Role::Target => (
            HostSettings::schema(connector.expect_destination()?),
            vec!["about"],
        ),
    };
    let name = role.executable(connector);
    if let Format::Json = format {
        let about = json!({
            "name": name,
            "description": identity.title,
            "version": identity.version,
            "documentation": identity.documentation_url,
            "capabilities": capabilities,
            "settings": settings.json_schema,
        });
        return Ok(about.to_string());
    }
    let mut text = format!(
        "{name} {}: {}\ncapabilities: {}\nsettings:",
        identity.version,
        identity.title,
        capabilities.join(", ")
    );
    for key in settings.keys() {
        let description = settings.json_schema["properties"][key]["description"].as_str();
        let description = description.unwrap_or_default().replace('\n', " ");
        text.push_str(&format!("\n  {key}: {description}"));
    }
    Ok(text)
}
