//! What becomes of settings that are wrong.

use connector_core::{Error, ErrorKind, SettingsSchema};
use serde_json::{Value, json};

use crate::check::Check;
use crate::given::Access;
use crate::report::{Verdict, absent, failed, skipped};
use crate::suite::Role;
use crate::watcher::Watcher;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "required_settings_are_required",
        claim: "Opening fails without any one of the required settings, and the error names the setting.",
        mutants: &["opens without its token"],
        capability: Capability::Connector,
        run: |suite| Box::pin(required_settings_are_required(suite)),
    },
    Check {
        name: "wrong_settings_are_refused",
        claim: "An unknown setting, and a value of the wrong type, are configuration errors.",
        mutants: &["ignores an unknown setting", "accepts text for a number"],
        capability: Capability::Connector,
        run: |suite| Box::pin(wrong_settings_are_refused(suite)),
    },
    Check {
        name: "validation_agrees_with_opening",
        claim: "`validate` accepts the settings that open, and refuses the others with the same kind of error.",
        mutants: &[
            "validates anything",
            "validates nothing",
            "validates with another kind of error",
        ],
        capability: Capability::Connector,
        run: |suite| Box::pin(validation_agrees_with_opening(suite)),
    },
    Check {
        name: "validation_is_pure",
        claim: "Neither `validate` nor opening sends a request or changes anything.",
        mutants: &[
            "sends a request to validate",
            "creates a copy to validate",
            "sends a request to open",
        ],
        capability: Capability::Connector,
        run: |suite| Box::pin(validation_is_pure(suite)),
    },
];

/// Settings that are wrong in one way, and the key that is.
struct Wrong {
    role: Role,
    key: String,
    access: Access,
}

fn given(suite: &Suite<'_>) -> Verdict<Vec<(Role, SettingsSchema, Access)>> {
    let settings = suite.settings();
    let mut given = Vec::new();
    for (role, access) in suite.accesses() {
        let of_role = settings.iter().filter(|(of, _)| *of == role);
        given.extend(of_role.map(|(_, settings)| (role, settings.clone(), access.clone())));
    }
    if given.is_empty() {
        return skipped("nothing to read or write was given");
    }
    Ok(given)
}

/// Each required setting left out.
fn incomplete(suite: &Suite<'_>) -> Verdict<Vec<Wrong>> {
    let mut incomplete = Vec::new();
    for (role, settings, access) in given(suite)? {
        let required = settings.json_schema["required"].as_array();
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        for key in required {
            let mut access = access.without(key);
            if settings.secret_keys().any(|secret| secret == key) {
                access = access.without_credential();
            }
            let key = key.to_owned();
            incomplete.push(Wrong { role, key, access });
        }
    }
    Ok(incomplete)
}

/// A setting that does not exist, and each setting with a value of another type.
fn mistaken(suite: &Suite<'_>) -> Verdict<Vec<Wrong>> {
    let mut mistaken = Vec::new();
    for (role, settings, access) in given(suite)? {
        let key = "no_such_setting".to_owned();
        let unknown = access.with(&key, true);
        mistaken.push(Wrong {
            role,
            key,
            access: unknown,
        });
        for key in settings.keys() {
            let property = &settings.json_schema["properties"][key];
            if let Some(value) = of_another_type(property) {
                let (key, access) = (key.to_owned(), access.with(key, value));
                mistaken.push(Wrong { role, key, access });
            }
        }
    }
    Ok(mistaken)
}

/// A value that the schema of a property refuses; `None` if it says nothing of types.
fn of_another_type(property: &Value) -> Option<Value> {
    let values = [json!(["testkit"]), json!("testkit"), json!({"testkit": 1})];
    property.get("type")?;
    let validator = jsonschema::draft7::new(&json!({"type": property["type"]})).ok()?;
    values.into_iter().find(|value| !validator.is_valid(value))
}

async fn required_settings_are_required(suite: &Suite<'_>) -> Verdict {
    let incomplete = incomplete(suite)?;
    if incomplete.is_empty() {
        return absent();
    }
    for Wrong { role, key, access } in incomplete {
        let Err(error) = suite.open(role, access.setup()?).await else {
            return failed(format!("the {role} opens without `{key}`"));
        };
        let is_missing = matches!(error.kind(), ErrorKind::Config | ErrorKind::Auth);
        if !is_missing || !error.to_string().contains(&key) {
            return failed(format!(
                "a missing `{key}` of the {role} caused {}",
                described(&error)
            ));
        }
    }
    Ok(())
}

async fn wrong_settings_are_refused(suite: &Suite<'_>) -> Verdict {
    for Wrong { role, key, access } in mistaken(suite)? {
        let Err(error) = suite.open(role, access.setup()?).await else {
            return failed(format!("the {role} opens with a wrong `{key}`"));
        };
        if error.kind() != ErrorKind::Config {
            return failed(format!(
                "a wrong `{key}` of the {role} caused {}",
                described(&error)
            ));
        }
    }
    Ok(())
}

async fn validation_agrees_with_opening(suite: &Suite<'_>) -> Verdict {
    let accesses = suite.all_accesses();
    let wrong = incomplete(suite)?.into_iter().chain(mistaken(suite)?);
    let wrong = wrong.map(|Wrong { role, access, .. }| (role, access));
    for (role, access) in accesses.into_iter().chain(wrong) {
        let validated = suite.validate(role, &access.setup()?);
        let opened = suite.open(role, access.setup()?).await;
        match (validated, opened) {
            (Ok(()), Ok(())) => {}
            // Only opening can meet an I/O error.
            (Ok(()), Err(opened)) if opened.kind() == ErrorKind::Io => {}
            (Err(validated), Err(opened)) if validated.kind() == opened.kind() => {}
            (Ok(()), Err(opened)) => {
                return failed(format!(
                    "`validate` accepts settings that do not open: {}",
                    described(&opened)
                ));
            }
            (Err(validated), Ok(())) => {
                return failed(format!(
                    "`validate` refuses settings that open: {}",
                    described(&validated)
                ));
            }
            (Err(validated), Err(opened)) => {
                let (validated, opened) = (described(&validated), described(&opened));
                return failed(format!(
                    "`validate` returns {validated}; opening returns {opened}"
                ));
            }
        }
    }
    Ok(())
}

fn described(error: &Error) -> String {
    format!("an error of kind {:?}: {error}", error.kind())
}

async fn validation_is_pure(suite: &Suite<'_>) -> Verdict {
    for (role, _, access) in given(suite)? {
        let watcher = std::sync::Arc::new(Watcher::default());
        let setup = access.watched(watcher.clone())?;
        let before = suite.snapshot(role, &access).await;
        // Another check looks at the result.
        suite.validate(role, &setup).ok();
        if watcher.requests() > 0 || suite.snapshot(role, &access).await != before {
            return failed(format!(
                "`validate` of the {role} sent a request or changed something"
            ));
        }
        suite.open(role, setup).await?;
        if watcher.requests() > 0 || suite.snapshot(role, &access).await != before {
            return failed(format!(
                "opening the {role} sent a request or changed something"
            ));
        }
    }
    Ok(())
}
