//! The settings that each role declares.

use std::collections::BTreeSet;

use connector_core::SettingsSchema;
use serde_json::Value;

use crate::check::Check;
use crate::given::Access;
use crate::report::{Verdict, failed};
use crate::suite::Role;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "settings_schema_is_valid",
        claim: "The settings schema is valid JSON Schema draft 7, describes each key, and accepts the configuration that works.",
        mutants: &[
            "a setting of an unknown JSON type",
            "a setting without description",
            "a schema that refuses what works",
        ],
        capability: Capability::Connector,
        run: |suite| Box::pin(settings_schema_is_valid(suite)),
    },
    Check {
        name: "secret_settings_are_marked",
        claim: "A setting that holds a secret, or has the name of one, is marked `writeOnly`.",
        mutants: &["a token that is not marked"],
        capability: Capability::Connector,
        run: |suite| Box::pin(secret_settings_are_marked(suite)),
    },
    Check {
        name: "declared_settings_exist",
        claim: "The location and each flag set a key of the schema. A repeatable flag sets a list. No flag is declared twice.",
        mutants: &[
            "a location that is not a setting",
            "a flag for an unknown setting",
            "a repeatable flag that sets no list",
            "the same flag twice",
        ],
        capability: Capability::Connector,
        run: |suite| Box::pin(declared_settings_exist(suite)),
    },
    Check {
        name: "credentials_are_explained",
        claim: "If a setting holds a secret, the settings say how to get one.",
        mutants: &["no help for getting a credential"],
        capability: Capability::Connector,
        run: |suite| Box::pin(credentials_are_explained(suite)),
    },
];

/// Words in the names of keys that hold secrets.
const SECRETIVE: [&str; 6] = [
    "token",
    "secret",
    "password",
    "passphrase",
    "api_key",
    "private_key",
];

async fn settings_schema_is_valid(suite: &Suite<'_>) -> Verdict {
    let settings = suite.settings();
    for (role, settings) in &settings {
        is_valid(*role, &settings.json_schema)?;
    }
    for (role, access) in suite.accesses() {
        let of_role = settings.iter().filter(|(of, _)| *of == role);
        for (_, settings) in of_role {
            is_accepted(role, settings, &access)?;
        }
    }
    Ok(())
}

fn is_valid(role: Role, schema: &Value) -> Verdict {
    if let Err(error) = jsonschema::draft7::meta::validate(schema) {
        let at = error.instance_path();
        return failed(format!(
            "the schema of the {role} is not valid at `{at}`: {error}"
        ));
    }
    if schema["type"] != "object" {
        return failed(format!(
            "the schema of the {role} does not describe an object"
        ));
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        if property["description"].as_str().is_none_or(str::is_empty) {
            return failed(format!(
                "the setting `{key}` of the {role} has no description"
            ));
        }
    }
    Ok(())
}

fn is_accepted(role: Role, settings: &SettingsSchema, access: &Access) -> Verdict {
    let validator = match jsonschema::draft7::new(&settings.json_schema) {
        Ok(validator) => validator,
        Err(error) => return failed(format!("the schema cannot be used: {error}")),
    };
    let given = with_credential_as_setting(access, settings);
    match validator.validate(&given) {
        Ok(()) => Ok(()),
        Err(error) => {
            let at = error.instance_path();
            failed(format!(
                "the {role}'s configuration does not match its schema at `{at}`"
            ))
        }
    }
}

/// A host gives a credential in the place of a setting that the schema asks for.
fn with_credential_as_setting(access: &Access, settings: &SettingsSchema) -> Value {
    let mut access = access.clone();
    if access.has_credential() {
        for key in settings.secret_keys() {
            access = access.with(key, "a credential");
        }
    }
    access.configuration().clone()
}

async fn secret_settings_are_marked(suite: &Suite<'_>) -> Verdict {
    let (secrets, accesses) = (suite.secrets(), suite.accesses());
    for (role, settings) in suite.settings() {
        let accesses: Vec<_> = accesses.iter().filter(|(of, _)| *of == role).collect();
        let marked: Vec<_> = settings.secret_keys().collect();
        let holds_secret = |key: &str| {
            accesses.iter().any(|(_, access)| {
                let value = access.get(key).as_str();
                value.is_some_and(|value| secrets.iter().any(|secret| secret == value))
            })
        };
        let is_secretive = |key: &str| SECRETIVE.iter().any(|word| key.contains(word));
        let is_secret = |key: &&str| is_secretive(key) || holds_secret(key);
        let mut keys = settings.keys().filter(is_secret);
        if let Some(key) = keys.find(|key| !marked.contains(key)) {
            return failed(format!("the setting `{key}` of the {role} is not marked"));
        }
        if marked.is_empty() && accesses.iter().any(|(_, access)| access.has_credential()) {
            return failed(format!(
                "the {role} takes a credential, but marks no setting as secret"
            ));
        }
    }
    Ok(())
}

async fn declared_settings_exist(suite: &Suite<'_>) -> Verdict {
    for (role, settings) in suite.settings() {
        let location = settings.location.iter().map(|location| &location.key);
        let flags = settings.flags.iter().map(|flag| &flag.key);
        if let Some(key) = location.chain(flags).find(|key| !settings.has(key)) {
            return failed(format!(
                "the {role} declares `{key}`, which is not in its schema"
            ));
        }
        let mut names = BTreeSet::new();
        for flag in &settings.flags {
            let name = &flag.flag;
            if !names.insert(name) {
                return failed(format!("the {role} declares the flag `--{name}` twice"));
            }
            let is_list = is_list(&settings.json_schema["properties"][&flag.key]);
            if flag.is_list != is_list {
                return failed(format!(
                    "`--{name}` must be repeatable exactly if its setting is a list"
                ));
            }
        }
    }
    Ok(())
}

/// Whether a property takes a list, perhaps among other types.
fn is_list(property: &Value) -> bool {
    let is_array = |value: &Value| value == "array";
    let types = &property["type"];
    let mut listed = types.as_array().into_iter().flatten();
    is_array(types) || listed.any(is_array)
}

async fn credentials_are_explained(suite: &Suite<'_>) -> Verdict {
    for (role, settings) in suite.settings() {
        if settings.takes_credential() && settings.credential_help.trim().is_empty() {
            return failed(format!(
                "the {role} takes a credential, but does not say how to get one"
            ));
        }
    }
    Ok(())
}
