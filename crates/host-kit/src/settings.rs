//! The settings of a destination that hosts handle themselves.
//!
//! They are in the same file as those of the connector, which never sees them.

use std::path::{Path, PathBuf};

use connector_core::{
    Capabilities, Configuration, DestinationRole, Error, ErrorKind, Result, SettingsSchema, Setup,
};
use serde_json::{Value, json};

use crate::input;

const DEAD_LETTER: &str = "dead_letter";
const MAX_REJECTED: &str = "max_rejected";
const RESULTS: &str = "results";
const DRY_RUN: &str = "dry_run";
/// A destination that acts should not continue with records that are all wrong.
const MAX_REJECTED_WHEN_ACTING: u64 = 100;

/// The settings of a destination that hosts handle themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSettings {
    /// File to which rejected records are appended. Without it a rejected record makes the run
    /// fail, and no state that covers it is passed on.
    pub dead_letter: Option<PathBuf>,
    /// More rejected records than this end the run. By default 100 for a destination that acts;
    /// no limit for others.
    pub max_rejected: Option<u64>,
    /// File to which the results of a destination that acts are appended, as JSON lines.
    pub results: Option<ResultLocation>,
    /// Whether this is a dry run, in which nothing is changed.
    pub dry_run: bool,
}

/// Where results go.
pub type ResultLocation = PathBuf;

impl HostSettings {
    /// Removes them from a destination's configuration, and returns them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed there.
    pub fn take(configuration: &mut Configuration, capabilities: &Capabilities) -> Result<Self> {
        let default = capabilities.acts.then_some(MAX_REJECTED_WHEN_ACTING);
        let mut settings = Self {
            dead_letter: take_path(configuration, DEAD_LETTER)?,
            max_rejected: take_count(configuration, MAX_REJECTED)?.or(default),
            ..Self::default()
        };
        if capabilities.acts {
            settings.results = take_path(configuration, RESULTS)?;
        }
        if capabilities.dry_run {
            settings.dry_run = take_switch(configuration, DRY_RUN)?;
        }
        Ok(settings)
    }

    /// The settings of a destination, including those of the host.
    #[must_use]
    pub fn schema(destination: &dyn DestinationRole) -> SettingsSchema {
        let mut schema = destination.settings();
        let capabilities = destination.capabilities();
        let Some(properties) = schema.json_schema["properties"].as_object_mut() else {
            return schema;
        };
        let mut add = |key: &str, kind: Value, description: &str| {
            let mut property = kind;
            property["description"] = description.into();
            properties.insert(key.to_owned(), property);
        };
        add(
            DEAD_LETTER,
            json!({"type": "string"}),
            "File to which rejected records are appended as JSON lines, each with the reason. \
             Without it a rejected record makes the run fail, and later states are withheld.",
        );
        let mut most = json!({"type": "integer", "minimum": 0});
        if capabilities.acts {
            most["default"] = MAX_REJECTED_WHEN_ACTING.into();
        }
        add(
            MAX_REJECTED,
            most,
            "The run ends with an error once more records than this are rejected.",
        );
        if capabilities.acts {
            add(
                RESULTS,
                json!({"type": "string"}),
                "File to which the result of each record is appended, as JSON lines.",
            );
        }
        if capabilities.dry_run {
            add(
                DRY_RUN,
                json!({"type": "boolean", "default": false}),
                "Change nothing; the results say what would be sent.",
            );
        }
        schema
    }
}

/// The settings of a destination, divided between the connector and its host.
#[derive(Debug, Clone)]
pub struct DestinationSettings {
    /// The settings of the connector.
    pub configuration: Configuration,
    /// The settings of the host.
    pub host: HostSettings,
}

impl DestinationSettings {
    /// Reads the configuration file of a host, see [`input::configuration`]. Without a file,
    /// nothing is set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the file or the key, never a value.
    pub fn read(path: Option<&Path>, destination: &dyn DestinationRole) -> Result<Self> {
        let mut configuration = match path {
            Some(path) => input::configuration(path, &HostSettings::schema(destination))?,
            None => Configuration::default(),
        };
        let host = HostSettings::take(&mut configuration, &destination.capabilities())?;
        Ok(Self {
            configuration,
            host,
        })
    }

    /// The setup with which the destination is opened.
    #[must_use]
    pub fn setup(&self) -> Setup {
        Setup::new(self.configuration.clone()).with_dry_run(self.host.dry_run)
    }
}

fn take_path(configuration: &mut Configuration, key: &str) -> Result<Option<PathBuf>> {
    match configuration.take(key) {
        None => Ok(None),
        Some(Value::String(path)) if !path.is_empty() => Ok(Some(path.into())),
        Some(_) => Err(refuse(key, "expected the path of a file")),
    }
}

fn take_count(configuration: &mut Configuration, key: &str) -> Result<Option<u64>> {
    let Some(value) = configuration.take(key) else {
        return Ok(None);
    };
    let count = value.as_u64();
    count
        .map(Some)
        .ok_or_else(|| refuse(key, "expected a whole number, 0 or more"))
}

fn take_switch(configuration: &mut Configuration, key: &str) -> Result<bool> {
    match configuration.take(key) {
        None => Ok(false),
        Some(Value::Bool(is_on)) => Ok(is_on),
        Some(_) => Err(refuse(key, "expected true or false")),
    }
}

fn refuse(key: &str, expected: &str) -> Error {
    Error::new(ErrorKind::Config, expected).with_context("key", key)
}

#[cfg(test)]
mod tests {
    use connector_core::WriteMode;

    use super::*;

    fn acting() -> Capabilities {
        Capabilities::new([WriteMode::Append])
            .with_results()
            .with_dry_run()
    }

    fn take(value: Value, capabilities: &Capabilities) -> Result<(HostSettings, Configuration)> {
        let mut configuration = Configuration::new(value)?;
        let settings = HostSettings::take(&mut configuration, capabilities)?;
        Ok((settings, configuration))
    }

    #[test]
    fn the_connector_sees_only_its_own_settings() {
        let value = json!({"dead_letter": "d", "max_rejected": 3, "results": "r",
                           "dry_run": true, "path": "p"});
        let (settings, rest) = take(value.clone(), &acting()).unwrap();
        assert_eq!(settings.dead_letter, Some("d".into()));
        assert_eq!(settings.max_rejected, Some(3));
        assert_eq!(settings.results, Some("r".into()));
        assert!(settings.dry_run);
        assert_eq!(format!("{rest:?}"), r#"{"path"}"#);

        let storing = Capabilities::new([WriteMode::Append]);
        let (settings, rest) = take(value, &storing).unwrap();
        assert!(!settings.dry_run && settings.results.is_none());
        assert!(rest.has("dry_run") && rest.has("results"));
    }

    #[test]
    fn only_a_destination_that_acts_has_a_limit_by_default() {
        let (settings, _) = take(json!({}), &acting()).unwrap();
        assert_eq!(settings.max_rejected, Some(100));
        let storing = Capabilities::new([WriteMode::Append]);
        let (settings, _) = take(json!({}), &storing).unwrap();
        assert_eq!(settings.max_rejected, None);
    }

    #[test]
    fn a_wrong_value_is_refused_by_its_key() {
        for (key, value) in [
            ("dead_letter", json!(7)),
            ("max_rejected", json!(-1)),
            ("dry_run", json!("yes")),
        ] {
            let error = take(json!({ key: value }), &acting()).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
