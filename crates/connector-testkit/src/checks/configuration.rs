//! The schema of the configuration, and what opening does with it.

use connector_core::{ErrorKind, SettingsSchema};
use serde_json::Value;

use crate::check::Role;
use crate::report::{Verdict, absent, failed, skipped};
use crate::{Access, Suite};

/// Words of which one stands in the name of a key that holds a secret.
const SECRETIVE: [&str; 6] = [
    "token",
    "secret",
    "password",
    "passphrase",
    "api_key",
    "private_key",
];

pub(crate) async fn schema_is_valid(suite: &Suite<'_>) -> Verdict {
    for role in [Role::Source, Role::Destination] {
        is_valid(&suite.settings(role).json_schema)?;
    }
    for (role, access) in suite.accesses() {
        let settings = suite.settings(role);
        let validator = match jsonschema::draft7::new(&settings.json_schema) {
            Ok(validator) => validator,
            Err(error) => return failed(format!("the schema cannot be used: {error}")),
        };
        let given = with_credential_as_key(&access, &settings);
        if let Err(error) = validator.validate(&given) {
            let at = error.instance_path();
            let role = format!("{role:?}").to_lowercase();
            return failed(format!(
                "the {role}'s configuration does not fit it at `{at}`"
            ));
        }
    }
    Ok(())
}

fn is_valid(schema: &Value) -> Verdict {
    if let Err(error) = jsonschema::draft7::meta::validate(schema) {
        let at = error.instance_path();
        return failed(format!("the schema is not valid at `{at}`: {error}"));
    }
    if schema["type"] != "object" {
        return failed("the schema is not that of an object");
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        if property["description"].as_str().is_none_or(str::is_empty) {
            return failed(format!("the key `{key}` has no description"));
        }
    }
    Ok(())
}

/// A host gives a credential in the place of a key that the schema asks for.
fn with_credential_as_key(access: &Access, settings: &SettingsSchema) -> Value {
    let mut access = access.clone();
    if access.credential.is_some() {
        for key in settings.secret_keys() {
            access = access.with(key, "a credential");
        }
    }
    access.configuration
}

pub(crate) async fn secrets_are_marked(suite: &Suite<'_>) -> Verdict {
    for role in [Role::Source, Role::Destination] {
        are_marked(suite, role)?;
    }
    Ok(())
}

fn are_marked(suite: &Suite<'_>, role: Role) -> Verdict {
    let settings = suite.settings(role);
    let marked: Vec<_> = settings.secret_keys().collect();
    let secrets = suite.secrets();
    let accesses = suite.accesses().into_iter();
    let accesses: Vec<_> = accesses.filter(|(of, _)| *of == role).collect();
    for key in settings.keys() {
        let is_secretive = SECRETIVE.iter().any(|word| key.contains(word));
        let holds_one = accesses.iter().any(|(_, access)| {
            let value = access.configuration[key].as_str();
            value.is_some_and(|value| secrets.iter().any(|secret| secret == value))
        });
        if (is_secretive || holds_one) && !marked.contains(&key) {
            return failed(format!("the key `{key}` is not marked"));
        }
    }
    let takes_credential = |(_, access): &(_, Access)| access.credential.is_some();
    if marked.is_empty() && accesses.iter().any(takes_credential) {
        return failed("it takes a credential, and no key of the schema is marked");
    }
    Ok(())
}

pub(crate) async fn required_keys_are_required(suite: &Suite<'_>) -> Verdict {
    if suite.accesses().is_empty() {
        return skipped("nothing to read or to write was given");
    }
    let mut tried = 0;
    for (role, access) in suite.accesses() {
        let settings = suite.settings(role);
        let required = settings.json_schema["required"].as_array();
        let required: Vec<_> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for key in required.iter().copied() {
            tried += 1;
            let mut access = access.without(key);
            if settings.secret_keys().any(|secret| secret == key) {
                access.credential = None;
            }
            match suite.open(role, &access).await {
                Ok(()) => return failed(format!("it opens without `{key}`")),
                Err(error) if error.kind() != ErrorKind::Config => {
                    let kind = error.kind();
                    return failed(format!("without `{key}` the error is of the kind {kind:?}"));
                }
                Err(error) if !error.to_string().contains(key) => {
                    return failed(format!("the error does not name `{key}`: {error}"));
                }
                Err(_) => {}
            }
        }
    }
    if tried == 0 {
        return absent();
    }
    Ok(())
}
